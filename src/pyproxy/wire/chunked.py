"""The chunked transfer coding, read strictly and piece by piece (RFC 9112 section 7.1)."""

import re
import sys
from typing import Final

from pyproxy.wire.forwarded import CLAIMS
from pyproxy.wire.head import FieldLine, can_become_a_head, read_fields
from pyproxy.wire.syntax import TOKEN_CHARS, VALUE_CHARS, Malformed

# An extension is legal, means nothing to anyone, and is dropped; white space in it is refused.
_TOKEN: Final = rb"[" + TOKEN_CHARS + rb"]++"
_QUOTED: Final = rb'"(?:[\t\x20!\x23-\x5b\x5d-\x7e\x80-\xff]|\\[' + VALUE_CHARS + rb'])*+"'
_EXTENSIONS: Final = rb"(?:;" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?+)*+"
# 15 digits fit into 60 bits.
_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(" + _EXTENSIONS + rb")\r\n")
_PLAIN_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_SIZE_LINE_START: Final = re.compile(rb"[0-9A-Fa-f]{1,15}(?:;[" + VALUE_CHARS + rb"]*)?\r?")

MAX_SIZE_LINE: Final = 1024
# Over a whole message: 2,000 chunks with long extensions are an attack (CVE-2023-39326).
MAX_EXTENSION_BYTES: Final = 16 * 1024
MAX_TRAILER_BYTES: Final = 16 * 1024

# RFC 9110 section 6.5.1: what frames, routes, authenticates or describes a message
# must not arrive after it, where some recipients would merge it into the head.
_NOT_IN_TRAILERS: Final = CLAIMS | frozenset(
    b"age authorization cache-control connection content-encoding content-length content-range "
    b"content-type cookie date expect expires host http2-settings if-match if-modified-since "
    b"if-none-match if-range if-unmodified-since keep-alive location max-forwards pragma "
    b"proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection range "
    b"retry-after server set-cookie te trailer transfer-encoding upgrade vary via warning "
    b"www-authenticate api-key x-api-key x-auth-token x-goog-api-key x-request-id "
    b"xi-api-key".split()
)


class ChunkedBody:
    """Decodes one chunked body from reads of any size.

    Attributes:
        is_complete: The last chunk and the trailer section have been read.
        trailers: Trailer fields fit to be passed on, once complete.
        rest: Bytes that follow the body, once complete.
        has_more: ``feed`` stopped at ``most`` chunks; call it again, if with nothing new.
    """

    __slots__ = (
        "_buffer",
        "_extensions",
        "_in_trailers",
        "_left",
        "has_more",
        "is_complete",
        "rest",
        "trailers",
    )

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0  # of the current chunk, its CRLF included; 0: a size line is next
        self._extensions = 0
        self._in_trailers = False
        self.is_complete = self.has_more = False
        self.trailers: list[FieldLine] = []
        self.rest = b""

    def feed(self, data: bytes, most: int = sys.maxsize) -> bytes:
        """Chunk data contained in ``data``, framing removed.

        Args:
            data: The next bytes.
            most: Chunks after which it stops, for whom the time counts: each takes about a
                microsecond, however small it is.

        Raises:
            Malformed: The coding is broken, or its overhead is over a bound.
        """
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        self.has_more = False
        pieces: list[bytes] = []
        at, end = 0, len(data)
        while at < end and not self._in_trailers and len(pieces) < most:
            if self._left:
                at = self._take_data(data, at, pieces)
            elif (after := self._take_size(data, at)) is None:
                self._buffer = data[at:]
                at = end
            else:
                at = after
        if self._in_trailers and not self.is_complete:
            self._take_trailers(data[at:])
        elif at < end:
            self._buffer, self.has_more = data[at:], True
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def whole(self, data: bytes) -> int:
        """Bytes of content, if ``data`` is exactly one chunk with nothing but its size; else 0.

        Event streams come so. Such a chunk need not be decoded, and may pass on as it is.
        """
        if self._left or self._buffer or self._in_trailers:
            return 0
        line = _PLAIN_SIZE_LINE.match(data)
        if line is None:
            return 0
        size = int(line[1], 16)
        is_whole = line.end() + size + 2 == len(data) and data.endswith(b"\r\n")
        return size if is_whole else 0

    def _take_data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Move past what is there of the current chunk and its CRLF."""
        left, there = self._left, len(data) - at
        if there >= left:
            stop = at + left
            if data[stop - 2 : stop] != b"\r\n":
                raise Malformed("chunk data does not end where its size says")
            if stop - 2 > at:
                pieces.append(data[at : stop - 2])
            self._left = 0
            return stop
        # The last two bytes of what is left are the CRLF; it is judged in one piece.
        stop = min(len(data), at + left - 2)
        if stop > at:
            pieces.append(data[at:stop])
            self._left = left - (stop - at)
        self._buffer = data[stop:]
        return len(data)

    def _take_size(self, data: bytes, at: int) -> int | None:
        line = _SIZE_LINE.match(data, at)
        if line is None:
            partial = data[at:]
            if len(partial) > MAX_SIZE_LINE or not _SIZE_LINE_START.fullmatch(partial):
                raise Malformed("a chunk's size line is malformed")
            return None
        if line.end() - at > MAX_SIZE_LINE:
            raise Malformed("a chunk's size line is too long")
        digits, extension = line.groups()
        if extension:
            self._extensions += len(extension)
            if self._extensions > MAX_EXTENSION_BYTES:
                raise Malformed("too many chunk extensions")
        size = int(digits, 16)
        if size:
            self._left = size + 2
        else:
            self._in_trailers = True
        return line.end()

    def _take_trailers(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):
            end = 0
        elif (found := data.find(b"\r\n\r\n")) >= 0:
            end = found + 2
        elif len(data) > MAX_TRAILER_BYTES + 1:  # more than a section and the CR behind it
            raise Malformed("the trailer section is too long")
        elif not can_become_a_head(data):
            raise Malformed("a trailer that does not end in CRLF")
        else:
            self._buffer = data
            return
        if end > MAX_TRAILER_BYTES:
            raise Malformed("the trailer section is too long")
        lines, _, _ = read_fields(data[:end])
        self.trailers = [
            pair for pair in lines if pair[0] not in _NOT_IN_TRAILERS and b"_" not in pair[0]
        ]
        self.rest = data[end + 2 :]
        self.is_complete = True


def chunk(data: bytes) -> bytes:
    """``data`` as one chunk. Never empty: that would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: list[FieldLine]) -> bytes:
    """The end of a chunked body."""
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n%b\r\n" % b"".join(line for _, line in trailers)
