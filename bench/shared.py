"""What a limit costs that machines share: the same requests, limited by memory and by Redis.

    python -m bench.shared [--rounds 5] [--seconds 2]

Three gateways with TLS on one CPU, turn about; load, origin and a redis-server of its own on
another. `leased` asks for one client whose limit is wide, so that most requests take from a
lease; `trip` comes from 20,000 clients with the default limit, so that each asks Redis. Both
are set against the same requests of a gateway whose limits are in its memory.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench import wrk
from bench.contenders.contender import Setting
from bench.credentials import PLAIN_KEY
from bench.origin import ANSWER
from bench.stage import Stage, free_port, pinned

_CLIENTS: Final = 20_000
_WIDE: Final = '[rate_limits.api]\nrate = "1000000r/s"\nburst = 1000000\n'
_ONE: Final = f'wrk.headers["Authorization"] = "Bearer {PLAIN_KEY}"\n'
_MANY: Final = f"""{_ONE}
local n = 0
request = function()
  n = (n + 1) % {_CLIENTS}
  wrk.headers["X-Forwarded-For"] = string.format("10.0.%d.%d", n / 250, n % 250)
  return wrk.format()
end
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A gateway and what it is asked.

    Attributes:
        name: In the report.
        base: What it is set against; empty: nothing.
        limits: TOML.
        is_shared: Limits are in Redis.
        script: Of wrk.
    """

    name: str
    base: str
    limits: str
    is_shared: bool
    script: str


_CASES: Final = (
    Case("memory, one client", "", _WIDE, False, _ONE),
    Case("redis, leased", "memory, one client", _WIDE, True, _ONE),
    Case("memory, many clients", "", "", False, _MANY),
    Case("redis, trip", "memory, many clients", "", True, _MANY),
)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.shared", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32])
    options = parser.parse_args()
    with Stage() as stage:
        ports = _start(Setting.make(stage, Path()))
        for connections in options.connections:
            print(f"{connections} connection{'s' if connections > 1 else ''}")
            found: dict[str, list[wrk.Report]] = {case.name: [] for case in _CASES}
            for _ in range(options.rounds):
                for case in _CASES:
                    said = _run(stage, case, ports[case.name], connections, options.seconds)
                    found[case.name].append(said)
            _print(found)
    return 0


def _start(setting: Setting) -> dict[str, int]:
    stage, redis = setting.stage, free_port()
    command = ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", ""]
    stage.start("redis", [*command, "--dir", str(stage.folder)], redis, stage.load_cpu)
    ports: dict[str, int] = {}
    for number, case in enumerate(_CASES):
        port = ports[case.name] = free_port()
        file = stage.folder / f"gateway{number}.toml"
        store = f'[store]\nurl = "redis://127.0.0.1:{redis}/{number}"\n' if case.is_shared else ""
        file.write_text(_configuration(setting, port) + case.limits + store)
        command = [sys.executable, "-m", "pyproxy", "serve", "--config", str(file)]
        stage.start(f"gateway{number}", command, port, stage.measured_cpu)
        (stage.folder / f"{case.name}.lua").write_text(case.script)
    return ports


def _configuration(setting: Setting, port: int) -> str:
    credentials = setting.credentials
    return f"""
[server]
admin = ""
trusted_proxies = ["127.0.0.1"]
[[listeners]]
bind = "127.0.0.1:{port}"
certificate = "{credentials.certificate}"
private_key = "{credentials.private_key}"
[auth]
keys_file = "{credentials.keys}"
[[routes]]
name = "origin"
upstream = "http://127.0.0.1:{setting.origin}"
"""


def _run(stage: Stage, case: Case, port: int, connections: int, seconds: int) -> wrk.Report:
    script = stage.folder / f"{case.name}.lua"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    url = f"https://127.0.0.1:{port}/v1/chat/completions"
    said = subprocess.run(
        pinned(stage.load_cpu, [*command, url]), capture_output=True, text=True, check=True
    ).stdout
    return wrk.Report.read(said, len(ANSWER))


def _print(found: dict[str, list[wrk.Report]]) -> None:
    for case in _CASES:
        reports = found[case.name]
        p50, per_s = (median(getattr(r, name) for r in reports) for name in ("p50_us", "per_s"))
        failed = sum(report.failed for report in reports)
        against = [
            report.p50_us / base.p50_us
            for report, base in zip(reports, found.get(case.base, []), strict=False)
        ]
        ratio = f"  {median(against):.2f} x memory's" if against else ""
        print(f"  {case.name:22} p50 {p50:7.0f} us  {per_s:8.0f}/s  {failed:.0f} failed{ratio}")


if __name__ == "__main__":
    sys.exit(main())
