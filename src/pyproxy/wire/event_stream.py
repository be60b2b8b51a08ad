"""Streams of server-sent events, as far as who passes them on must know them (WHATWG HTML §9.2)."""

from typing import Final

from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE
from pyproxy.wire.head import ResponseHead

# A comment and an empty line: a client takes both for nothing between two events.
KEEP_ALIVE: Final = b": keep-alive\n\n"

_OK: Final = 200
_TYPE: Final = b"text/event-stream"
_UNKNOWN_LENGTHS: Final = frozenset({CHUNKED, UNTIL_CLOSE})
# An empty line behind the end of another. A lone CR counts only behind one of its kind: else it
# may be half of a CRLF, and nobody should find a line of ours within that.
_EMPTY_LINES: Final = (b"\n\n", b"\n\r\n", b"\r\r\n", b"\r\r")
_LONGEST: Final = 3


class EventBoundary:
    """Knows whether a stream is between two events, from its bytes in pieces of any size.

    A stream is, before its first byte and behind an empty line (section 9.2.6). A comment
    or a lone ``retry`` that no empty line follows counts as the beginning of an event.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = _EMPTY_LINES[0]  # a stream begins as it goes on behind an event

    def passed(self, data: bytes) -> None:
        """Take note of bytes, at least one."""
        if len(data) < _LONGEST:
            data = self._tail + data
        self._tail = data[-_LONGEST:]

    @property
    def is_between(self) -> bool:
        """A comment here is within no event."""
        return self._tail.endswith(_EMPTY_LINES)


def is_open_event_stream(head: ResponseHead, length: int) -> bool:
    """Whether an answer is a stream of events that further lines can be put into.

    Args:
        head: Of a final answer.
        length: Of its body, as ``wire.framing.response_length`` says.
    """
    described = {b"content-type", b"content-encoding"}
    if length not in _UNKNOWN_LENGTHS or described & head.repeated:
        return False
    coding = head.index.get(b"content-encoding", b"identity").lower()
    return is_event_stream(head) and coding in {b"identity", b""}


def is_event_stream(head: ResponseHead) -> bool:
    """Whether the body behind an answer's head is a stream of events, in whatever coding."""
    media_type = head.index.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return head.status == _OK and media_type == _TYPE
