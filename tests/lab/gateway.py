"""A gateway in a process of its own, started as a person starts it."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyproxy

COMMAND = [sys.executable, "-m", "pyproxy"]
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
# Whatever the machine's own environment says must not reach the gateway under test.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")


class Gateway:
    """A running ``pyproxy serve``.

    Attributes:
        process: The process.
        lines: What it wrote to both outputs so far.
        secrets: What must be in no line; its tests add theirs.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []
        self.secrets: list[str] = []
        self._ports: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> int:
        """The port of its first listener, once it listens.

        Raises:
            RuntimeError: It ended instead; with what it wrote.
        """
        try:
            port = self._ports.get(timeout=START_TIMEOUT_S)
        except queue.Empty:
            port = None
        if port is None:
            raise RuntimeError("the gateway did not start:\n" + "\n".join(self.lines))
        return port

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to drain, unless it ended already; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def wait_for(self, text: str) -> bool:
        """Wait until a line holds ``text``; whether one did in time."""
        with self._news:
            return self._news.wait_for(
                lambda: any(text in line for line in self.lines), START_TIMEOUT_S
            )

    def output(self) -> str:
        """Everything it wrote so far."""
        return "\n".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
            if "listener.ready" in line:
                self._ports.put(_port(line))
        self._ports.put(None)


def _port(line: str) -> int:
    if line.startswith("{"):
        return int(json.loads(line)["port"] or 0)
    words = dict(word.split("=", 1) for word in line.split() if "=" in word)
    return int(words["port"] or 0)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which this very pyproxy is found, and little else."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    source = str(Path(pyproxy.__file__).resolve().parents[1])
    return {**kept, "PYTHONPATH": source, "PYTHONUNBUFFERED": "1", **(extra or {})}


def run(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run one command of pyproxy to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(environ),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )


@contextmanager
def serving(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[Gateway, int]]:
    """Run ``pyproxy serve`` with these arguments while the block runs.

    Gives the gateway and the port of its first listener. No secret may be in
    what it wrote when the block ends.
    """
    gateway = Gateway(_start(folder, arguments, environ))
    try:
        yield gateway, gateway.wait_until_ready()
    finally:
        gateway.stop()
    assert not [secret for secret in gateway.secrets if secret in gateway.output()]


def _start(
    folder: Path, arguments: Sequence[str], environ: Mapping[str, str] | None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "serve", *arguments],
        cwd=folder,
        env=environment(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
