"""Clients that ask without end, while something changes under them."""

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from tests.process.served import KEY, PATIENCE_S

GET = "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + KEY + "\r\n\r\n"


@dataclass
class Counts:
    """What came of the requests.

    Attributes:
        answered: How many were answered 200.
        failed: Why the others were not.
    """

    answered: int = 0
    failed: list[str] = field(default_factory=list)


class Crowd:
    """Some clients that keep their connection, and some that make a new one each time.

    A kept connection that is closed without a word before it fails too: the request
    that was on its way could have been one that must not be sent twice.
    """

    def __init__(self, port, trust=None, path="/", kept=3, fresh=3):
        self.counts = Counts()
        self.port, self.path = port, path
        self._trust = trust
        self._sizes = kept, fresh
        self._is_over = False
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    async def _run(self):
        kept, fresh = self._sizes
        await asyncio.gather(
            *(self._keep() for _ in range(kept)), *(self._come_and_go() for _ in range(fresh))
        )

    async def _keep(self):
        while not self._is_over:
            await self._visit(keeps=True)

    async def _come_and_go(self):
        while not self._is_over:
            await self._visit(keeps=False)
            await asyncio.sleep(0.005)

    async def _visit(self, *, keeps):
        """Connect, and ask once, or until the connection is closed."""
        try:
            reader, writer = await self._connect()
            try:
                while True:
                    may_go_on = await self._ask(reader, writer)
                    if not (may_go_on and keeps) or self._is_over:
                        break
                    await asyncio.sleep(0.002)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError) as exc:
            self.counts.failed.append(repr(exc))

    async def _connect(self):
        name = "localhost" if self._trust else None
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self._trust, server_hostname=name
        )

    async def _ask(self, reader, writer):
        """One request; whether another may follow on the connection."""
        writer.write(GET.format(path=self.path).encode())
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        if head.startswith(b"http/1.1 200 "):
            self.counts.answered += 1
        else:
            self.counts.failed.append(head.partition(b"\r\n")[0].decode())
        return b"connection: close" not in head


def wait_until(is_so):
    """Wait for what another process does and tells nobody."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
