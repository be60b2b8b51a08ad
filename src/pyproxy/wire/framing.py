"""Where a message's body ends (RFC 9112 section 6), refusing every second reading."""

import re
from typing import Final

from pyproxy.wire.head import RequestHead, ResponseHead
from pyproxy.wire.syntax import Malformed

# Instead of a length: the body is chunked, or ends with the connection.
CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2

# 18 digits are an exabyte, and fit into 64 bits of any parser behind us.
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")

# RFC 9112 section 6.3; every status below is an interim answer's.
_BODILESS: Final = frozenset({204, 304})
_FIRST_FINAL: Final = 200


def request_length(head: RequestHead) -> int:
    """Length of a request's body in bytes, or ``CHUNKED``.

    Stricter than RFC 9112 section 6.3, which lets a server prefer
    Transfer-Encoding when both are there: a message with both is a bug or
    smuggling, and we are the last who can tell.

    Raises:
        Malformed: Both framings, a repeated or non-digit length, a coding other
            than one ``chunked``, or any coding in HTTP/1.0 (RFC 9112 section 6.1).
    """
    index = head.index
    coding = index.get(b"transfer-encoding")
    if coding is not None:
        return _chunked(head, coding)
    text = index.get(b"content-length")
    if text is None:
        return 0
    if b"content-length" in head.repeated:
        raise Malformed("repeated Content-Length")
    return _length(text)


def _chunked(head: RequestHead | ResponseHead, coding: bytes) -> int:
    if b"content-length" in head.index:
        raise Malformed("both Transfer-Encoding and Content-Length")
    if b"transfer-encoding" in head.repeated or coding.lower() != b"chunked":
        raise Malformed("a Transfer-Encoding other than one 'chunked'")
    if head.minor == 0:
        raise Malformed("Transfer-Encoding in HTTP/1.0")
    return CHUNKED


def _length(text: bytes) -> int:
    if _LENGTH.fullmatch(text) is None:
        raise Malformed("Content-Length is not a number")
    return int(text)


def response_length(head: ResponseHead, method: bytes) -> int:
    """Length of a response's body in bytes, ``CHUNKED`` or ``UNTIL_CLOSE``.

    Args:
        head: A final response's head, or a 1xx.
        method: Of the request that it answers; ``HEAD`` has no body.

    Raises:
        Malformed: The framing is contradictory; unlike RFC 9112 section 6.3 two
            equal lengths and a length beside a coding are refused too.
    """
    status = head.status
    if method == b"HEAD" or status in _BODILESS or status < _FIRST_FINAL:
        return 0
    coding = head.index.get(b"transfer-encoding")
    if coding is not None:
        return _chunked(head, coding)
    text = head.index.get(b"content-length")
    if text is None:
        return UNTIL_CLOSE
    if b"content-length" in head.repeated:
        raise Malformed("repeated Content-Length")
    return _length(text)


def wants_close(head: RequestHead | ResponseHead) -> bool:
    """Whether the sender ends the connection after this exchange (RFC 9112 section 9.3)."""
    tokens = head.index.get(b"connection")
    if tokens is None:
        return head.minor == 0
    named = connection_names(head)
    if b"close" in named:
        return True
    return head.minor == 0 and b"keep-alive" not in named


def connection_names(head: RequestHead | ResponseHead) -> frozenset[bytes]:
    """Lower-case names that ``Connection`` lists, over all its lines (RFC 9110 section 7.6.1)."""
    if b"connection" not in head.repeated:
        lists = [head.index[b"connection"]] if b"connection" in head.index else []
    else:
        lists = [line.partition(b":")[2] for name, line in head.lines if name == b"connection"]
    return frozenset(
        token for text in lists for part in text.split(b",") if (token := part.strip().lower())
    )
