"""The access line: one a request, for machines or for people."""

from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quote
from typing import Final

from pyproxy.telemetry.record import Record
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

# The strings that a client chooses; a long one says no more than its beginning.
MAX_PATH: Final = 512
MAX_METHOD: Final = 32

_COLOURS: Final = {2: GREEN, 3: BLUE, 4: YELLOW, 5: RED}


class AccessLog:
    """Writes records as lines.

    Args:
        put: Takes a line without its line feed; see ``LineSink.put``.
        style: For machines or for people.
        is_coloured: Colours by status, for people.
    """

    def __init__(
        self,
        put: Callable[[str], None],
        style: Style = "json",
        *,
        is_coloured: bool = False,
    ) -> None:
        self._put = put
        self._stamp = Timestamp()
        self._is_coloured = is_coloured
        self._line = self._json if style == "json" else self._console

    def put(self, record: Record, wall: float) -> None:
        """Write one line; never waits and never fails.

        Args:
            record: Complete; not kept.
            wall: Epoch seconds, the end of the request.
        """
        self._put(self._line(record, wall))

    def _json(self, record: Record, wall: float) -> str:
        # By hand, because it is on every request's way: json.dumps of a dict
        # takes three times as long. Every string is quoted, ours too.
        upstream_ms = f"{record.upstream_ms:.1f}" if record.upstream_ms >= 0.0 else "null"
        return (
            f'{{"time":"{self._stamp(wall)}","level":"info","event":"request",'
            f'"request_id":{quote(record.request_id)},"ip":{quote(record.ip)},'
            f'"user":{quote(record.user)},"route":{quote(record.route)},'
            f'"method":{quote(record.method[:MAX_METHOD])},'
            f'"path":{quote(record.path[:MAX_PATH])},'
            f'"status":{record.status},"bytes_in":{record.bytes_in},'
            f'"bytes_out":{record.bytes_out},"ms":{record.ms:.1f},'
            f'"upstream_ms":{upstream_ms},"upstream":{quote(record.upstream)},'
            f'"aborted":{"true" if record.is_aborted else "false"},"code":{quote(record.code)}'
            f"{_more(record)}}}"
        )

    def _console(self, record: Record, wall: float) -> str:
        colour = _COLOURS.get(record.status // 100, RED)
        words = [
            self._paint(self._stamp(wall)[11:23], DIM),
            self._paint(str(record.status), colour),
            shown(record.method, MAX_METHOD) or "-",
            shown(record.path, MAX_PATH) or "-",
            f"{record.ms:.1f}ms",
            self._paint(_remarks(record), DIM),
        ]
        return " ".join(words)

    def _paint(self, text: str, colour: str) -> str:
        return painted(text, colour, is_coloured=self._is_coloured)


def _more(record: Record) -> str:
    """What not every request has."""
    model = f',"model":{quote(record.model)}' if record.model else ""
    return model if record.trace is None else f'{model},"trace_id":"{record.trace.trace_id}"'


def _remarks(record: Record) -> str:
    """The rest of a record, each thing with its name and only if there is one."""
    words = [
        ("user", record.user),
        ("route", record.route),
        ("ip", record.ip),
        ("model", record.model),
        ("upstream", record.upstream),
        ("upstream_ms", f"{record.upstream_ms:.1f}" if record.upstream_ms >= 0.0 else ""),
        ("in", str(record.bytes_in or "")),
        ("out", str(record.bytes_out or "")),
        ("code", record.code),
        ("aborted", "yes" if record.is_aborted else ""),
        ("id", record.request_id),
        ("trace", record.trace.trace_id if record.trace is not None else ""),
    ]
    return " ".join(f"{name}={shown(value, MAX_PATH)}" for name, value in words if value)
