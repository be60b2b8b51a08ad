"""How far a measurement is, on a line of a terminal that the next one takes; elsewhere nothing."""

from typing import TextIO

from pyproxy.cli.speech import Progress as Line


class Progress:
    """Says how far it is, on standard error: tables go to standard output.

    Args:
        steps: How many there are in all.
        stream: Where it is said.
    """

    def __init__(self, steps: int, stream: TextIO | None = None) -> None:
        self._steps, self._done = steps, 0
        self._line = Line(stream)
        self.clear = self._line.clear

    def step(self, text: str) -> None:
        """Begin the next one."""
        self._done += 1
        self._line.show(f"{self._done} of {self._steps}: {text}")
