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

# Out of file descriptors: connections wait in the backlog, and a while is left to others.
_PAUSE_S = 0.1
# Said at most this often, however long it lasts.
_SAY_AGAIN_S = 10.0
# What happened to one connection while it waited, not to us (accept(2)).
_OF_THE_CONNECTION = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EPERM})
_TLS_CLOSE_S = 2.0

Spawn = Callable[[Coroutine[object, object, None], str], object]
Report = Callable[[OSError], None]
"""Told why no connection can be accepted. Must not raise."""
Turned = Callable[[str, OSError], None]
"""Told the address of a client whose handshake failed, and why. Must not raise."""


class Admission:
    """How many connections are open, in all and by address.

    Args:
        max_connections: Further ones wait in the kernel's backlog.
        max_per_address: Further ones are closed at once; 0: no limit.
    """

    def __init__(self, max_connections: int, max_per_address: int) -> None:
        self.max_connections = max_connections
        self.max_per_address = max_per_address
        self._open = 0
        self._by_address: Counter[str] = Counter()
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until another connection may be opened."""
        while self._open >= self.max_connections:
            self._room.clear()
            await self._room.wait()

    def enter(self, address: str) -> Callable[[], None] | None:
        """Count a connection in; ``None`` if its address has too many.

        Returns:
            To be called when it ends; calling it again does nothing.
        """
        if self.max_per_address and address and self._by_address[address] >= self.max_per_address:
            return None
        self._open += 1
        self._by_address[address] += 1
        is_in = [address]
        return partial(self._leave, is_in)

    def _leave(self, is_in: list[str]) -> None:
        if not is_in:
            return
        address = is_in.pop()
        self._open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
        self._room.set()


class Acceptor:
    """Accepts connections on one socket, hands them their protocol, and TLS before it."""

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
    ) -> None:
        self._port = port
        self._admission = admission
        self._spawn = spawn
        self._loop = loop
        self._tls = tls
        self._report = report
        self._turned = turned
        self._say_at = 0.0  # of the loop's clock

    async def run(self, listening: socket.socket) -> None:
        """Accept until cancelled."""
        while True:
            await self._admission.room()
            try:
                accepted, name = await self._loop.sock_accept(listening)
            except OSError as exc:
                if exc.errno not in _OF_THE_CONNECTION:
                    self._say(exc)
                    await asyncio.sleep(_PAUSE_S)
                continue
            address = name[0] if isinstance(name, tuple) else ""
            leave = self._admission.enter(address)
            if leave is None:
                accepted.close()
                continue
            self._spawn(self._open(accepted, address, leave), "handshake")

    def _say(self, error: OSError) -> None:
        now = self._loop.time()
        if now >= self._say_at:
            self._say_at = now + _SAY_AGAIN_S
            self._report(error)

    async def _open(self, accepted: socket.socket, address: str, leave: Callable[[], None]) -> None:
        """Do the handshake; the protocol is on its own after that."""
        opened_at = self._loop.time()
        protocol = ClientConnection(self._port, opened_at, self._loop, leave)
        try:
            if self._tls is None:
                await self._loop.connect_accepted_socket(lambda: protocol, accepted)
            else:
                await self._loop.connect_accepted_socket(
                    lambda: protocol,
                    accepted,
                    ssl=self._tls,
                    ssl_handshake_timeout=self._port.header_timeout,
                    ssl_shutdown_timeout=_TLS_CLOSE_S,
                )
        except OSError as exc:
            # Half a handshake, plain text on a TLS port, a scanner: nothing was served.
            leave()
            if self._tls is not None:
                self._turned(address, exc)
        except BaseException:
            leave()
            raise
