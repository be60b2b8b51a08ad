"""Draws docs/pictures anew: the status page, light and dark, and the Grafana dashboard.

    python -m bench.pictures                  two minutes of load, then every picture
    python -m bench.pictures --seconds 40

Needs chromium and prometheus. The gateway is real, and so is each figure: they are those of
clients on loopback that ask stand-ins for three APIs, some with wrong keys, one too fast; one
stand-in is away for a while. The dashboard is drawn from deploy/grafana/pyproxy.json, its
queries answered by Prometheus, for Grafana is no package of Debian's.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bench.pictures.dashboard import drawn_dashboard
from bench.pictures.png import packed
from bench.pictures.scene import Scene
from bench.pictures.shots import picture_of_file, pictures_of_page
from bench.pictures.traffic import Traffic
from bench.stage import NotStarted, Stage

PICTURES = Path("docs/pictures")
DASHBOARD = Path("deploy/grafana/pyproxy.json")
LEAST_S = 30


def main() -> int:
    """Draw every picture; 0, or 1 if a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="how long the load lasts")
    seconds = max(LEAST_S, parser.parse_args().seconds)
    PICTURES.mkdir(exist_ok=True)
    try:
        with Stage() as stage:
            asyncio.run(_draw(stage, seconds))
    except (NotStarted, FileNotFoundError) as error:
        print(f"nothing was drawn: {error}", file=sys.stderr)
        return 1
    for path in sorted(PICTURES.glob("*.png")):
        path.write_bytes(packed(path.read_bytes()))  # slow, so not while there is load
        print(f"{path} {path.stat().st_size // 1000} kB")
    return 0


async def _draw(stage: Stage, seconds: int) -> None:
    async with Scene(stage) as scene:
        traffic = Traffic(scene)
        async with asyncio.timeout(seconds + 120), asyncio.TaskGroup() as group:
            clients = group.create_task(traffic.run(seconds))
            away = group.create_task(scene.stumble(seconds * 0.35, seconds * 0.2))
            await asyncio.sleep(seconds * 0.9)
            await away
            await asyncio.to_thread(pictures_of_page, scene.admin, PICTURES)
            html = await asyncio.to_thread(
                drawn_dashboard, DASHBOARD, scene.prometheus, f"{seconds} s of made-up load"
            )
            page = stage.folder / "dashboard.html"
            page.write_text(html)
            await asyncio.to_thread(picture_of_file, page, PICTURES / "dashboard.png")
            await clients


if __name__ == "__main__":
    sys.exit(main())
