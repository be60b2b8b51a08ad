"""Both ends of the wire, byte for byte, and the gateway between them in this process."""

import asyncio
import hashlib
import json
import re
import socket
import ssl
import struct
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from pyproxy.assembly.listeners import group_listeners
from pyproxy.config.load import load
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.local_member import resources_for
from pyproxy.runtime.orders import Orders
from pyproxy.runtime.sockets import listen
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.worker import Worker
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.log import Log
from tests.waiting import turns

# Longer than anything here takes; whatever is waited for is expected at once.
PATIENCE_S = 5.0
HOST = "127.0.0.1"
KEY = "pyp_the-key-of-alice-2bd806c97f15ae34"
OTHER_KEY = "pyp_the-key-of-bob-0123456789abcdef"
CHANCE_LENGTH = 16
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NUMBER = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d"


class Cut(Exception):
    """The other end broke off inside a message."""


# --- Streams


class Stream:
    """One connection, seen from its other end.

    Attributes:
        received: Every byte that was read so far.
    """

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self.transport = writer.transport
        self.received = bytearray()

    async def _read(self, reading):
        try:
            async with asyncio.timeout(PATIENCE_S):
                data = await reading
        except asyncio.IncompleteReadError as exc:
            self.received += exc.partial
            raise Cut(exc.partial) from exc
        except OSError as exc:
            raise Cut(exc) from exc
        self.received += data
        return bytes(data)

    def send(self, *pieces):
        """Write without waiting for the other end."""
        self._writer.write(b"".join(pieces))

    async def sent(self):
        """Wait until the other end has taken most of what was sent."""
        async with asyncio.timeout(PATIENCE_S):
            await self.drain()

    async def drain(self):
        """Likewise, for as long as it takes."""
        await self._writer.drain()

    async def until(self, mark):
        """Everything up to and including ``mark``."""
        return await self._read(self._reader.readuntil(mark))

    async def exactly(self, count):
        """So many bytes."""
        return await self._read(self._reader.readexactly(count))

    async def head(self):
        """A message's head with its empty line."""
        return await self.until(b"\r\n\r\n")

    async def chunk(self):
        """The content of the next chunk; empty at the end of the body."""
        size = int((await self.until(b"\r\n"))[:-2].split(b";")[0], 16)
        if size == 0:
            return b""
        return (await self.exactly(size + 2))[:-2]

    async def chunked(self):
        """All chunks to come, and the trailer section."""
        content = b""
        while piece := await self.chunk():
            content += piece
        trailers = b""
        while (line := await self.until(b"\r\n")) != b"\r\n":
            trailers += line
        return content, trailers

    async def rest(self):
        """Everything until the other end closes, or breaks off."""
        rest = b""
        with suppress(Cut):
            while piece := await self._read(self._reader.read(65536)):
                rest += piece
        return rest

    async def gone(self):
        """Seconds until the other end was seen to have left."""
        started = time.monotonic()
        await self.rest()
        return time.monotonic() - started

    def close(self):
        """End the connection in order."""
        self._writer.close()

    def reset(self):
        """End it with a reset, so that what is under way is lost."""
        linger = struct.pack("ii", 1, 0)
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


# --- The upstream


