"""The gateway's own messages: what it does, and what goes wrong in it."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pyproxy.telemetry.backtrace import describe, trace
from pyproxy.telemetry.style import (
    BLUE,
    DIM,
    GREEN,
    RED,
    YELLOW,
    Style,
    Timestamp,
    painted,
    shown,
)

Level = Literal["debug", "info", "warning", "error"]
Value = str | int | float | bool | None

LEVELS: Final[Mapping[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40}

# A message is ours or a library's, a value perhaps a stranger's.
MAX_MESSAGE: Final = 2048
MAX_VALUE: Final = 512

_COLOURS: Final = {"debug": DIM, "info": GREEN, "warning": YELLOW, "error": RED}


class Log:
    """Writes messages as lines; from any thread, without waiting or failing.

    Values may come from strangers and are escaped and cut. None may be a
    credential or bytes of a body.

    Args:
        put: Takes a line without its line feed; see ``LineSink.put``.
        clock: Epoch seconds.
        level: The least that is written.
        style: For machines or for people.
        is_coloured: Colours by level, for people.

    Attributes:
        is_debug: Debug messages are written; ask before making one.
    """

    def __init__(
        self,
        put: Callable[[str], None],
        clock: Callable[[], float],
        *,
        level: Level = "info",
        style: Style = "json",
        is_coloured: bool = False,
    ) -> None:
        self._put = put
        self._clock = clock
        self._stamp = Timestamp()
        self._is_coloured = is_coloured
        self.adopt(level, style)

    def adopt(self, level: Level, style: Style) -> None:
        """Write by other rules from now on; for whoever holds the log it stays the same."""
        self._threshold = LEVELS[level]
        self._line = self._json if style == "json" else self._console
        self.is_debug = level == "debug"

    def debug(self, event: str, message: str = "", /, **values: Value) -> None:
        """What only its developers ask for."""
        self.write("debug", event, message, values)

    def info(self, event: str, message: str = "", /, **values: Value) -> None:
        """What an operator wants to have read once."""
        self.write("info", event, message, values)

    def warning(self, event: str, message: str = "", /, **values: Value) -> None:
        """What should be looked at."""
        self.write("warning", event, message, values)

    def error(self, event: str, message: str = "", /, **values: Value) -> None:
        """What does not work."""
        self.write("error", event, message, values)

    def failure(
        self,
        event: str,
        exc: BaseException,
        message: str = "",
        /,
        **values: Value,
    ) -> None:
        """What nobody foresaw, with its traceback; see ``telemetry.backtrace``."""
        self.write("error", event, message or describe(exc), values, trace(exc))

    def write(
        self,
        level: Level,
        event: str,
        message: str,
        values: Mapping[str, Value],
        traceback: str = "",
    ) -> None:
        """Write a message of any level.

        Args:
            level: Below the log's own: nothing happens.
            event: Stable, in words with dots: ``listener.ready``.
            message: A sentence, or nothing.
            values: Under names other than the line's own.
            traceback: Lines of ours, not escaped for people.
        """
        if LEVELS[level] >= self._threshold:
            self._put(self._line(level, event, message[:MAX_MESSAGE], values, traceback))

    def lost_line(self, lost: int) -> str:
        """The line with which a ``LineSink`` owns up to lines it dropped."""
        message = "lines were lost: they could not be written in time"
        return self._line("warning", "log.lost", message, {"lost": lost}, "")

    def _json(
        self,
        level: Level,
        event: str,
        message: str,
        values: Mapping[str, Value],
        traceback: str,
    ) -> str:
        line: dict[str, Any] = {"time": self._stamp(self._clock()), "level": level, "event": event}
        if message:
            line["message"] = message
        for name, value in values.items():
            line.setdefault(name, value[:MAX_VALUE] if isinstance(value, str) else value)
        if traceback:
            line["traceback"] = traceback
        return json.dumps(line, separators=(",", ":"))

    def _console(
        self,
        level: Level,
        event: str,
        message: str,
        values: Mapping[str, Value],
        traceback: str,
    ) -> str:
        words = [
            self._paint(self._stamp(self._clock())[11:23], DIM),
            self._paint(f"{level:7}", _COLOURS[level]),
            self._paint(event, BLUE),
            shown(message, MAX_MESSAGE),
            *(f"{name}={shown(str(value), MAX_VALUE)}" for name, value in values.items()),
        ]
        line = " ".join(word for word in words if word)
        return f"{line}\n{traceback}" if traceback else line

    def _paint(self, text: str, colour: str) -> str:
        return painted(text, colour, is_coloured=self._is_coloured)
