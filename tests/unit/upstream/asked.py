"""Who is asked whether it is well, and who hears of it."""

import asyncio
from contextlib import suppress

from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.health import CheckRules
from tests.unit.upstream.reached import PATIENCE_S
from tests.waiting import turns

HOST = "127.0.0.1"
WELL = b"HTTP/1.1 204 No Content\r\n\r\n"
UNWELL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
REQUEST = (b"GET /health HTTP/1.1\r\n", b"X-Key: secret\r\nConnection: close\r\n\r\n")


def rules(**changes):
    values = {"interval_s": 0.01, "timeout_s": PATIENCE_S, "unhealthy_after": 3, "healthy_after": 2}
    return CheckRules(REQUEST, **(values | changes))


class Server:
    """Answers every check with what it is told to say next."""

    def __init__(self, answer=WELL):
        self.answer = answer
        self.asked = []
        self.ended = asyncio.Event()
        self._news = asyncio.Event()
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.endpoint = Endpoint(Address(HOST, self.port), asyncio.get_running_loop())
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await turns(1)

    async def _serve(self, reader, writer):
        self._writers.append(writer)
        with suppress(asyncio.IncompleteReadError, OSError):
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            self._news.set()
            writer.write(self.answer)
            await reader.read()
        self.ended.set()
        writer.close()

    async def asked_again(self, count=1):
        """Wait for so many more checks."""
        wanted = len(self.asked) + count
        async with asyncio.timeout(PATIENCE_S):
            while len(self.asked) < wanted:
                self._news.clear()
                await self._news.wait()


class Told:
    """Keeps what is told, and wakes who waits for it."""

    def __init__(self):
        self.news = []
        self._more = asyncio.Event()

    def __call__(self, event, _upstream, reason=""):
        self.news.append((event.removeprefix("upstream."), reason))
        self._more.set()

    async def next(self, count):
        async with asyncio.timeout(PATIENCE_S):
            while len(self.news) < count:
                self._more.clear()
                await self._more.wait()
        return self.news
