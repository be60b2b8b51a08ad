"""Whether a connection is read, and a look-out for its end while it is not."""

import asyncio
import select
import socket
from typing import Final

# While nothing is read no end of the connection is seen: it is looked for this often,
# since one side must not work for another that left.
HELD_LOOK_S: Final = 0.2
# What ``poll`` tells of an end. POLLHUP is no reset: it comes too when both directions have
# ended in order, with bytes that nobody has read yet.
RESET: Final = select.POLLERR
ANY_END: Final = select.POLLRDHUP | select.POLLHUP | RESET


class Reading:
    """Reads a transport, or leaves its bytes in the socket.

    Args:
        loop: The worker's.
        transport: Being read.
        ends: Which end is looked for: ``ANY_END``, or ``RESET`` where any other can wait
            for its turn behind unread bytes.

    Attributes:
        is_on: It is read, but while it rests.
    """

    __slots__ = ("_ends", "_is_looking", "_is_resting", "_loop", "_transport", "is_on")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        ends: int = ANY_END,
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._ends = ends
        self._is_looking = False
        self._is_resting = False
        self.is_on = True

    def set(self, wanted: bool) -> None:
        """Read, or do not; of a transport that is closing, nothing changes."""
        if wanted is self.is_on or self._transport.is_closing():
            return
        self.is_on = wanted
        if not wanted:
            self._transport.pause_reading()
            self._look_later()
        elif not self._is_resting:
            self._transport.resume_reading()

    def rest(self, wanted: bool) -> None:
        """Read nothing, whatever ``set`` says, until what was read is taken; or no more so."""
        if wanted is self._is_resting:
            return
        self._is_resting = wanted
        if self.is_on and not self._transport.is_closing():
            if wanted:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def let_others(self) -> None:
        """Read on only when the loop has been round: others wait, and this takes long.

        uvloop reads a socket that stays full many times in a row otherwise.
        """
        if self.is_on and not self._transport.is_closing():
            self._transport.pause_reading()
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self.is_on and not self._is_resting and not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def is_closing(self) -> bool:
        """Nothing is read any more, whatever is wanted."""
        return self._transport.is_closing()

    def _look(self) -> None:
        """End a connection whose other end has left."""
        self._is_looking = False
        if self.is_on or self._transport.is_closing():
            return
        if _has_ended(self._transport.get_extra_info("socket"), self._ends):
            self._transport.abort()
        else:
            self._look_later()

    def _look_later(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(HELD_LOOK_S, self._look)


def _has_ended(sock: socket.socket, ends: int) -> bool:
    """Whether the other end is gone, though bytes of it may be unread."""
    poll = select.poll()
    poll.register(sock.fileno(), ends)
    return any(events & ends for _, events in poll.poll(0))
