"""The real copilot-api on a loopback port, with the fake GitHub behind it.

``start(state)`` yields a ``Lab``: where copilot-api answers, and what reached
the fake Copilot. The functional tests wrap it in a fixture; by hand:

    python tests/lab/copilot.py        # prints the address, runs until Ctrl-C
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SERVER = HERE / "node_modules" / "copilot-api" / "dist" / "main.js"
GITHUB_TOKEN = "ghu_lab_token"
COPILOT_TOKEN = "tid=lab;exp=9999999999;sku=lab:secret-copilot-token"
START_TIMEOUT_S = 30.0
POLL_S = 0.02


@dataclass(frozen=True)
class Lab:
    """A running copilot-api.

    Attributes:
        url: Origin where it answers plain HTTP.
        capture: What the fake GitHub wrote down, one JSON object a line.
    """

    url: str
    capture: Path

    def events(self, kind: str) -> list[dict[str, object]]:
        """What happened at the fake Copilot so far: ``request``, ``finished`` or ``aborted``."""
        lines = self.capture.read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def received(self) -> str:
        """Everything that ever reached the fake Copilot, as one text to search in."""
        return self.capture.read_text(encoding="utf-8")


def missing() -> str:
    """What keeps the lab from running here, as a sentence; empty if nothing does."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not SERVER.exists():
        return "copilot-api is not installed: run `make test`, or `npm ci` in tests/lab"
    return ""


@contextmanager
def start(state: Path, port: int = 0) -> Iterator[Lab]:
    """Run the fake GitHub and copilot-api until the block ends.

    Args:
        state: Folder for the throw-away CA, the capture and the logs.
        port: Where copilot-api is to listen; 0 for any.

    Raises:
        RuntimeError: copilot-api ended or did not answer in time; says what it wrote.
    """
    with ExitStack() as stack:
        proxy_port = _start_fake_github(stack, state)
        port = port or _free_port()
        log = stack.enter_context((state / "copilot-api.log").open("wb"))
        process = subprocess.Popen(
            ["node", SERVER, "start", "--port", str(port), "--github-token", GITHUB_TOKEN]
            + ["--proxy-env"],
            env=_environment(state, proxy_port),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        stack.callback(_end, process)
        url = f"http://127.0.0.1:{port}"
        _wait_until_answers(url, process, state / "copilot-api.log")
        yield Lab(url, state / "capture.jsonl")


def _start_fake_github(stack: ExitStack, state: Path) -> int:
    process = subprocess.Popen(
        [sys.executable, HERE / "fake_github.py", "--port", "0", "--state", state],
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(_end, process)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("ready "):
        raise RuntimeError(f"the fake GitHub did not start: {line!r}")
    return int(line.split()[1])


def _environment(state: Path, proxy_port: int) -> dict[str, str]:
    home = state / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NODE_EXTRA_CA_CERTS": str(state / "ca.pem"),
        "HTTPS_PROXY": f"http://127.0.0.1:{proxy_port}",
        "NO_COLOR": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v1/models", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(POLL_S)
    raise RuntimeError(f"copilot-api did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as lab:
        print(lab.url, flush=True)
        try:
            input("Enter ends it. ")
        except (EOFError, KeyboardInterrupt):
            print()
