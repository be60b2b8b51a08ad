"""What commands say to people: words always, colours where they are seen."""

import os
import sys
from typing import Final, TextIO

import click

from pyproxy.telemetry.style import GREEN, RED, YELLOW, is_coloured, painted

NAME: Final = "pyproxy"
_ERASE_LINE: Final = "\r\x1b[K"


def fault(text: object) -> None:
    """Something is wrong: on standard error."""
    say(f"{NAME}:", text, RED, err=True)


def warning(text: object) -> None:
    """Something is unwise: on standard error."""
    say("warning:", text, YELLOW, err=True)


def good(word: str, rest: object = "") -> None:
    """Something is as it should be: on standard output."""
    say(word, rest, GREEN)


def bad(word: str, rest: object = "") -> None:
    """Something is not: as a finding, on standard output."""
    say(word, rest, RED)


def say(word: str, rest: object, colour: str, *, err: bool = False) -> None:
    """A line whose first word is coloured, where the stream that it goes to shows colours."""
    is_seen = is_coloured(sys.stderr if err else sys.stdout, os.environ)
    text = painted(word, colour, is_coloured=is_seen)
    click.echo(f"{text} {rest}" if str(rest) else text, err=err, color=is_seen)


class Progress:
    """What is under way, on a line of a terminal that the next one takes; elsewhere nothing.

    Args:
        stream: Where it is said, by default standard error; where that is closed, nowhere.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        is_terminal = self._stream is not None and self._stream.isatty()
        self._is_seen = is_terminal and os.environ.get("TERM") != "dumb"

    def show(self, text: str) -> None:
        """Say what is under way."""
        if self._is_seen:
            click.echo(f"{_ERASE_LINE}{self._cut(text)}", self._stream, nl=False, color=True)

    def clear(self) -> None:
        """Take it away: before whatever is to stay is said."""
        if self._is_seen:
            click.echo(_ERASE_LINE, self._stream, nl=False, color=True)

    def _cut(self, text: str) -> str:
        """What fits on one line: only that can be erased."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            return text
        return text[: columns - 1] if columns else text
