"""Bytes that a client sent and nobody has taken yet: heads to come, one after the other."""

import re
from typing import Final

from pyproxy.errors.refusal import BadRequest, HeadersTooLarge, UriTooLong
from pyproxy.wire.head import can_become_a_head

# Beside the fields, which `max_header_size` bounds; RFC 9112 section 3 asks for at least 8,000.
MAX_REQUEST_LINE: Final = 16 * 1024
_END: Final = b"\r\n\r\n"
_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)++")


class Incoming:
    """A buffer from which heads are taken.

    Args:
        max_header_size: Bytes of all fields of a request.
    """

    __slots__ = ("_buffer", "_max_header_size", "_scanned")

    def __init__(self, max_header_size: int) -> None:
        self._buffer = b""
        self._scanned = 0  # bytes in which no end of a head was found
        self._max_header_size = max_header_size

    def __len__(self) -> int:
        """Bytes held."""
        return len(self._buffer)

    def append(self, data: bytes) -> None:
        """Add what was read."""
        self._buffer = self._buffer + data if self._buffer else data

    def put_back(self, data: bytes) -> None:
        """Add what came after a body, in front."""
        self._buffer, self._scanned = data + self._buffer, 0

    def take_all(self) -> bytes:
        """Everything that is held."""
        taken, self._buffer, self._scanned = self._buffer, b"", 0
        return taken

    def take_head(self) -> bytes | None:
        """The next head with its empty line; ``None`` while it is not whole.

        Raises:
            HeadersTooLarge: It is over the limit.
            UriTooLong: Its request line is.
            BadRequest: It cannot become a head any more.
        """
        buffer = self._buffer
        if not buffer:
            return None
        if buffer[:2] == b"\r\n":
            # RFC 9112 section 2.2: at least one empty line before a request is to be ignored.
            # All are, so that it makes no difference in which pieces they come.
            buffer = self._buffer = _EMPTY_LINES.sub(b"", buffer, 1)
            self._scanned = 0
        at = buffer.find(_END, max(0, self._scanned - len(_END) + 1))
        end = at + len(_END) if at >= 0 else len(buffer)
        self._check_size(buffer, end)
        if at < 0:
            if not can_become_a_head(buffer):
                raise BadRequest("a line that does not end in CRLF")
            self._scanned = len(buffer)
            return None
        self._buffer, self._scanned = buffer[end:], 0
        return buffer[:end]

    def _check_size(self, buffer: bytes, end: int) -> None:
        line = buffer.find(b"\r\n", 0, MAX_REQUEST_LINE)
        if line < 0:
            if len(buffer) >= MAX_REQUEST_LINE:
                raise UriTooLong
        elif end - line - len(_END) > self._max_header_size:
            raise HeadersTooLarge
