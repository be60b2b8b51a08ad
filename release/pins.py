"""Reads a lock: a name, a version and its hashes a line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)==([\w.+!-]+)(?: *; *(.+))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class NotALock(ValueError):
    """A line that is neither a pin nor a comment."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked package.

    Attributes:
        name: In its canonical form.
        marker: Where it is needed; empty: everywhere.
        hashes: SHA-256 of each file that may be installed, in hexadecimal.
    """

    name: str
    version: str
    marker: str
    hashes: Sequence[str]

    @property
    def holds_here(self) -> bool:
        """Whether this machine and this Python need it."""
        return not self.marker or Marker(self.marker).evaluate()


def read(file: Path) -> list[Pin]:
    """The pins of a lock.

    Raises:
        NotALock: A line says something else: an option, an address, a range, no hash.
    """
    text = file.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    return [_pin(file, line) for line in lines]


def _pin(file: Path, line: str) -> Pin:
    hashes = _HASH.findall(line)
    found = _PIN.fullmatch(_HASH.sub("", line).strip())
    if not found or not hashes:
        raise NotALock(f"{file.name}: not a version with hashes: {line.strip()[:100]}")
    name, version, marker = found.groups()
    return Pin(canonicalize_name(name), version, marker or "", hashes)
