"""What lines look like: for machines or for people, and how a moment is written."""

import time
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Final, Literal, Protocol

Style = Literal["json", "console"]

RED: Final = "\x1b[31m"
GREEN: Final = "\x1b[32m"
YELLOW: Final = "\x1b[33m"
BLUE: Final = "\x1b[34m"
DIM: Final = "\x1b[2m"
RESET: Final = "\x1b[0m"

_MS: Final = 1000


class Terminal(Protocol):
    """A stream that knows whether a person sits before it."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        ...


def is_coloured(stream: Terminal | None, environ: Mapping[str, str]) -> bool:
    """Whether colours would be seen and are wanted.

    ``NO_COLOR`` wins (https://no-color.org); then ``FORCE_COLOR`` or ``CLICOLOR_FORCE``, unless
    it is ``0``, colours what goes elsewhere than to a terminal too (https://force-color.org).
    """
    if stream is None or environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def painted(text: str, colour: str, *, is_coloured: bool) -> str:
    """The text in a colour, or as it is."""
    return f"{colour}{text}{RESET}" if is_coloured else text


def shown(text: str, limit: int) -> str:
    """A stranger's text for a terminal or a line: printable ASCII, cut at ``limit``.

    Nothing in it can end the line or talk to the terminal.
    """
    return encode_basestring_ascii(text[:limit])[1:-1]


class Timestamp:
    """Moments as RFC 3339 in UTC with milliseconds; each second is worked out once."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, wall: float) -> str:
        """The moment ``wall`` (epoch seconds), as in ``2026-01-31T09:00:00.125Z``."""
        second = int(wall)
        if second != self._second:
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = second
        return f"{self._text}{int((wall - second) * _MS):03d}Z"
