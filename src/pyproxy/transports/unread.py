"""What has come to a socket and was not handed on yet."""

import select
import socket


class Unread:
    """Looks into a socket without reading it, in less than a microsecond.

    The loop hands on what came when it gets to it. Who is about to send cannot wait for
    that: what lies there was said before.

    Args:
        sock: Of a connection that is open as long as this is asked.
    """

    __slots__ = ("_poll",)

    def __init__(self, sock: socket.socket) -> None:
        self._poll = select.poll()
        self._poll.register(sock.fileno(), select.POLLIN)

    def is_there(self) -> bool:
        """Whether bytes, or the connection's end, wait to be read."""
        return bool(self._poll.poll(0))
