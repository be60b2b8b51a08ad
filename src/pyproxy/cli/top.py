"""``pyproxy top``: a live view of the running gateway, in a terminal."""

import os
import sys
import time
from pathlib import Path
from typing import Final

import click

from pyproxy.cli.admin_access import AdminAccess, NoAnswer, access_to
from pyproxy.cli.figures import span
from pyproxy.cli.live_terminal import LiveTerminal
from pyproxy.cli.speech import fault
from pyproxy.cli.status import Status, status_from
from pyproxy.cli.status_lines import Line, Span, fitted, status_lines
from pyproxy.config.quantities import parse_positive_seconds
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.telemetry.style import DIM, RED, is_coloured, shown

# A gateway of many routes takes a millisecond to say all this.
_SHORTEST_S: Final = 0.1
_LONGEST_PROBLEM: Final = 200
_QUIT: Final = frozenset("qQ\x04")
_HELP: Final[Line] = (Span("q ends", DIM),)


def top(config_file: Path | None, url: str, token: str, interval: str, *, once: bool) -> int:
    """Watch the running gateway: traffic, routes, limits, what is wrong.

    It is asked through its admin listener, as the configuration says or --url. q ends.
    """
    interval_s = _interval(interval)
    access = access_to(config_file, url, token)
    try:
        status = status_from(access)
    except NoAnswer as error:
        fault(error)
        return 1
    if once or not all(each is not None and each.isatty() for each in (sys.stdin, sys.stdout)):
        _print(status)
        return 0
    try:
        with LiveTerminal() as terminal:
            _Watch(access, terminal, status).until_quit(interval_s)
    except KeyboardInterrupt:
        pass  # as good a way to end it as any
    return 0


def _interval(text: str) -> float:
    try:
        seconds = parse_positive_seconds(text)
    except ValueError as error:
        raise ConfigurationError(Fault("--interval", str(error))) from error
    if seconds < _SHORTEST_S:
        problem = f"must be at least {_SHORTEST_S * 1000:.0f}ms"
        raise ConfigurationError(Fault("--interval", problem))
    return seconds


def _print(status: Status) -> None:
    columns = os.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    coloured = is_coloured(sys.stdout, os.environ)
    lines = status_lines(status, is_unicode=_is_unicode())
    for line in fitted(lines, columns, None, is_coloured=coloured):
        click.echo(line, color=coloured)


class _Watch:
    """What was heard last, drawn again and again.

    Args:
        access: Who is asked.
        terminal: Where it is drawn.
        status: What was heard just now.
    """

    def __init__(self, access: AdminAccess, terminal: LiveTerminal, status: Status) -> None:
        self._access, self._terminal, self._status = access, terminal, status
        self._heard_at, self._problem = time.monotonic(), ""
        self._is_coloured = is_coloured(sys.stdout, os.environ)

    def until_quit(self, interval_s: float) -> None:
        """Ask, draw and listen until somebody says that it is enough."""
        while True:
            due = time.monotonic() + interval_s
            while (left := due - time.monotonic()) > 0:
                self._draw()  # in the size that the terminal has now
                if _QUIT & set(self._terminal.wait(left)):
                    return
            self._ask()

    def _ask(self) -> None:
        try:
            self._status = status_from(self._access)
        except NoAnswer as error:
            self._problem = str(error)
        else:
            self._heard_at, self._problem = time.monotonic(), ""

    def _draw(self) -> None:
        columns, rows = self._terminal.size
        lines = (*self._silence(), *status_lines(self._status, is_unicode=_is_unicode()), _HELP)
        self._terminal.draw(fitted(lines, columns, rows, is_coloured=self._is_coloured))

    def _silence(self) -> tuple[Line, ...]:
        """Say that what stands below is old, where it is."""
        if not self._problem:
            return ()
        age = span(time.monotonic() - self._heard_at)
        why = shown(self._problem, _LONGEST_PROBLEM)
        return ((Span(f"NO ANSWER for {age}; below is what was said last. {why}", RED),),)


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
