"""From listening sockets to connections, within bounds."""

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial

from pyproxy.downstream.connection import ClientConnection
from pyproxy.downstream.port import Port
from pyproxy.identity.networks import Networks
from pyproxy.limits.limit import network
from pyproxy.runtime.proxy_header import NotIntroduced, receive_header
from pyproxy.runtime.readable import readable
from pyproxy.timers.limit import limit_at

# Out of file descriptors: connections wait in the backlog, and a while is left to others.
_PAUSE_S = 0.1
# Said at most this often, however long it lasts.
_SAY_AGAIN_S = 10.0
# What happened to one connection while it waited, not to us (accept(2)).
_OF_THE_CONNECTION = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EPERM})
_TLS_CLOSE_S = 2.0
# The loop's own limit of a handshake, which knows nothing of PROXY headers before it, nor of
# its being late: so much after ours, it never comes first.
_BEHIND_S = 60.0

Spawn = Callable[[Coroutine[object, object, None], str], object]
Report = Callable[[OSError], None]
"""Told why no connection can be accepted. Must not raise."""
Turned = Callable[[str, OSError], None]
"""Told an address whose handshake or PROXY header failed, and why. Must not raise."""


class Admission:
    """How many connections are open, in all and by address.

    Args:
        max_connections: Further ones wait in the kernel's backlog.
        max_per_address: Further ones are closed at once; 0: no limit. An IPv6 address
            stands for its /64, as in the limits.
    """

    def __init__(self, max_connections: int, max_per_address: int) -> None:
        self.max_connections = max_connections
        self.max_per_address = max_per_address
        self._open = 0
        self._by_address: Counter[str] = Counter()
        self._room = asyncio.Event()
        self._room.set()

    def resize(self, max_connections: int, max_per_address: int) -> None:
        """Replace both limits; what is open stays open."""
        self.max_connections, self.max_per_address = max_connections, max_per_address
        self._room.set()

    async def room(self) -> None:
        """Wait until another connection may be opened."""
        while self._open >= self.max_connections:
            self._room.clear()
            await self._room.wait()

    def enter(self, address: str) -> Callable[[], None] | None:
        """Count a connection in; ``None`` if its address has too many.

        Args:
            address: Whose it is; ``""`` for nobody's, as on a unix socket.

        Returns:
            To be called when it ends; calling it again does nothing.
        """
        owner = network(address)
        if self.max_per_address and owner and self._by_address[owner] >= self.max_per_address:
            return None
        self._open += 1
        self._by_address[owner] += 1
        is_in = [owner]
        return partial(self._leave, is_in)

    def _leave(self, is_in: list[str]) -> None:
        if not is_in:
            return
        owner = is_in.pop()
        self._open -= 1
        self._by_address[owner] -= 1
        if not self._by_address[owner]:
            del self._by_address[owner]
        self._room.set()


class Acceptor:
    """Accepts connections on one socket, hands them their protocol, and TLS before it.

    Args:
        port: What the listener's connections share.
        admission: How many there may be.
        spawn: Starts a connection's handshake.
        loop: The loop that runs.
        tls: ``None`` for plain HTTP.
        report: Told when none can be accepted.
        turned: Told of each that was turned away.
        believes: Peers whose PROXY header says who the client is, and which must send
            one; who connects over a unix socket is believed for the socket's mode.
            Nobody else is served. ``None``: no header is expected.

    Attributes:
        tls: As given; may be replaced, for the connections to come.
        believes: Likewise.
    """

    def __init__(
        self,
        port: Port,
        admission: Admission,
        spawn: Spawn,
        loop: asyncio.AbstractEventLoop,
        *,
        tls: ssl.SSLContext | None,
        report: Report,
        turned: Turned,
        believes: Networks | None = None,
    ) -> None:
        self._port = port
        self._admission = admission
        self._spawn = spawn
        self._loop = loop
        self.tls = tls
        self._report = report
        self._turned = turned
        self.believes = believes
        self._say_at = 0.0  # of the loop's clock

    async def run(self, listening: socket.socket) -> None:
        """Accept until cancelled; no connection is lost by that."""
        while True:
            await self._admission.room()
            await readable(listening, self._loop)
            try:
                self.accept(listening)
            except OSError as exc:
                if exc.errno not in _OF_THE_CONNECTION:
                    self._say(exc)
                    await asyncio.sleep(_PAUSE_S)

    def accept(self, listening: socket.socket) -> bool:
        """Take one connection of those that wait; whether there was one.

        Raises:
            OSError: None can be accepted.
        """
        try:
            accepted, name = listening.accept()
        except BlockingIOError:  # another worker was faster
            return False
        accepted.setblocking(False)
        address = name[0] if isinstance(name, tuple) else ""
        # Whose it is, is known only when its header is read; it takes up room already.
        leave = self._admission.enter(address if self.believes is None else "")
        if leave is None:
            accepted.close()
        else:
            self._spawn(self._open(accepted, address, leave), "handshake")
        return True

    def _say(self, error: OSError) -> None:
        now = self._loop.time()
        if now >= self._say_at:
            self._say_at = now + _SAY_AGAIN_S
            self._report(error)

    async def _open(self, accepted: socket.socket, address: str, leave: Callable[[], None]) -> None:
        """Do what comes before HTTP; the protocol is on its own after that."""
        opened_at = self._loop.time()
        until = opened_at + self._port.header_timeout
        is_unnamed = False
        try:
            if self.believes is not None:
                client = await self._client_of(accepted, address, self.believes, until)
                is_unnamed = client is None
                address = address if client is None else client
                entered = self._admission.enter(address)
                leave()
                if entered is None:
                    accepted.close()
                    return
                leave = entered
            protocol = ClientConnection(
                self._port, opened_at, self._loop, leave, address, is_unnamed=is_unnamed
            )
            await self._connect(accepted, protocol, until)
        except OSError as exc:
            # Half a handshake, plain text on a TLS port, a scanner: nothing was served.
            leave()
            if self.tls is not None or self.believes is not None:
                self._turned(address, exc)
        except BaseException:
            leave()
            raise

    async def _client_of(
        self, accepted: socket.socket, peer: str, believes: Networks, until: float
    ) -> str | None:
        """The client's address by the PROXY header; closes the connection without one.

        ``None`` if the balancer does not say.

        Raises:
            OSError: The peer may not send one, or sent none.
        """
        if peer and not believes.contains(peer):
            accepted.close()
            raise NotIntroduced("no address of trusted_proxies, which alone may introduce clients")
        try:
            header = await receive_header(accepted, until, self._loop)
        except BaseException:
            accepted.close()
            raise
        return header.address

    async def _connect(
        self, accepted: socket.socket, protocol: ClientConnection, until: float
    ) -> None:
        """Hand the socket over, its TLS handshake done by ``until`` of the loop's clock."""
        if self.tls is None:
            await self._loop.connect_accepted_socket(lambda: protocol, accepted)
            return
        async with limit_at(self._loop, until):
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=self.tls,
                ssl_handshake_timeout=self._port.header_timeout + _BEHIND_S,
                ssl_shutdown_timeout=_TLS_CLOSE_S,
            )
