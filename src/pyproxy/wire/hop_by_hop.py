"""Fields that end at the next hop (RFC 9110 section 7.6.1)."""

from typing import Final

from pyproxy.wire.forwarded import CLAIM_PREFIXES, CLAIMS
from pyproxy.wire.framing import connection_names
from pyproxy.wire.head import RequestHead, ResponseHead

# The connection's own business. Content-Length and Transfer-Encoding are among them
# because framing is made anew on each side; of Proxy-* the one who is asked by this client
# is the only proxy meant (RFC 9110 section 11.7).
HOP_BY_HOP: Final = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade "
    b"content-length http2-settings proxy-authenticate proxy-authorization "
    b"proxy-authentication-info".split()
)

# What Connection may not have removed: describing or protecting fields whose loss
# would change the message's meaning, or who it seems to come from (CVE-2022-31813).
_NOT_TO_BE_NOMINATED: Final = CLAIMS | frozenset(
    b"authorization cache-control content-encoding content-type cookie date host "
    b"set-cookie via x-api-key x-request-id".split()
)
_NO_NAMES: Final[frozenset[bytes]] = frozenset()


def nominated(head: RequestHead | ResponseHead) -> frozenset[bytes]:
    """Names that ``Connection`` asks to have removed and may."""
    if b"connection" not in head.index:
        return _NO_NAMES
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


def kept_request_lines(
    head: RequestHead, dropped: frozenset[bytes], *, is_trusted: bool = False
) -> list[bytes]:
    """Field lines of a request that travel on, as they were sent.

    Names with an underscore go too: many servers read ``X_Real_IP`` and
    ``X-Real-IP`` as one variable, so it would slip past every rule here.

    Args:
        head: Whose lines.
        dropped: As of ``kept_lines``.
        is_trusted: The sender may say who the client is; else every name that begins
            like such a claim (``CLAIM_PREFIXES``) goes.
    """
    named = nominated(head)
    slippery = _slippery(head, is_trusted=is_trusted)
    if named or slippery:
        dropped = dropped | named | slippery
    return [line for name, line in head.lines if name not in dropped]


def _slippery(head: RequestHead, *, is_trusted: bool) -> frozenset[bytes]:
    """Names that no list of names would hold."""
    names = b"\n".join(head.index)
    prefixes = () if is_trusted else CLAIM_PREFIXES
    suspicious = [mark for mark in (b"_", *prefixes) if names.find(mark) >= 0]
    if not suspicious:
        return _NO_NAMES
    return frozenset(name for name in head.index if b"_" in name or name.startswith(prefixes))


def passes_trailers(head: RequestHead) -> bool:
    """Whether the client says that it takes trailers (RFC 9110 section 10.1.4)."""
    codings = head.index.get(b"te")
    if codings is None:
        return False
    return b"trailers" in [coding.strip() for coding in codings.lower().split(b",")]