class Upstream:
    """A server on loopback that does what a test says, and keeps what arrives.

    No client's key may have arrived when its block ends.

    Attributes:
        connections: All that were ever accepted.
        port: Where it listens.
    """

    def __init__(self, answer=None, tls=None):
        self.connections = []
        self._tls = tls
        self._fresh = asyncio.Queue()
        self._answer = answer
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, HOST, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for connection in self.connections:
            connection.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)
        assert KEY.encode() not in self.received
        assert OTHER_KEY.encode() not in self.received

    async def leave(self):
        """Give the port up, and end every connection."""
        self._server.close()
        for connection in self.connections:
            connection.transport.abort()
        await turns(1)

    async def come_back(self):
        """Listen on the same port again."""
        self._server = await asyncio.start_server(self._accept, HOST, self.port, ssl=self._tls)

    @property
    def url(self):
        """What a route names."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}"

    @property
    def received(self):
        """Every byte that ever arrived."""
        return b"".join(bytes(connection.received) for connection in self.connections)

    def plays(self, answer):
        """From the next connection on, give this answer to every request."""
        self._answer = answer

    async def accepted(self):
        """The next connection that was opened."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._fresh.get()

    async def asked(self):
        """The next connection, and the head of its first request."""
        connection = await self.accepted()
        return connection, await connection.head()

    def _accept(self, reader, writer):
        connection = Stream(reader, writer)
        self.connections.append(connection)
        if self._answer is None:
            self._fresh.put_nowait(connection)
            return
        task = asyncio.get_running_loop().create_task(_play(connection, self._answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _play(connection, answer):
    with suppress(Cut, TimeoutError):
        while True:
            head = Message(await connection.head())
            if head.value("transfer-encoding"):
                await connection.chunked()
            else:
                await connection.exactly(int(head.value("content-length") or 0))
            connection.send(answer)


# --- Messages


@dataclass
class Message:
    """A message as it came over the wire.

    Attributes:
        head: Start line, fields and empty line.
        body: Content, its framing removed.
        trailers: Trailer lines of a chunked body.
    """

    head: bytes
    body: bytes = b""
    trailers: bytes = b""

    @property
    def status(self):
        """Of an answer."""
        return int(self.head.split(b" ", 2)[1])

    @property
    def start(self):
        """The start line."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def lines(self):
        """Field lines in order, as they came."""
        return self.head.split(b"\r\n")[1:-2]

    def values(self, name):
        """Values of all fields of a name."""
        pairs = [line.partition(b":") for line in self.lines]
        return [v.strip().decode() for n, _, v in pairs if n.decode().lower() == name.lower()]

    def value(self, name):
        """The value of a field that occurs once; ``None`` where it is missing."""
        values = self.values(name)
        assert len(values) <= 1, f"{name} occurs {len(values)} times"
        return values[0] if values else None

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)


def request(method, path, *lines, body=b"", key=KEY, version="1.1"):
    """A request as ordinary clients send it."""
    head = [f"{method} {path} HTTP/{version}", "Host: gateway.example", *lines]
    if key:
        head.append(f"Authorization: Bearer {key}")
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


class Client(Stream):
    """A client of the gateway that sees every byte.

    Attributes:
        shown: Keys and tokens that it asked with, long enough not to be found by chance.
    """

    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        self.shown = set()

    async def answer(self, method="GET"):
        """The next answer, read to the end of its body.

        Raises:
            Cut: It broke off.
        """
        message = Message(await self.head())
        if method == "HEAD" or message.status in {204, 304} or message.status < 200:
            return message
        if message.value("transfer-encoding"):
            message.body, message.trailers = await self.chunked()
        elif (length := message.value("content-length")) is not None:
            message.body = await self.exactly(int(length))
        else:
            message.body = await self.rest()
        return message

    async def ask(self, *arguments, **named):
        """Send one request (see ``request``), and read its answer."""
        self.send(request(*arguments, **named))
        key = named.get("key", KEY) or ""
        self.shown |= {key} if len(key) > CHANCE_LENGTH else set()
        return await self.answer(arguments[0])


# --- The gateway


class Lines:
    """What the gateway writes, kept; stands where ``Journal`` stands."""

    def __init__(self):
        self.texts = []
        self._news = asyncio.Event()
        self.wall = time.time
        self.log = Log(self._put, time.time, level="debug")
        self.access = AccessLog(self._put)
        self.audit = AuditLog(self._put)

    def report(self, name, error):
        """A background task failed."""
        self.log.failure("failure", error, name)

    def _put(self, text):
        self.texts.append(text)
        self._news.set()

    def of(self, event):
        """All lines of an event so far."""
        return [line for line in map(json.loads, self.texts) if line["event"] == event]

    async def next(self, event, count=1):
        """The line of an event, waited for; with ``count``, the so-manyeth."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := self.of(event)) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


@dataclass
class Gateway:
    """A running gateway.

    Attributes:
        port: Of its listener.
        lines: What it wrote.
        trust: TLS of a client, ``None`` where it speaks plain HTTP.
        clients: Connections that tests opened, to be closed at the end.
        is_faulty: A test expects a fault of the gateway's own.
        worker: That serves.
    """

    port: int
    lines: Lines
    trust: ssl.SSLContext | None
    clients: list = field(default_factory=list)
    is_faulty: bool = False
    worker: Worker | None = None

    async def connect(self, trust=None, limit=65536, source=None):
        """A new client; ``source`` is the address that it comes from."""
        trust = trust or self.trust
        name = "localhost" if trust else None
        async with asyncio.timeout(PATIENCE_S):
            pair = await asyncio.open_connection(
                HOST, self.port, ssl=trust, server_hostname=name, limit=limit,
                local_addr=(source, 0) if source else None,
            )  # fmt: skip
        client = Client(*pair)
        self.clients.append(client)
        return client

    async def ask(self, *arguments, source=None, **named):
        """One request over a connection of its own."""
        client = await self.connect(source=source)
        answer = await client.ask(*arguments, **named)
        client.close()
        return answer


TEMPLATE = """
[server]
admin = ""
{server}
[[listeners]]
bind = "127.0.0.1:0"
{listener}
[auth]
keys_file = "keys"
{auth}
[rate_limits.api]
rate = "1000r/s"
burst = 1000
[[routes]]
name = "main"
{route}
{more}
"""
LISTENER = 'certificate = "{folder}/server.crt"\nprivate_key = "{folder}/server.key"'


def hashed(name, key, options=""):
    """A line of the keys file."""
    return f"{name}:sha256:{hashlib.sha256(key.encode()).hexdigest()} {options}\n"


def listener(certificates):
    """The lines of a listener that speaks TLS."""
    return LISTENER.format(folder=certificates)


def trust_in(certificates):
    """What a client believes."""
    return ssl.create_default_context(cafile=certificates / "ca.crt")


@asynccontextmanager
async def running(folder, text, trust=None, environ=None):
    """The gateway of a configuration, serving while the block runs."""
    path = folder / "pyproxy.toml"
    path.write_text(text)
    loaded = load(path, environ or {}, folder)
    groups = group_listeners(loaded.settings.listeners)
    listenings = [listen(group.bind) for group in groups]
    lines, resources = Lines(), resources_for(None)
    gateway = Gateway(listenings[0].port, lines, trust)
    try:
        async with Tasks(lines.report) as tasks:
            worker = gateway.worker = Worker(lines, tasks, resources, Blocking())
            await worker.prepare(Orders.of(loaded, listenings))
            worker.commit()
            yield gateway
            for client in gateway.clients:
                client.transport.abort()
            await worker.stop()
    finally:
        for client in gateway.clients:
            client.transport.abort()
        await resources.close()
        for listening in listenings:
            listening.close()


def configuration(upstream, certificates, **parts):
    """The text of a configuration; each part is added to its section of ``TEMPLATE``."""
    text = {"server": "", "listener": "", "auth": "", "route": "", "more": "", **parts}
    urls = [each if isinstance(each, str) else each.url for each in listed(upstream)]
    text["route"] = f"upstream = {json.dumps(urls)}\n{text['route']}"
    if certificates is not None:
        text["listener"] = f"{listener(certificates)}\n{text['listener']}"
    return TEMPLATE.format(**text)


def listed(item):
    """One or several upstreams, as a list."""
    return item if isinstance(item, list) else [item]


async def answers(gateway, count, *, method="GET"):
    """Who of several answered with its number, and how often; everything else by its status."""
    client = await gateway.connect()
    found = Counter()
    for _ in range(count):
        answer = await client.ask(method, "/v1")
        found[int(answer.body) if answer.status == 200 else answer.status] += 1
    client.close()
    return found


def field_names(head):
    """Lower-case names of a head's fields, in order."""
    return [line.split(b":")[0].decode().lower() for line in Message(head).lines]


def is_hex(text):
    """Whether a text is lower-case hexadecimal."""
    return re.fullmatch(r"[0-9a-f]+", text) is not None
