"""One address that is served: its sockets, its connections, and their rules."""

import asyncio
import socket
import ssl
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from pyproxy.config.server import ServerSettings
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.port import Port
from pyproxy.errors.refusal import Refusal
from pyproxy.identity.networks import Networks
from pyproxy.runtime.acceptor import Acceptor, Admission
from pyproxy.runtime.handshake import CLIENT_LEFT, failed_because
from pyproxy.runtime.sockets import BACKLOG
from pyproxy.runtime.tasks import Tasks
from pyproxy.telemetry.log import Level, Log
from pyproxy.telemetry.sparing import SparingLog

# Looking costs nothing beside an event in every connection.
_LOOK_S = 0.02


class Answerer(Protocol):
    """Answers what comes in at an address; see ``Port``."""

    async def serve(self, exchange: Exchange) -> None:
        """Answer one exchange; returns when its answer is written."""

    def reject(self, refusal: Refusal, peer: Peer) -> bytes:
        """The answer to something that is no request."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What a listener's connections are served by; another configuration may bring others.

    Attributes:
        server: Deadlines and sizes.
        tls: ``None`` for plain HTTP.
        believes: See ``Acceptor``.
    """

    server: ServerSettings
    tls: ssl.SSLContext | None
    believes: Networks | None


class Reception:
    """Accepts on the sockets of one address and serves their connections.

    Args:
        bind: The address, as configured.
        sockets: Listening; closed by ``stop``.
        terms: Of the connections to come.
        answerer: Of the requests.
        admission: How many connections there may be, over all listeners.
        tasks: Where it accepts, and what has to wait runs: handshakes, some requests.
        log: Told what goes wrong.
        trouble: Told what goes wrong with others.
    """

    def __init__(
        self,
        bind: str,
        sockets: Sequence[socket.socket],
        terms: Terms,
        answerer: Answerer,
        admission: Admission,
        tasks: Tasks,
        log: Log,
        trouble: SparingLog,
    ) -> None:
        self._bind = bind
        self._sockets = sockets
        self._loop = asyncio.get_running_loop()
        self._tasks = tasks
        self._log = log
        self._trouble = trouble
        self._opening: set[asyncio.Task[None]] = set()
        self._port = Port(
            serve=answerer.serve,
            reject=answerer.reject,
            spawn=tasks.start,
            header_timeout=terms.server.header_timeout,
            idle_timeout=terms.server.idle_timeout,
            max_header_size=terms.server.max_header_size,
        )
        self._acceptor = Acceptor(
            self._port,
            admission,
            self._open,
            self._loop,
            tls=terms.tls,
            report=self._say_exhausted,
            turned=self._say_turned,
            believes=terms.believes,
        )
        self._accepting: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Accept connections."""
        self._accepting = [
            self._tasks.start(self._acceptor.run(each), "accepting") for each in self._sockets
        ]

    def renew(self, terms: Terms) -> None:
        """Serve by other terms: timeouts at once, TLS from the next connection on."""
        self._port.header_timeout = terms.server.header_timeout
        self._port.idle_timeout = terms.server.idle_timeout
        self._port.max_header_size = terms.server.max_header_size
        self._acceptor.tls = terms.tls
        self._acceptor.believes = terms.believes

    def answer_by(self, answerer: Answerer) -> None:
        """Let another answer the requests to come."""
        self._port.serve, self._port.reject = answerer.serve, answerer.reject

    async def depart(self, seconds: float) -> None:
        """Serve what has come and is under way, so long at most, then end."""
        for each in self._sockets:
            self._accept_waiting(each)
        await self.stop()
        self.leave()
        await self.quiet(seconds)
        self.cut()

    def _accept_waiting(self, listening: socket.socket) -> None:
        """Accept the connections that wait, but not without end those that come meanwhile."""
        with suppress(OSError):
            for _ in range(BACKLOG):
                if not self._acceptor.accept(listening):
                    return

    async def stop(self) -> None:
        """Accept no more, and close the sockets; whoever else has them goes on."""
        accepting, self._accepting = self._accepting, []
        for task in accepting:
            task.cancel()
        await asyncio.gather(*accepting, return_exceptions=True)
        for each in self._sockets:
            each.close()

    def leave(self) -> None:
        """Let each connection ask once more; the answer says that it closes.

        A connection that is closed between two requests may have a third on its
        way, which its client cannot send again if it is a POST.
        """
        self._port.leave()

    def drain(self) -> None:
        """Close what is idle now, and the rest after what it is doing."""
        self._port.drain()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._port.connections)

    @property
    def is_quiet(self) -> bool:
        """Nothing is to be waited for.

        When drained, a connection that only waits for the other side's farewell
        is none to wait for, and a handshake neither.
        """
        if self._port.is_draining:
            return all(each.is_done for each in self._port.connections)
        return not self._port.connections and not self._opening

    async def quiet(self, seconds: float) -> None:
        """Wait until nothing is under way, so long at most."""
        deadline = self._loop.time() + seconds
        while not self.is_quiet:
            left = deadline - self._loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(_LOOK_S, left))

    def cut(self) -> None:
        """End every connection at once."""
        self._port.abort()

    def _open(self, handshake: Coroutine[object, object, None], name: str) -> None:
        task = self._tasks.start(handshake, name)
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _say_exhausted(self, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        sentence = f"no connection can be accepted for the moment: {reason}"
        self._log.write("warning", "listener.exhausted", sentence, {"bind": self._bind})

    def _say_turned(self, address: str, error: OSError) -> None:
        reason = failed_because(error)
        # Whoever looks whether the port is open leaves at once, a load balancer every second.
        level: Level = "debug" if reason == CLIENT_LEFT else "info"
        kind = (self._bind, reason)
        self._trouble.put(
            level,
            "handshake.failed",
            self._loop.time(),
            kind,
            bind=self._bind,
            ip=address,
            reason=reason,
        )
