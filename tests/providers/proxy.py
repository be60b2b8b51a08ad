"""An egress proxy on loopback that keeps every byte it gets."""

import socket
import socketserver
import threading
from contextlib import contextmanager

from tests.providers.agents.island import relay
from tests.providers.upstream import HOST

WILLING = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy:
    """What came to it.

    Attributes:
        port: Where it listens, on loopback.
        received: Every byte that a gateway sent, the tunnels' included.
        asked: Host and port of every CONNECT.
    """

    def __init__(self, port):
        self.port = port
        self.received = bytearray()
        self.asked = []

    def serve(self, client):
        """Tunnel one connection to whatever it asks for."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.received += head
        place = head.split(b" ")[1].decode()
        self.asked.append(place)
        with socket.create_connection((HOST, int(place.rpartition(":")[2]))) as far:
            client.sendall(WILLING)
            back = threading.Thread(target=relay, args=(far, client))
            back.start()
            relay(client, far, self.received)
            back.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def proxying():
    """Run a proxy while the block runs."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            proxy.serve(self.request)

    with _Server((HOST, 0), Handler) as server:
        proxy = Proxy(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
