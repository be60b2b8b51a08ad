"""One address of an upstream: how to connect to it, and its idle connections."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyproxy.config.proxy import Proxy
from pyproxy.egress.hosts import are_allowed
from pyproxy.timers.limit import limit_at
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.upstream.dial import dial
from pyproxy.upstream.names import LookUp, Names, Place, asking_the_system
from pyproxy.upstream.news import Tell, silent
from pyproxy.upstream.reason import in_words
from pyproxy.upstream.standing import FAILURES, Standing
from pyproxy.upstream.tunnel import open_tunnel
from pyproxy.upstream.unreached import Step, Unreached
from pyproxy.upstream.way import DIRECT, Way, public_only

_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443
# An upstream that never says its farewell in TLS would else hold each connection for 30 s.
_FAREWELL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is, and how to talk to it.

    Attributes:
        host: Name or IP address.
        port: TCP port.
        tls: Context for https, else ``None``.
        server_name: The name that its certificate must carry.
        check: Called with the upstream's certificate (DER) after the handshake;
            raises a refusal.
        way: Which way connections take.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    check: Callable[[bytes], None] | None = None
    way: Way = DIRECT


class Endpoint:
    """Connections to one address.

    The pool is a stack: the connection used last is used next, so that surplus
    ones grow old and close. It holds as many as were ever busy at once. One to an
    IP address that the name does not have any more is not used again.

    Args:
        address: Where it is.
        loop: The worker's.
        look_up: Resolves the host, or the proxy's; ``None``: the system does.
        tell: Hears what changes.

    Attributes:
        address: Where it is.
        name: For logs.
        host_line: The ``Host`` field (RFC 9110 section 7.2).
        busy: Requests under way and connections being made, for balancing.
        standing: What became of the requests before.
    """

    def __init__(
        self,
        address: Address,
        loop: asyncio.AbstractEventLoop,
        look_up: LookUp | None = None,
        tell: Tell = silent,
    ) -> None:
        self.address = address
        self.name = f"{address.host}:{address.port}"
        self.host_line = b"Host: %b\r\n" % _authority(address)
        self.busy = 0
        self._loop = loop
        self._tell = tell
        self.standing = Standing()
        proxy = address.way.proxy
        ask = look_up or asking_the_system(loop)
        self._names = Names(
            proxy.host if proxy else address.host, proxy.port if proxy else address.port, loop,
            # Through a proxy it is the proxy that resolves, and its own place may be private.
            look_up=public_only(ask) if address.way.is_public_only and not proxy else ask,
            changed=self._moved, failed=self._name_failed,
        )  # fmt: skip
        self._idle: dict[UpstreamConnection, None] = {}
        self._ips: dict[UpstreamConnection, str] = {}
        self._present: frozenset[str] | None = None  # the name's addresses, once looked up
        self._is_closed = False

    # Connections

    @property
    def idle(self) -> int:
        """How many are open and unused."""
        return len(self._idle)

    def idle_connection(self) -> UpstreamConnection | None:
        """A connection that is open and unused, if there is one.

        One that the upstream ended, or said something on, without the loop having come to
        it, is none: a request on it would be lost, or answered by what was said before.
        """
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_open and not connection.is_quiet:
                connection.abort()
            if connection.is_open:
                # Who never needs a new connection would never hear that the name moved.
                self._names.keep_fresh()
                return connection
        return None

    async def connect(self, timeout_s: float) -> UpstreamConnection:
        """A new connection for a request.

        Raises:
            UpstreamUnreachable: It failed, or took longer than ``timeout_s`` from the
                name to the end of the handshake.
        """
        # Counted, or an endpoint that takes its time to connect would look as if it had
        # nothing to do, and get every request meanwhile.
        self.busy += 1
        try:
            return await self.reach(timeout_s)
        finally:
            self.busy -= 1

    async def reach(self, timeout_s: float) -> UpstreamConnection:
        """As ``connect``, but for no request."""
        way, host = self.address.way, self.address.host
        if not are_allowed(way.allowed, host):
            # No configuration leads here; should anything ever, it leads no further.
            why = f"egress.allow does not name {host}"
            raise Unreached(why, "connection", why)
        step: Step = "name"
        try:
            async with limit_at(self._loop, self._loop.time() + timeout_s):
                places = await self._names.places()
                step = "connection"
                sock, place, beaten = await dial(self._loop, places)
                if beaten:
                    self._names.demote(beaten)
                if way.proxy is not None:
                    step = "tunnel"
                    await self._tunnel(sock, way.proxy)
                step = "tls"
                return await self._open(sock, place)
        except TimeoutError as exc:
            self._names.doubt()
            raise Unreached.late(step, way.proxy) from exc
        except (OSError, UnicodeError) as exc:
            self._names.doubt()
            raise Unreached.broken(step, way.proxy, in_words(exc)) from exc

    async def _tunnel(self, sock: socket.socket, proxy: Proxy) -> None:
        """Have the proxy connect a socket, which stays open only if it did."""
        try:
            await open_tunnel(self._loop, sock, proxy, self.address.host, self.address.port)
        except BaseException:
            sock.close()
            raise

    async def _open(self, sock: socket.socket, place: Place) -> UpstreamConnection:
        """Speak over a connected socket, which is the loop's from now on."""
        address = self.address
        _, connection = await self._loop.create_connection(
            self._protocol,
            sock=sock,
            ssl=address.tls,
            server_hostname=address.server_name if address.tls else None,
            ssl_shutdown_timeout=_FAREWELL_S if address.tls else None,
        )
        if address.check is not None:
            self._check(connection, address.check)
        if connection.is_open:
            self._ips[connection] = place.ip
        return connection

    def _check(self, connection: UpstreamConnection, check: Callable[[bytes], None]) -> None:
        try:
            tls = connection.transport.get_extra_info("ssl_object")
            check(tls.getpeercert(binary_form=True))
        except BaseException:
            connection.abort()
            raise

    def _protocol(self) -> UpstreamConnection:
        return UpstreamConnection(self._loop, self._keep, self._forget)

    def _keep(self, connection: UpstreamConnection) -> None:
        if self._is_closed or self._is_gone(connection):
            connection.transport.close()
            return
        connection.rest(connection.idle_s)
        self._idle[connection] = None

    def _forget(self, connection: UpstreamConnection) -> None:
        self._idle.pop(connection, None)
        self._ips.pop(connection, None)

    def close(self) -> None:
        """Close the idle connections; busy ones end with their requests."""
        self._is_closed = True
        for connection in tuple(self._idle):
            connection.transport.close()

    # The name

    def _moved(self, present: frozenset[str]) -> None:
        self._present = present
        for connection in tuple(self._idle):
            if self._is_gone(connection):
                del self._idle[connection]
                connection.transport.close()

    def _is_gone(self, connection: UpstreamConnection) -> bool:
        return self._present is not None and self._ips.get(connection) not in self._present

    def _name_failed(self, error: OSError | UnicodeError | None) -> None:
        if error is None:
            self._tell("upstream.name_found", self.name)
        else:
            proxy = self.address.way.proxy
            whose = f"the proxy {proxy.name}: " if proxy else ""
            self._tell("upstream.name_failed", self.name, f"{whose}{in_words(error)}")

    # Its standing

    def worked(self) -> None:
        """Take note that an answer's head came."""
        if self.standing.worked():
            self._tell("upstream.recovered", self.name)

    def failed(self, now: float) -> None:
        """Take note that no connection could be made, or that it gave no answer's head."""
        if term := self.standing.failed(now):
            reason = f"{FAILURES} failures in a row: others are asked for {term:g} s"
            self._tell("upstream.ejected", self.name, reason)


def _authority(address: Address) -> bytes:
    host = f"[{address.host}]" if ":" in address.host else address.host
    is_default = address.port == (_HTTPS_PORT if address.tls else _HTTP_PORT)
    return (host if is_default else f"{host}:{address.port}").encode()
