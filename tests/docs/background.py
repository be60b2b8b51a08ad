"""Start what serves until it is stopped, and go on when it serves, as a second terminal does.

    python -m tests.docs.background NAME COMMAND...

``pyproxy`` is the gateway: where another one holds its port, that is stopped first, as its
reader would. ``as-gateway`` only runs a command in the gateway's environment.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

READY = {"pyproxy": "listener.ready"}
PATIENCE_S = 30.0
POLL_S = 0.02


def notes() -> Path:
    """Where the stage keeps what it knows."""
    return Path(os.environ["PYPROXY_STAGE"])


def gateways_environment() -> dict[str, str]:
    """What is in the gateway's environment, but not in that of its clients."""
    more: dict[str, str] = json.loads((notes() / "gateway.env").read_text())
    return {**os.environ, **more}


def start(name: str, command: list[str], ready: str) -> int:
    """Start it, show what it writes until ``ready`` is among it; its exit code if it ended."""
    log = notes() / f"log-{time.monotonic_ns()}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=gateways_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    end = time.monotonic() + PATIENCE_S
    while ready not in (text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > end:
            text = log.read_text(errors="replace")
            if "is taken" in text and stop(name, notes()):
                return start(name, command, ready)
            sys.stdout.write(text)
            return process.returncode or 1
        time.sleep(POLL_S)
    (notes() / f"pid-{name}").write_text(str(process.pid))
    sys.stdout.write(text)
    return 0


def stop(name: str, folder: Path) -> bool:
    """Stop the last one that was started by this name; whether there was one."""
    path = folder / f"pid-{name}"
    if not path.exists():
        return False
    pid = int(path.read_text())
    path.unlink()
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            break
        time.sleep(POLL_S)
    return True


if __name__ == "__main__":
    kind, *words = sys.argv[1:]
    if kind == "as-gateway":
        os.execvpe(words[0], words, gateways_environment())  # noqa: S606 - it is the command now
    sys.exit(start(kind, words, READY[kind]))
