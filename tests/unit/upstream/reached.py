"""Upstreams that answer, and what an endpoint is watched by."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import pytest

from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.names import Place
from tests.waiting import turns

HOST = "127.0.0.1"
NAME = "api.example"
PATIENCE_S = 5.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


@asynccontextmanager
async def serving(host=HOST, port=0, tls=None, answer=OK):
    """A server that answers each head, as long as it is asked; gives its port."""
    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, OSError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await turns(1)


class Receiver:
    """Waits for the end of an answer."""

    def __init__(self):
        self.ended = asyncio.get_running_loop().create_future()

    def head_arrived(self, head, length):
        pass

    def body_arrived(self, data):
        pass

    def chunk_arrived(self, data, size):
        pass

    def body_ended(self, _trailers):
        self.ended.set_result(None)

    def flush(self):
        pass

    def failed(self, refusal):
        self.ended.set_exception(refusal)


async def answered(connection):
    """Take a connection through a request, to where it is idle again."""
    receiver = Receiver()
    connection.request(REQUEST, b"GET", is_chunked=False, receiver=receiver, read_timeout=9.0)
    connection.body_ended([])
    connection.flush_request()
    async with asyncio.timeout(PATIENCE_S):
        await receiver.ended


class Resolver:
    """Gives the last answer it was told, at once."""

    def __init__(self, *ips, port):
        self.port = port
        self.asked = 0
        self.moved(*ips)

    def moved(self, *ips):
        self.answer = [
            Place(socket.AF_INET6 if ":" in ip else socket.AF_INET, (ip, self.port)) for ip in ips
        ]

    async def __call__(self, _host, _port):
        self.asked += 1
        return self.answer


class Told:
    """Keeps what an endpoint tells."""

    def __init__(self):
        self.news = []

    def __call__(self, event, upstream, reason=""):
        self.news.append((event, upstream, reason))


def peer(connection):
    return connection.transport.get_extra_info("peername")[0]


async def refused(endpoint, timeout_s=PATIENCE_S):
    """Why no connection could be made."""
    with pytest.raises(UpstreamUnreachable) as caught:
        await endpoint.connect(timeout_s)
    return caught.value.detail
