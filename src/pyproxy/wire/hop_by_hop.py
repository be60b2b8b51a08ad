"""Fields that end at the next hop (RFC 9110 section 7.6.1)."""

from typing import Final

from pyproxy.wire.framing import connection_names
from pyproxy.wire.head import RequestHead, ResponseHead

# The connection's own business. Content-Length and Transfer-Encoding are among them
# because framing is made anew on each side.
HOP_BY_HOP: Final = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade "
    b"content-length http2-settings".split()
)

# What Connection may not have removed: describing or protecting fields whose loss
# would change the message's meaning, or who it seems to come from (CVE-2022-31813).
_NOT_TO_BE_NOMINATED: Final = frozenset(
    b"authorization cache-control content-encoding content-type cookie date forwarded host "
    b"set-cookie via x-api-key x-forwarded-for x-forwarded-host x-forwarded-proto x-real-ip "
    b"x-request-id".split()
)


def nominated(head: RequestHead | ResponseHead) -> frozenset[bytes]:
    """Names that ``Connection`` asks to have removed and may."""
    if b"connection" not in head.index:
        return frozenset()
    return connection_names(head) - _NOT_TO_BE_NOMINATED


def kept_lines(head: ResponseHead, dropped: frozenset[bytes]) -> list[bytes]:
    """Field lines of an answer that travel on, as they were sent.

    Args:
        head: Whose lines.
        dropped: Lower-case names to leave out, the hop-by-hop ones among them.
    """
    named = nominated(head)
    if named:
        dropped = dropped | named
    return [line for name, line in head.lines if name not in dropped]


def kept_request_lines(head: RequestHead, dropped: frozenset[bytes]) -> list[bytes]:
    """Field lines of a request that travel on, as they were sent.

    Names with an underscore go too: many servers read ``X_Real_IP`` and
    ``X-Real-IP`` as one variable, so it would slip past every rule here.

    Args:
        head: Whose lines.
        dropped: As of ``kept_lines``.
    """
    named = nominated(head)
    if named:
        dropped = dropped | named
    return [line for name, line in head.lines if name not in dropped and b"_" not in name]


def passes_trailers(head: RequestHead) -> bool:
    """Whether the client says that it takes trailers (RFC 9110 section 10.1.4)."""
    codings = head.index.get(b"te")
    if codings is None:
        return False
    return b"trailers" in [coding.strip() for coding in codings.lower().split(b",")]
