"""Clients of every kind that ask without end, and some that vanish at any moment."""

import asyncio
import contextlib
import itertools
import random
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.endurance.amplification import UPGRADE
from tests.endurance.origin import EVENT, HOST
from tests.process.served import KEY

PATIENCE_S = 20.0
UPLOAD, DOWNLOAD, PIECE = 400_000, 1_000_000, 50_000
EVENTS, EVENT_MS = 8, 40
FRAMES, ROW = 10, 12
_RESET = struct.pack("ii", 1, 0)
_PING = b"\x81\x82\0\0\0\0hi"
_BYE = b"\x88\x82\0\0\0\0\x03\xe8"
_ECHO = b"\x81\x02ok"


@dataclass(slots=True)
class Asked:
    """One request of a client that behaves.

    Attributes:
        name: Its ``X-Request-Id``.
        kind: Of client.
        route: It went to.
        opened: When its connection was opened, ``time.time``.
        began: When it was sent.
        port: The client's, which tells whose connection it was.
        ended: When its fate was known.
        status: Of the answer; 0: none.
        error: What was wrong; empty: nothing.
    """

    name: str
    kind: str
    route: str
    opened: float
    began: float
    port: int = 0
    ended: float = 0.0
    status: int = 0
    error: str = ""


@dataclass
class Tally:
    """What became of all requests.

    Of those that were answered as they should be no objects are kept: of half a million the
    collector of garbage would take a second at a time, in which no client does anything.

    Attributes:
        open: Under way.
        failed: With an error.
        answered: (name, status, when its fate was known) of every answer.
        kinds: How many of each kind are over.
        vanished: How many clients left at a random moment.
        unmet: Connections that could not be made.
    """

    open: dict[str, Asked] = field(default_factory=dict)
    failed: list[Asked] = field(default_factory=list)
    answered: list[tuple[str, int, float]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    vanished: int = 0
    unmet: list[Asked] = field(default_factory=list)
    count: itertools.count = field(default_factory=itertools.count)

    def new(self, client, route):
        """A request that is about to be sent."""
        name = f"good-{next(self.count)}"
        one = Asked(name, client.kind, route, client.opened, time.time(), client.port)
        self.open[one.name] = one
        return one

    def over(self, one):
        """Take note of a request's end."""
        one.ended = time.time()
        del self.open[one.name]
        self.kinds[one.kind] += 1
        if one.status:
            self.answered.append((one.name, one.status, one.ended))
        if one.error:
            self.failed.append(one)

    def drop(self, one):
        """Forget a request that was not taken, as the answer before it said."""
        del self.open[one.name]


class Client:
    """A connection that asks."""

    def __init__(self, load, kind):
        self.load, self.kind = load, kind

    async def __aenter__(self):
        self.opened, self.port = time.time(), 0
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._connect()
        except (OSError, TimeoutError) as exc:
            one = Asked("", self.kind, "", self.opened, self.opened, self.port, time.time())
            one.error = repr(exc)
            self.load.tally.unmet.append(one)
            raise
        return self

    async def _connect(self):
        plain = socket.socket()
        plain.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(plain, (HOST, self.load.port))
        except BaseException:
            plain.close()
            raise
        self.port = plain.getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection(
            sock=plain, ssl=self.load.trust, server_hostname="localhost"
        )

    async def __aexit__(self, *_):
        self.writer.transport.abort()

    def text(self, method, path, name, *lines):
        fields = ["Host: localhost", f"Authorization: Bearer {self.load.credential()}"]
        return "\r\n".join(
            [f"{method} {path} HTTP/1.1", *fields, f"X-Request-Id: {name}", *lines, "", ""]
        ).encode()

    @contextlib.asynccontextmanager
    async def asking(self, route):
        """Keep what becomes of a request."""
        one = self.load.tally.new(self, route)
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield one
            if one.status not in {200, 101}:
                one.error = f"status {one.status}"
        except (OSError, EOFError, AssertionError, TimeoutError) as exc:
            one.error = one.error or repr(exc)
            raise ConnectionError from exc
        finally:
            self.load.tally.over(one)

    async def head(self, one):
        text = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        one.status = int(text.split(b" ", 2)[1])
        self.is_last = b"\r\nconnection: close" in text
        return text

    async def answer(self, one):
        """An answer's body."""
        text = await self.head(one)
        if b"content-length: " in text:
            length = int(text.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return await self.reader.readexactly(length)
        body = b""
        while size := int((await self.reader.readuntil(b"\r\n")), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return body


class Load:
    """All clients.

    Args:
        port: Of the gateway.
        trust: What they believe.
        tokens: JSON Web Tokens to use beside the key.
        seed: Decides when who vanishes.
    """

    def __init__(self, port, trust, tokens, seed):
        self.port, self.trust, self.tally = port, trust, Tally()
        self._credentials = itertools.cycle([KEY, *tokens])
        self.random = random.Random(seed)  # noqa: S311 - it is to be repeated
        self._is_over = False

    def credential(self):
        return next(self._credentials)

    async def run(self, seconds):
        """Ask for so long; then every client finishes what it has begun."""
        kinds = {
            self.kept: 6, self.fresh: 3, self.uploading: 2, self.downloading: 2,
            self.listening: 8, self.talking: 3, self.pipelining: 2, self.vanishing: 3,
        }  # fmt: skip
        self._is_over = False
        async with asyncio.TaskGroup() as group:
            for kind, count in kinds.items():
                for i in range(count):
                    group.create_task(self._again(kind, "steady" if i % 2 == 0 else "shaky"))
            await asyncio.sleep(seconds)
            self._is_over = True

    async def _again(self, kind, route):
        while not self._is_over:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await kind(route)
            await asyncio.sleep(0.005)

    # --- Those that behave

    async def kept(self, route):
        """Many requests over one connection."""
        async with Client(self, "kept") as client:
            client.is_last = False
            while not self._is_over and not client.is_last:
                await self._small(client, route)
                await asyncio.sleep(0.002)

    async def fresh(self, route):
        """One request."""
        async with Client(self, "fresh") as client:
            await self._small(client, route)

    async def _small(self, client, route):
        async with client.asking(route) as one:
            client.writer.write(client.text("GET", f"/{route}/small", one.name))
            await client.answer(one)

    async def uploading(self, route):
        """A body, in chunks or of known length, in pieces."""
        is_chunked = self.random.random() < 0.5
        line = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {UPLOAD}"
        async with Client(self, "uploading") as client, client.asking(route) as one:
            client.writer.write(client.text("POST", f"/{route}/count", one.name, line))
            with contextlib.suppress(OSError):  # an early answer is one
                for _ in range(0, UPLOAD, PIECE):
                    frame = (b"%x\r\n" % PIECE, b"\r\n") if is_chunked else (b"", b"")
                    client.writer.write(bytes(PIECE).join(frame))
                    await client.writer.drain()
                if is_chunked:
                    client.writer.write(b"0\r\n\r\n")
            counted = await client.answer(one)
            assert one.status != 200 or counted == b"%d" % UPLOAD

    async def downloading(self, route):
        """Many bytes."""
        async with Client(self, "downloading") as client, client.asking(route) as one:
            client.writer.write(client.text("GET", f"/{route}/bytes/{DOWNLOAD}", one.name))
            body = await client.answer(one)
            assert one.status != 200 or len(body) == DOWNLOAD

    async def listening(self, route):
        """An event stream."""
        async with Client(self, "listening") as client, client.asking(route) as one:
            path = f"/{route}/sse/{EVENTS}/{EVENT_MS}"
            client.writer.write(client.text("GET", path, one.name))
            body = await client.answer(one)
            assert one.status != 200 or body == EVENT * EVENTS

    async def talking(self, route):
        """A WebSocket, ended in order; a gateway that leaves may say 1001 instead."""
        async with Client(self, "talking") as client, client.asking(route) as one:
            client.writer.write(client.text("GET", f"/{route}/talk", one.name, *UPGRADE))
            await client.head(one)
            for _ in range(FRAMES if one.status == 101 else 0):
                client.writer.write(_PING)
                if (frame := await client.reader.readexactly(4)) != _ECHO:
                    assert frame == b"\x88\x02\x03\xe9"
                    return
                await asyncio.sleep(0.01)
            if one.status == 101:
                client.writer.write(_BYE)
                assert (await client.reader.readexactly(4))[:2] == b"\x88\x02"

    async def pipelining(self, route):
        """Many requests in one write; those behind an answer that is the last are not lost."""
        async with Client(self, "pipelining") as client:
            waiting = [self.tally.new(client, route) for _ in range(ROW)]
            texts = [client.text("GET", f"/{route}/small", one.name) for one in waiting]
            client.writer.write(b"".join(texts))
            client.is_last = False
            for one in list(waiting):
                if client.is_last:
                    self.tally.drop(one)  # RFC 9112 section 9.6: to be asked again
                    continue
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await client.answer(one)
                    if one.status != 200:
                        one.error = f"status {one.status}"
                except (OSError, EOFError, TimeoutError) as exc:
                    one.error = repr(exc)
                self.tally.over(one)

    # --- Those that do not

    async def vanishing(self, route):
        """Leave at a random moment in one of several ways."""
        self.tally.vanished += 1
        name = f"gone-{self.tally.vanished}"
        if self.random.random() < 0.15:
            _, writer = await asyncio.open_connection(HOST, self.port)
            writer.write(b"\x16\x03\x01\x02\x00\x01"[: self.random.randrange(7)])
        else:
            client = Client(self, "vanishing")
            await client.__aenter__()
            writer = client.writer
            whole = self.random.choice([
                client.text("GET", f"/{route}/small", name),
                client.text("GET", f"/{route}/hold", name),
                client.text("GET", f"/{route}/bytes/100000000", name),
                client.text("GET", f"/{route}/sse/1000/5", name),
                client.text("GET", f"/{route}/talk", name, *UPGRADE) + _PING,
                client.text("POST", f"/{route}/count", name, "Content-Length: 9999") + bytes(5000),
                client.text("POST", f"/{route}/deaf/400", name, "Content-Length: 9999999")
                + bytes(9_000_000),
                client.text("POST", f"/{route}/count", name, "Transfer-Encoding: chunked")
                + b"5\r\nhello\r\n",
            ])  # fmt: skip
            cut = self.random.randrange(len(whole)) if self.random.random() < 0.3 else len(whole)
            writer.write(whole[:cut])
        await asyncio.sleep(self.random.random() * 0.2)
        if self.random.random() < 0.5:
            if not writer.transport.is_closing():
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        else:
            writer.close()
            async with asyncio.timeout(1):
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        writer.transport.abort()
