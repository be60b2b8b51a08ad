"""A PROXY header off a socket: its bytes and not one more, before TLS or HTTP begins."""

import asyncio
import socket

from pyproxy.runtime.readable import readable
from pyproxy.timers.limit import limit_at
from pyproxy.wire.proxy_header import (
    LONGEST_HEADER,
    ProxyHeader,
    header_length,
    read_proxy_header,
)
from pyproxy.wire.syntax import Malformed


class NotIntroduced(OSError):
    """A connection that does not begin as its listener asks; a sentence without a verb."""


async def receive_header(
    accepted: socket.socket, until: float, loop: asyncio.AbstractEventLoop
) -> ProxyHeader:
    """Take the header from a connection's beginning; what follows stays in the socket.

    Args:
        accepted: Non-blocking, nothing read from it yet.
        until: When the header must be whole, of the loop's clock.
        loop: The loop that runs.

    Raises:
        NotIntroduced: No header, a malformed one, or none in time.
        OSError: The other end left.
    """
    try:
        async with limit_at(loop, until):
            return read_proxy_header(await _receive(accepted, loop))
    except TimeoutError as exc:
        raise NotIntroduced("no PROXY header within header_timeout") from exc
    except Malformed as exc:
        raise NotIntroduced(str(exc)) from exc


async def _receive(accepted: socket.socket, loop: asyncio.AbstractEventLoop) -> bytes:
    received, length = b"", 0
    while not length or len(received) < length:
        try:
            waiting = accepted.recv(LONGEST_HEADER - len(received), socket.MSG_PEEK)
        except BlockingIOError:
            await readable(accepted, loop)
            continue
        if not waiting:
            raise ConnectionResetError
        length = header_length(received + waiting)
        # Whatever was seen is the header's as long as its end was not: to leave it
        # in the socket would be to be woken for it again and again.
        ours = (length or LONGEST_HEADER) - len(received)
        received += accepted.recv(min(ours, len(waiting)))
    return received
