"""What a figure means nothing without: machine, versions, date, command."""

import os
import platform
import shlex
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of one run.

    Attributes:
        command: That was given.
        date: When it began.
        versions: Of what was measured, and of what it stands on.
        machine: Processors and kernel.
        load: Processes that wanted a CPU before the run began, by the kernel's average of
            the last minute: what is well above 0 makes every figure doubtful.
    """

    command: str
    date: str
    versions: Sequence[str]
    machine: str
    load: float

    @classmethod
    def at_present(cls, program: str, arguments: Sequence[str]) -> Self:
        """Look at the machine; before anything is started."""
        cpus = len(os.sched_getaffinity(0))
        return cls(
            command=shlex.join(["python", "-m", program, *arguments]),
            date=datetime.now(UTC).strftime("%-d %B %Y"),
            versions=(
                f"Python {platform.python_version()}",
                f"uvloop {version('uvloop')}",
                " ".join(ssl.OPENSSL_VERSION.split()[:2]),
            ),
            machine=f"{cpus} CPUs ({_processor()}), Linux {platform.release()}",
            load=os.getloadavg()[0],
        )

    def sentence(self, measured: Sequence[str] = (), how: str = "") -> str:
        """All of it, for a report; ``how`` says how often and how long."""
        versions = ", ".join(dict.fromkeys([*measured, *self.versions]))
        return (
            f"Measured on {self.date} with `{self.command}`: {versions}; {self.machine}, "
            f"load before {self.load:.1f}{'; ' if how else ''}{how}."
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
