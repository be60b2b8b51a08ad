"""A change of protocol: what a request asks for, and what an answer grants (RFC 9110 §7.8)."""

import re
from typing import Final

from pyproxy.wire.framing import connection_names
from pyproxy.wire.head import RequestHead, ResponseHead
from pyproxy.wire.syntax import TOKEN_CHARS

# HTTP within the connection would be requests that nobody here sees (h2c smuggling); RFC 9113
# section 3.1 took it back. TLS within it (RFC 2817) hides them as well. So do their drafts,
# h2c-14 and spdy/3.1, and whatever else begins so.
_NEVER: Final = (b"h2", b"http", b"tls", b"spdy")
_PROTOCOL: Final = re.compile(rb"([%b]++)(?:/[%b]++)?" % (TOKEN_CHARS, TOKEN_CHARS))
_UPGRADE: Final = b"upgrade"

Protocols = tuple[bytes, ...]


def protocols_asked(head: RequestHead) -> Protocols:
    """Protocols that a request asks to change to, as sent; none: it is an ordinary request.

    Whether it has a body is not looked at. One protocol that never passes makes the whole
    request an ordinary one: a server that takes the others would be the same that takes it.
    """
    if _UPGRADE not in head.index or head.minor == 0 or _UPGRADE not in connection_names(head):
        return ()
    asked = _listed(head)
    for protocol in asked:
        found = _PROTOCOL.fullmatch(protocol)
        if found is None or found[1].lower().startswith(_NEVER):
            return ()
    return asked


def protocols_granted(head: ResponseHead, asked: Protocols) -> Protocols:
    """Protocols that an upstream changes to, as it sent them; none: not one that was asked for.

    Args:
        head: Of a 101.
        asked: As of ``protocols_asked``.
    """
    if _UPGRADE not in head.index or head.minor == 0 or _UPGRADE not in connection_names(head):
        return ()
    granted = _listed(head)
    known = {protocol.lower() for protocol in asked}
    return granted if all(protocol.lower() in known for protocol in granted) else ()


def upgrade_lines(protocols: Protocols) -> bytes:
    """Both fields, for a request or its 101."""
    return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % b", ".join(protocols)


def _listed(head: RequestHead | ResponseHead) -> Protocols:
    """The elements of ``Upgrade``, over all its lines."""
    if _UPGRADE not in head.repeated:
        lists = [head.index[_UPGRADE]]
    else:
        lists = [line.partition(b":")[2] for name, line in head.lines if name == _UPGRADE]
    elements = [part.strip() for text in lists for part in text.split(b",")]
    return tuple(element for element in elements if element)
