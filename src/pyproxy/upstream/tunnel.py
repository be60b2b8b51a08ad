"""A tunnel through an HTTP proxy (RFC 9110 section 9.3.6)."""

import asyncio
import re
import socket
from typing import Final

from pyproxy.config.proxy import Proxy
from pyproxy.errors.refusal import UpstreamUnreachable

# Of all its answers; one that lets us pass has a line or two, and others are not read to
# their end.
MAX_HEAD_BYTES: Final = 16 * 1024
_PIECE_BYTES: Final = 4096
_END: Final = b"\r\n\r\n"
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [\t -~\x80-\xff]*)?\r\n")
_HTTP: Final = b"HTTP/1."
_FINAL: Final = 200
_WILLING: Final = range(200, 300)
# Interim by its number alone (RFC 9110 section 15.2.2), and not asked for.
_SWITCHING: Final = 101
_FORBIDDEN: Final = 403
_WANTS_CREDENTIALS: Final = 407


class TunnelRefused(UpstreamUnreachable):
    """The proxy was reached, and the upstream through it was not."""


async def open_tunnel(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, proxy: Proxy, host: str, port: int
) -> None:
    """Have the proxy at the other end of a socket connect it to a host.

    The socket stays the caller's, to close whatever happens, and so does the time.

    Args:
        loop: The worker's.
        sock: Connected to the proxy, non-blocking.
        proxy: Whose credentials are shown.
        host: Name or IP address; the proxy looks names up.
        port: TCP port.

    Raises:
        TunnelRefused: The proxy refused, or did not talk HTTP; nothing that it wrote
            is in the detail but its status.
        OSError: The connection broke.
    """
    await loop.sock_sendall(sock, _request(proxy, host, port))
    received, begin = b"", 0
    while True:
        end = received.find(_END, begin) + len(_END)
        if end < len(_END):
            received += await _piece(loop, sock, proxy, received)
            continue
        status = _status(received[begin:end], proxy)
        if status >= _FINAL or status == _SWITCHING:
            break
        begin = end
    if status not in _WILLING:
        raise TunnelRefused(_refusal(status, proxy))
    if len(received) > end:
        # Whoever talks before us cannot be the upstream: TLS begins with the client.
        raise TunnelRefused(f"the proxy {proxy.name} sent more than its answer")


def _request(proxy: Proxy, host: str, port: int) -> bytes:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization.reveal()}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _piece(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, proxy: Proxy, received: bytes
) -> bytes:
    """What comes next, if what came can be the beginning of an answer that ends."""
    if received[: len(_HTTP)] != _HTTP[: len(received)]:
        raise TunnelRefused(f"the proxy {proxy.name} does not answer in HTTP")
    if len(received) > MAX_HEAD_BYTES:
        raise TunnelRefused(f"the proxy {proxy.name} sent an endless answer")
    piece = await loop.sock_recv(sock, _PIECE_BYTES)
    if not piece:
        raise TunnelRefused(f"the proxy {proxy.name} closed the connection")
    return piece


def _status(head: bytes, proxy: Proxy) -> int:
    found = _STATUS.match(head)
    if found is None:
        raise TunnelRefused(f"the proxy {proxy.name} does not answer in HTTP")
    return int(found[1])


def _refusal(status: int, proxy: Proxy) -> str:
    answered = f"the proxy {proxy.name} answered {status}"
    if status == _FORBIDDEN:
        return f"{answered}; its own list may lack the host"
    if status != _WANTS_CREDENTIALS:
        return answered
    if proxy.authorization is None:
        return f"{answered}: it wants credentials"
    return f"{answered}: it does not take these credentials"
