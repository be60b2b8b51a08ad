"""The WebSocket sub-protocols that a client offers, without the credentials among them."""

import re
from typing import Final

from pyproxy.wire.head import RequestHead

SUB_PROTOCOLS: Final = b"sec-websocket-protocol"
# Browsers cannot set fields on a WebSocket, so that keys travel in the one that they can.
_OURS: Final = re.compile(rb"openai-insecure-api-key\.")
# There are others, "base64url.bearer.authorization.k8s.io.K" say.
_ANY: Final = re.compile(rb".*?(?:api-?key|bearer|authorization)", re.IGNORECASE)


def sub_protocols_line(head: RequestHead, *, all_credentials: bool = False) -> bytes:
    """The field line of what a client offers beside credentials; empty if that is nothing.

    Args:
        head: Of a request.
        all_credentials: Leave out all that might be one, not only what is made for them here.
    """
    is_credential = _ANY.match if all_credentials else _OURS.match
    offered = [
        element.strip()
        for name, line in head.lines
        if name == SUB_PROTOCOLS
        for element in line.partition(b":")[2].split(b",")
    ]
    kept = [each for each in offered if each and not is_credential(each)]
    return b"Sec-WebSocket-Protocol: %b\r\n" % b", ".join(kept) if kept else b""
