"""The island that a page is played on: its own loopback, its own names, its own processes.

    python -m tests.docs.stage FOLDER STAND-IN...

Brings the stand-ins up, types the folder's script into a shell, writes down who was asked
what, and ends; with it whatever the script has started.
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.docs.abroad import PUBLIC, settle
from tests.docs.background import stop
from tests.docs.clone import NOTES
from tests.docs.stand_ins import STAND_INS, Meeting
from tests.providers.agents.island import raise_loopback

NAMES = "gateway.internal gateway.example.com redis.internal gateway-1"
SECOND = "127.0.0.2 gateway-2"


def name(folder: Path) -> None:
    """Let the pages' names of machines lead to loopback."""
    hosts = folder / NOTES / "hosts"
    lines = [f"127.0.0.1 localhost {NAMES}", SECOND, "::1 localhost"]
    lines += [f"{address} {host}" for host, address in PUBLIC.items()]
    hosts.write_text("\n".join([*lines, ""]))
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)


def main(folder: Path, *stand_ins: str) -> int:
    """Play it; the script's exit code."""
    raise_loopback()
    settle()
    name(folder)
    notes = folder / NOTES
    bin_folder = folder / ".venv" / "bin"
    environ = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "PYPROXY_STAGE": str(notes),
    }
    with ExitStack() as stack:
        meeting = Meeting(folder, notes)
        for each in stand_ins:
            stack.enter_context(STAND_INS[each](meeting))
        gateway = {**meeting.environ, **json.loads((notes / "gateway.env").read_text())}
        (notes / "gateway.env").write_text(json.dumps(gateway))
        done = subprocess.run(["bash", str(notes / "script")], env=environ, check=False)
        # Its last words are in its log then.
        stop("pyproxy", notes)
        (notes / "asked.json").write_text(json.dumps(meeting.asked()))
    return done.returncode


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), *sys.argv[2:])
    sys.stdout.flush()
    # Threads of stand-ins may wait for clients that are about to be ended.
    os._exit(code)
