"""A proxy that tunnels where it is told to, or answers what it is told to."""

import asyncio
from contextlib import suppress

from tests.waiting import turns

HOST = "127.0.0.1"
WILLING = b"HTTP/1.1 200 Connection established\r\n\r\n"
PATIENCE_S = 5.0


class ConnectProxy:
    """Listens on loopback while the block runs.

    Attributes:
        port: Its own.
        heads: Of every CONNECT that came.
        answer: Given to each CONNECT; a tunnel follows only where it begins with ``WILLING``.
        piecewise: The answer goes out octet by octet.
        leads_to: Port on loopback that every tunnel leads to; ``None``: the one asked for.
    """

    def __init__(self, answer=WILLING, leads_to=None):
        self.answer, self.leads_to = answer, leads_to
        self.piecewise = False
        self.heads = []
        self._writers = []
        self._tasks = set()
        self._news = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.leave()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await turns(1)

    def leave(self):
        """Give the port up, and end every tunnel."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()

    async def come_back(self):
        """Listen on the same port again."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port)

    @property
    def url(self):
        """What a configuration names."""
        return f"http://{HOST}:{self.port}"

    async def asked(self, count=1):
        """The so-manyeth head, waited for."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heads) < count:
                self._news.clear()
                await self._news.wait()
        return self.heads[count - 1]

    def _accept(self, reader, writer):
        self._writers.append(writer)
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader, writer):
        with suppress(asyncio.IncompleteReadError, OSError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            self._news.set()
            if self.answer is None:
                await reader.read()
            elif not self.answer.startswith(WILLING):
                await self._say(writer)
            else:
                port = int(head.split(b" ")[1].rpartition(b":")[2])
                far = await asyncio.open_connection(HOST, self.leads_to or port)
                self._writers.append(far[1])
                await self._say(writer)
                await asyncio.gather(_pour(reader, far[1]), _pour(far[0], writer))
        writer.close()

    async def _say(self, writer):
        pieces = [self.answer[i : i + 1] for i in range(len(self.answer))]
        for piece in pieces if self.piecewise else [self.answer]:
            writer.write(piece)
            await writer.drain()
            await turns(1)


async def _pour(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
