"""A WebSocket as the provider holds it."""

import json
from collections import deque
from contextlib import suppress

from websockets.frames import Opcode
from websockets.server import ServerProtocol

from tests.providers.upstream import Gone

# Pings are answered by the protocol, and nobody else's business.
TOLD = {Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE}


class Conversation:
    """One WebSocket, opened by a request.

    Args:
        asked: The request; what the client says is added to its messages.
        wire: Its connection.
        sub_protocols: That may be chosen if the client offers them.
    """

    def __init__(self, asked, wire, sub_protocols=()):
        self._wire, self._messages = wire, asked.messages
        self._frames = deque()
        self._protocol = ServerProtocol(
            select_subprotocol=lambda _, offered: next(
                (each for each in sub_protocols if each in offered), None
            ),
            subprotocols=list(sub_protocols) or None,
        )
        self._protocol.receive_data(asked.head)
        (opening,) = self._protocol.events_received()
        self._protocol.send_response(self._protocol.accept(opening))
        self._flush()

    def hear(self):
        """The client's next message, as JSON.

        Raises:
            Gone: It has left.
        """
        while not self._frames:
            self._protocol.receive_data(self._wire.some())
            self._flush()
            self._frames += [
                frame for frame in self._protocol.events_received() if frame.opcode in TOLD
            ]
        frame = self._frames.popleft()
        if frame.opcode is Opcode.CLOSE:
            raise Gone
        self._messages.append(bytes(frame.data))
        # Over the wire it came masked (RFC 6455 section 5.3), where nobody finds a word in it.
        self._wire.received += frame.data
        return json.loads(frame.data)

    def say(self, *messages, is_binary=False):
        """Send each as JSON."""
        for message in messages:
            data = json.dumps(message).encode()
            (self._protocol.send_binary if is_binary else self._protocol.send_text)(data)
        self._flush()

    def end(self, code=1000, reason=""):
        """Close it, and wait for the client's farewell; then the connection is ours to end."""
        self._protocol.send_close(code, reason)
        self._flush()
        with suppress(Gone):
            while True:
                self.hear()

    def _flush(self):
        for data in self._protocol.data_to_send():
            if data:
                self._wire.send(data)
