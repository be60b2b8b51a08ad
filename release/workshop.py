"""Commands that are run, and clean environments to run them in."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 900  # for an install over a slow line
_TAIL = 4000  # characters of what a failed command said
# What would make an environment less clean than it looks.
_DIRT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYPROXY_CONFIG")


class Failed(Exception):
    """What was to be shown is not so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Circumstance:
    """What must not make a difference to a build.

    Attributes:
        umask: Of the building process.
        zone: Its time zone.
        hash_seed: Orders Python's sets.
        moment: When the sources were written, in seconds since the epoch.
    """

    umask: int
    zone: str
    hash_seed: int
    moment: int

    def environ(self) -> dict[str, str]:
        """What the process sees of it."""
        return {"TZ": self.zone, "PYTHONHASHSEED": str(self.hash_seed)}


def run(
    command: Sequence[str | Path],
    folder: Path = ROOT,
    environ: Mapping[str, str] | None = None,
    umask: int = -1,
) -> str:
    """What a command printed.

    Raises:
        Failed: It ended with another code than 0; its last words are in the message.
    """
    done = subprocess.run(
        list(command),
        cwd=folder,
        env=clean_environ(environ),
        umask=umask,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-_TAIL:]
        raise Failed(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{said}")
    return done.stdout


def clean_environ(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would lend its modules to another Python."""
    kept = {name: value for name, value in os.environ.items() if name not in _DIRT}
    return {**kept, **(extra or {})}


@dataclass(frozen=True, slots=True)
class Clean:
    """A virtual environment with nothing in it, not even pip."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Clean":
        """Make it with the Python that runs this."""
        run([sys.executable, "-m", "venv", "--without-pip", folder])
        return cls(folder)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where its packages are."""
        (found,) = self.folder.glob("lib/python3*/site-packages")
        return found

    def program(self, name: str) -> Path:
        """A script of a package in it."""
        return self.folder / "bin" / name

    def lock(self, file: Path) -> None:
        """Install a lock: its versions alone, each with its hash."""
        self._pip("install", "--require-hashes", "--requirement", str(file))

    def add(self, package: Path) -> None:
        """Install a wheel or an sdist that was built here; nothing else may be fetched for it."""
        self._pip("install", "--no-deps", "--no-index", "--no-build-isolation", str(package))

    def check(self) -> None:
        """Raise `Failed` if a requirement of what is installed is not."""
        self._pip("check")

    def _pip(self, *words: str) -> None:
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        run([sys.executable, "-m", "pip", "--python", self.python, *words[:1], *quiet, *words[1:]])
