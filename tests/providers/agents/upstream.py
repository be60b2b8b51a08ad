"""An upstream over TLS that a script plays, and that keeps every byte that arrived."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.providers.agents.wire import Request, read_request

HOST = "127.0.0.1"


class Kept:
    """A readable stream that notes what was read from it.

    Attributes:
        received: That; readers add what they decoded.
    """

    def __init__(self, stream):
        self._stream = stream
        self.received = bytearray()

    def readline(self):
        line = self._stream.readline()
        self.received += line
        return line

    def read(self, size):
        data = self._stream.read(size)
        self.received += data
        return data


class Connection:
    """One connection, in its script's hands.

    Attributes:
        stream: What arrives.
    """

    def __init__(self, stream, writer):
        self.stream = stream
        self._writer = writer

    def send(self, *pieces: bytes) -> None:
        """Write each piece by itself, so that a stream is one on the wire too."""
        for piece in pieces:
            self._writer.write(piece)
            self._writer.flush()


Script = Callable[[Request, Connection], None]


class Upstream:
    """What arrived at a played upstream.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        requests: All of them, in the order in which they were read.
    """

    def __init__(self, server):
        self.port: int = server.server_address[1]
        self.requests: list[Request] = []
        self._streams: list[Kept] = []

    @property
    def url(self) -> str:
        """What a route names."""
        return f"https://localhost:{self.port}"

    @property
    def received(self) -> bytes:
        """Every byte that ever arrived, of all connections."""
        return b"".join(bytes(stream.received) for stream in self._streams)

    def serve(self, script, reader, writer):
        """Answer what one connection brings, until it ends."""
        stream = Kept(reader)
        self._streams.append(stream)
        while request := read_request(stream):
            self.requests.append(request)
            script(request, Connection(stream, writer))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        """Nothing: who breaks a connection off shows in what it did not get."""


@contextmanager
def playing(script: Script, tls: ssl.SSLContext) -> Iterator[Upstream]:
    """Run an upstream while the block runs."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with (
                tls.wrap_socket(self.request, server_side=True) as connection,
                connection.makefile("rwb") as stream,
            ):
                upstream.serve(script, stream, stream)

    with _Server((HOST, 0), Handler) as server:
        upstream = Upstream(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()
