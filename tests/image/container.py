"""A container of an image, run by ``contained.py``."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.image.engine import Image

LAUNCH = ["unshare", "--mount", "--pid", "--fork", sys.executable]
HERE = Path(__file__).with_name("contained.py")
START_S, END_S = 40.0, 20.0


@dataclass
class Container:
    """What a container is started with.

    Attributes:
        image: Its image.
        binds: Source, target, and whether it may be written to.
        environment: Beyond the image's own.
        user: User and group, if not the image's own.
    """

    image: Image
    binds: Sequence[tuple[Path, str, bool]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None

    def launch(self, *command: str, entrypoint: Sequence[str] | None = None) -> list[str]:
        """The command line that runs it."""
        user, group = self.user or self.image.ids
        first = self.image.entrypoint if entrypoint is None else entrypoint
        setting = {
            "root": str(self.image.root),
            "binds": [(str(source), target, may) for source, target, may in self.binds],
            "user": user,
            "group": group,
            "directory": self.image.working,
            "environment": {**self.image.environment, **self.environment},
            "command": [*first, *(command or self.image.command)],
        }
        return [*LAUNCH, str(HERE), json.dumps(setting)]

    def run(
        self, *command: str, entrypoint: Sequence[str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run one command in it, to its end."""
        return subprocess.run(
            self.launch(*command, entrypoint=entrypoint),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def running(self, *command: str) -> Iterator["Running"]:
        """Run its service while the block runs."""
        process = subprocess.Popen(
            self.launch(*command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.kill()


class Running:
    """A container that runs; ``lines`` is what it wrote so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """Everything that it wrote."""
        return "".join(self.lines)

    def wait_for(self, text: str) -> None:
        """Wait until a line holds this text."""
        with self._news:
            self._news.wait_for(lambda: text in self.text or self._has_ended, START_S)
        assert text in self.text, self.text

    def stop(self) -> int:
        """Ask the first process to end, as an engine does; the exit code."""
        self._signal(signal.SIGTERM)
        code = self.process.wait(END_S)
        self._reader.join()
        return code

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        if self.process.poll() is None:
            self._signal(signal.SIGKILL)
            self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()

    def _signal(self, number: int) -> None:
        """To the first process of the namespace; what is left of it ends with it."""
        own = self.process.pid
        for child in Path(f"/proc/{own}/task/{own}/children").read_text().split():
            os.kill(int(child), number)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()
