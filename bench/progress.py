"""What is measured just now, on a line of a terminal that the next one takes; elsewhere nothing."""

import os
import sys
from typing import Final, TextIO

_ERASE_LINE: Final = "\r\x1b[K"


class Progress:
    """Says how far it is, on standard error: tables go to standard output.

    Args:
        steps: How many there are in all.
        stream: Where it is said.
    """

    def __init__(self, steps: int, stream: TextIO | None = None) -> None:
        self._steps, self._done = steps, 0
        self._stream = stream or sys.stderr
        self._is_seen = self._stream.isatty() and os.environ.get("TERM") != "dumb"

    def step(self, text: str) -> None:
        """Begin the next one."""
        self._done += 1
        self._write(f"{_ERASE_LINE}{self._done} of {self._steps}: {text}")

    def clear(self) -> None:
        """Take it away: before whatever is to stay is said."""
        self._write(_ERASE_LINE)

    def _write(self, text: str) -> None:
        if self._is_seen:
            self._stream.write(text)
            self._stream.flush()
