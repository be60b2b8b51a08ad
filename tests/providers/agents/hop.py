"""A hop in front of the gateway that changes nothing, and keeps what an agent sent and got."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.providers.agents.island import relay
from tests.providers.agents.wire import Request, requests_in


class Hop:
    """What passed.

    Attributes:
        path: The Unix socket where it listens.
        printed: What agents that went this way wrote to their outputs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.printed = b""
        self._up: list[bytearray] = []
        self._down: list[bytearray] = []

    def pair(self) -> tuple[bytearray, bytearray]:
        """Where a new connection's bytes are kept: those going up, those coming down."""
        self._up.append(bytearray())
        self._down.append(bytearray())
        return self._up[-1], self._down[-1]

    @property
    def requests(self) -> list[Request]:
        """What the agent asked, a connection after the other."""
        return [request for sent in self._up for request in requests_in(bytes(sent))]

    @property
    def sent(self) -> bytes:
        """Every byte that the agent sent."""
        return b"".join(bytes(sent) for sent in self._up)

    @property
    def answered(self) -> bytes:
        """Every byte that the agent got."""
        return b"".join(bytes(got) for got in self._down)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def recording(path: Path, port: int) -> Iterator[Hop]:
    """Pass connections to a Unix socket on to a port of this machine while the block runs."""
    hop = Hop(path)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            up, down = hop.pair()
            with socket.create_connection(("127.0.0.1", port)) as gateway:
                asking = threading.Thread(target=relay, args=(self.request, gateway, up))
                asking.start()
                relay(gateway, self.request, down)
                asking.join()

    with _Server(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield hop
        finally:
            server.shutdown()
            thread.join()
