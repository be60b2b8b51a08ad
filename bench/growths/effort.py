"""How thoroughly growth is measured, and with what."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Effort:
    """For all growths of a run.

    Attributes:
        turns: Of the numbers, where they take turns; the best counts.
        seconds: Of load on a server.
        program: The pyproxy that serves.
    """

    turns: int
    seconds: int
    program: Path
