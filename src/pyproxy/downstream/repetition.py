"""A client repeats itself: its next head is the last one, but for the length of the body."""

from typing import Final

from pyproxy.wire.framing import request_length
from pyproxy.wire.head import RequestHead, read_request_head

# A longer head is read anew each time rather than kept with an idle connection.
MAX_KEPT: Final = 4096
# As `wire.framing` reads a length: so many digits, and nothing else.
_MAX_DIGITS: Final = 18
_NAME: Final = b"content-length"


class Repetition:
    """Reads heads, and remembers the last one.

    A head that differs from it in the digits of ``Content-Length`` alone says the same
    but for the length of its body. It gives the same ``RequestHead``, whose lines and
    index then hold the length of the first such head: a body's length is the number
    that ``read`` returns.
    """

    __slots__ = ("_after", "_before", "_head", "_length")

    def __init__(self) -> None:
        self._before = self._after = b""
        self._head: RequestHead | None = None
        self._length = 0

    def read(self, text: bytes) -> tuple[RequestHead, int]:
        """A request's head, and its body's length or ``CHUNKED``.

        Args:
            text: Start line, fields and the empty line.

        Raises:
            Malformed: It is no head, or its framing has more than one reading.
        """
        if self._head is not None and text.startswith(self._before) and text.endswith(self._after):
            digits = text[len(self._before) : len(text) - len(self._after)]
            if digits.isdigit() and len(digits) <= _MAX_DIGITS:
                return self._head, int(digits)
            if not self._after and len(text) == len(self._before):
                return self._head, self._length
        head = read_request_head(text)
        self._length = length = request_length(head)
        self._remember(text, head)
        return head, length

    def _remember(self, text: bytes, head: RequestHead) -> None:
        self._head = None
        if len(text) > MAX_KEPT:
            return
        value = head.index.get(_NAME)
        if value is None:
            self._before, self._after, self._head = text, b"", head
            return
        line = next(line for name, line in head.lines if name == _NAME)
        at = text.find(b"\r\n" + line)
        if at >= 0:  # else there is white space behind it, which the line has lost
            end = at + len(line)  # of the value: two bytes on, and two before the CRLF
            self._before, self._after = text[: end - len(value)], text[end:]
            self._head = head
