"""Waiting until a socket has something, without taking it."""

import asyncio
import socket


async def readable(sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Wait until reading, or accepting, would not block; nothing is lost if cancelled.

    Not ``loop.sock_accept`` or ``sock_recv``: cancelled in the wrong moment, they drop
    what they have taken already.

    Args:
        sock: Non-blocking, and waited for by nobody else.
        loop: The loop that runs.
    """
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
