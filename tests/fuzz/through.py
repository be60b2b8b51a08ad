"""The real gateway between a client and upstreams that are played here, without sockets.

What stands in between is what a worker has: ``ClientConnection``, ``Handler``, a ``Gateway``
compiled from a configuration, ``Endpoint`` and ``UpstreamConnection``. Time stands still.
"""

import asyncio
import json
import tempfile
from itertools import count
from pathlib import Path

from pyproxy.assembly.build import assemble
from pyproxy.assembly.keys import read_keyring
from pyproxy.assembly.listeners import group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import load
from pyproxy.downstream.connection import ClientConnection
from pyproxy.downstream.port import Port
from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.handler import Handler
from pyproxy.identity.hashing import BcryptGate
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog
from pyproxy.upstream.endpoint import Address, Endpoint
from tests.fuzz import reading
from tests.fuzz.configuration import (
    ALICE,
    BIND,
    BOB,
    CONFIGURATION,
    HEADER_TIMEOUT,
    IDLE_TIMEOUT,
    OTHERWISE,
    WALL,
    keys_of,
)
from tests.fuzz.still import StillLoop, Transport


class NearEndpoint(Endpoint):
    """An endpoint whose other side is played here."""

    def __init__(self, address, loop, house):
        super().__init__(address, loop)
        self._house = house

    async def connect(self, timeout_s):
        del timeout_s
        if self._house.dawdles_s:
            await asyncio.sleep(self._house.dawdles_s)
        if self._house.is_refusing:
            raise UpstreamUnreachable("connecting failed: refused")
        connection = self._protocol()
        self._house.upstreams.append(UpstreamEnd(self._house, self.address.port, connection))
        return connection


class UpstreamEnd:
    """An upstream's end of one connection.

    Attributes:
        port: Which upstream.
        transport: The gateway's end.
        asked: Complete requests that came, as the strict reader reads them.
    """

    def __init__(self, house, port, connection):
        self._house = house
        self._rest = b""
        self.port = port
        self.asked = []
        self.transport = Transport(house.loop, self._read)
        self.transport.protocol = connection
        connection.connection_made(self.transport)

    def _read(self, data):
        asked, self._rest, why = reading.requests(self._rest + data)
        if why:
            self._house.misdeeds.append(f"sent up what is unclear ({why}): {self._rest[:200]!r}")
        for message in asked:
            self.asked.append(message)
            self._house.asked.append((self, message))
            answer = self._house.answer(len(self._house.asked), message)
            for piece in [answer] if isinstance(answer, bytes) else answer:
                self._house.loop.call_soon(self.transport.arrive, piece)


def plain_answer(number, message):
    """200, numbered."""
    body = b"" if message.start[0] == b"HEAD" else b"answer %d" % number
    length = len(b"answer %d" % number)
    return b"HTTP/1.1 200 OK\r\nX-Answer: %d\r\nContent-Length: %d\r\n\r\n%b" % (
        number,
        length,
        body,
    )


