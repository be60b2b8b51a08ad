"""An end that cannot be taken for an orderly one."""

import asyncio
import socket
import struct
from typing import Final

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # struct linger: on, for no time


def reset(transport: asyncio.Transport) -> None:
    """Abort a connection so that its other end sees a reset at once.

    A mere abort discards what is unsent here, but the socket goes on sending what it
    holds and says its end behind that: to who does not read, nothing for hours.
    """
    if not transport.is_closing():
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
