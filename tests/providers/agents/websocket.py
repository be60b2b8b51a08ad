"""The server's end of a WebSocket (RFC 6455), as much as a played upstream needs."""

import base64
import hashlib
import json

from tests.providers.agents.wire import Request, head

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE = 0x1, 0x8
FINAL = 0x80


def accepted(request: Request, **fields: str) -> bytes:
    """The answer that makes a WebSocket of a connection."""
    digest = hashlib.sha1(request.field("sec-websocket-key").encode() + GUID).digest()  # noqa: S324 - what RFC 6455 asks for
    accept = base64.b64encode(digest).decode()
    upgrade = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": accept}
    return head(101, **upgrade, **fields)


def told(event: dict[str, object]) -> bytes:
    """A frame with an event's text."""
    return _frame(TEXT, json.dumps(event).encode())


def farewell() -> bytes:
    """A Close that says that all is well."""
    return _frame(CLOSE, (1000).to_bytes(2, "big"))


def _frame(opcode: int, payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes([FINAL | opcode, len(payload)]) + payload
    return bytes([FINAL | opcode, 126]) + len(payload).to_bytes(2, "big") + payload


def messages(stream):
    """Each text that the client sends, until it closes or leaves."""
    text = b""
    while first := stream.read(2):
        length = first[1] & 0x7F
        if length > 125:
            length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
        mask = stream.read(4)
        payload = _unmasked(stream.read(length), mask)
        # Masked, nobody finds a word in it (RFC 6455 section 5.3).
        stream.received += payload
        if first[0] & 0xF == CLOSE:
            return
        if first[0] & 0xF <= TEXT:
            text += payload
            if first[0] & FINAL:
                yield json.loads(text)
                text = b""


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    pad = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(
        len(payload), "big"
    )