class House:
    """A gateway, its clients and its upstreams.

    Attributes:
        loop: Whose time is moved.
        answer: What an upstream says to its nth request: bytes, or pieces of them.
        is_refusing: Upstreams cannot be connected to.
        dawdles_s: How long a connection to one takes.
        clients: Connections of clients.
        upstreams: Connections to upstreams.
        asked: Complete requests that came to them, in order.
        records: Access lines.
        begun: Requests that a record is due for, and what was none.
        misdeeds: What must never happen, and did.
    """

    def __init__(self):
        self.loop = StillLoop()
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = Path(self._temporary.name)
        self._keys = self._folder / "keys"
        self._write_keys(alice=ALICE, bob=BOB)
        self._settings, self._otherwise = map(self._loaded, (CONFIGURATION, OTHERWISE))
        self._resources = Resources(self.loop, b"k" * 32, BcryptGate())
        for port in (9000, 9001):
            address = Address("127.0.0.1", port)
            self._resources.endpoints[address] = NearEndpoint(address, self.loop, self)
        self._ids = count(1)
        self._lines = []
        self.desk = Desk(
            gateway=self._assembled(self._settings),
            loop=self.loop,
            now=self.loop.time,
            wall=lambda: WALL,
            new_id=lambda: f"made-{next(self._ids)}",
            audit=AuditLog(lambda _: None),
            access=AccessLog(self._lines.append),
            report=lambda exc, _: self.misdeeds.append(f"reported: {exc!r}"),
        )
        self._handler = Handler(self.desk, BIND)
        self._tasks = set()
        self.port = Port(
            self._serve, self._reject, self._spawn, HEADER_TIMEOUT, IDLE_TIMEOUT, 8 * 1024
        )
        self.clients, self.upstreams = [], []
        self._begin_anew()

    def _begin_anew(self):
        for each in (*self.clients, *self.upstreams):
            each.transport.dispose()
        self.answer = plain_answer
        self.is_refusing = False
        self.dawdles_s = 0.0
        self.clients, self.upstreams, self.asked, self.misdeeds = [], [], [], []
        self.begun = 0
        self._lines.clear()
        self._ids = count(1)

    @property
    def records(self):
        return [json.loads(line) for line in self._lines]

    @property
    def idle_upstreams(self):
        """Connections to upstreams that wait for a request."""
        return sum(len(endpoint._idle) for endpoint in self._resources.endpoints.values())

    def client(self):
        """A client that has just connected."""
        client = Client(self)
        self.clients.append(client)
        return client

    def reset(self):
        """End what is open, judge it, and forget it."""
        try:
            self._end_all()
        finally:
            self._begin_anew()

    def _end_all(self):
        self.port.is_draining = self.port.is_leaving = False
        for each in (*self.clients, *self.upstreams):
            self.loop.call_soon(each.transport.break_off)
        self.loop.settle()
        self.loop.advance(1.0)
        self.judge()
        busy = [endpoint.busy for endpoint in self._resources.endpoints.values()]
        left = (busy, [task.get_name() for task in self._tasks], len(self.port.connections))
        unwritten = self.begun - len(self._lines)
        assert left == ([0, 0], [], 0)
        assert unwritten == 0, "a request without its record"

    def close(self):
        """Give back what the process has."""
        self.loop.run_until_complete(self._resources.close())
        self.loop.close()
        self._temporary.cleanup()

    def judge(self):
        """Fail if something happened that must not."""
        misdeeds = self.misdeeds + [
            f"{type(each).__name__}: {deed}"
            for each in (*self.clients, *self.upstreams)
            for deed in each.transport.misdeeds
        ]
        faults, self.loop.faults = self.loop.faults, []
        assert misdeeds == []
        assert faults == []

    def replace_keys(self, **keys):
        """As when the keys file changes: the same gateway goes on with other keys."""
        self._write_keys(**keys)
        self.desk.gateway.authenticator.replace_keys(read_keyring(self._settings.auth))

    def reload(self, *, otherwise=False, **keys):
        """As on SIGHUP: another gateway comes into force, perhaps of another configuration."""
        self._write_keys(**keys)
        self.desk.gateway = self._assembled(self._otherwise if otherwise else self._settings)

    def _write_keys(self, **keys):
        self._keys.write_text(keys_of(**keys))
        self._keys.chmod(0o600)

    def _loaded(self, text):
        file = self._folder / "fuzz.toml"
        file.write_text(text)
        return load(file, {}, self._folder).settings

    def _assembled(self, settings):
        return assemble(settings, group_listeners(settings.listeners), self._resources)

    def _serve(self, exchange):
        self.begun += 1
        return self._handler.serve(exchange)

    def _reject(self, refusal, peer):
        self.begun += 1
        return self._handler.reject(refusal, peer)

    def _spawn(self, work, name):
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.misdeeds.append(f"a request's task failed: {task.exception()!r}")


class Client:
    """A client's end of one connection.

    Attributes:
        transport: The gateway's end.
        connection: What is tested.
    """

    def __init__(self, house):
        self._house = house
        self.transport = Transport(house.loop)
        self.connection = ClientConnection(
            house.port, house.loop.time(), house.loop, lambda: None, "192.0.2.7"
        )
        self.transport.protocol = self.connection
        house.loop.do(self.connection.connection_made, self.transport)

    def send(self, *pieces):
        """Send bytes, each piece in a read of its own."""
        for piece in pieces:
            self._house.loop.do(self.transport.arrive, piece)

    def leave(self):
        """Half-close."""
        self._house.loop.do(self.transport.hang_up)

    @property
    def got(self):
        return bytes(self.transport.got)
