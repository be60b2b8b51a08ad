"""One address of an upstream: how to connect to it, and its idle connections."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.upstream.reason import in_words

_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443


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
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    check: Callable[[bytes], None] | None = None


class Endpoint:
    """Connections to one address.

    The pool is a stack: the connection used last is used next, so that surplus
    ones grow old and close. It holds as many as were ever busy at once.

    Attributes:
        address: Where it is.
        name: For logs.
        host_line: The ``Host`` field (RFC 9110 section 7.2).
        busy: Requests under way, for balancing.
    """

    def __init__(self, address: Address, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self.name = f"{address.host}:{address.port}"
        self.host_line = b"Host: %b\r\n" % _authority(address)
        self.busy = 0
        self._loop = loop
        self._idle: dict[UpstreamConnection, None] = {}
        self._is_closed = False

    def idle_connection(self) -> UpstreamConnection | None:
        """A connection that is open and unused, if there is one."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_open:
                return connection
        return None

    async def connect(self, timeout_s: float) -> UpstreamConnection:
        """A new connection.

        Raises:
            UpstreamUnreachable: It failed, or took longer than ``timeout_s``.
        """
        address = self.address
        try:
            async with asyncio.timeout(timeout_s):
                _, connection = await self._loop.create_connection(
                    self._protocol,
                    address.host,
                    address.port,
                    ssl=address.tls,
                    server_hostname=address.server_name if address.tls else None,
                )
        except TimeoutError as exc:
            raise UpstreamUnreachable("connecting took too long") from exc
        except OSError as exc:
            raise UpstreamUnreachable(f"connecting failed: {in_words(exc)}") from exc
        if address.check is not None:
            self._check(connection, address.check)
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
        if self._is_closed:
            connection.transport.close()
            return
        connection.rest(connection.idle_s)
        self._idle[connection] = None

    def _forget(self, connection: UpstreamConnection) -> None:
        self._idle.pop(connection, None)

    def close(self) -> None:
        """Close the idle connections; busy ones end with their requests."""
        self._is_closed = True
        for connection in tuple(self._idle):
            connection.transport.close()


def _authority(address: Address) -> bytes:
    host = f"[{address.host}]" if ":" in address.host else address.host
    is_default = address.port == (_HTTPS_PORT if address.tls else _HTTP_PORT)
    return (host if is_default else f"{host}:{address.port}").encode()
