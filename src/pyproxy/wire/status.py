"""Status lines that the gateway writes itself."""

from http import HTTPStatus
from typing import Final

_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def status_line(status: int, reason: bytes | None = None) -> bytes:
    """A status line with its CRLF.

    Args:
        status: 100 to 599.
        reason: The upstream's reason phrase; ``None`` for the registered one.
    """
    if reason is None:
        return _LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)
