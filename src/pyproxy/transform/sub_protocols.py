"""The WebSocket sub-protocols that a client offers, without the credentials among them."""

from typing import Final

from pyproxy.wire.head import RequestHead

SUB_PROTOCOLS: Final = b"sec-websocket-protocol"
# Browsers cannot set fields on a WebSocket, so that keys travel in the one that they can.
_CREDENTIAL: Final = b"openai-insecure-api-key."


def sub_protocols_line(head: RequestHead) -> bytes:
    """The field line of what a client offers beside credentials; empty if that is nothing."""
    offered = [
        element.strip()
        for name, line in head.lines
        if name == SUB_PROTOCOLS
        for element in line.partition(b":")[2].split(b",")
    ]
    kept = [each for each in offered if each and not each.startswith(_CREDENTIAL)]
    return b"Sec-WebSocket-Protocol: %b\r\n" % b", ".join(kept) if kept else b""
