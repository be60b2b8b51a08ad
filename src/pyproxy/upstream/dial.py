"""A TCP connection to a host that may have several addresses: the first to answer wins."""

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from pyproxy.upstream.names import Place
from pyproxy.upstream.reason import in_words

# RFC 8305 section 5: the recommended Connection Attempt Delay.
ATTEMPT_DELAY_S: Final = 0.25
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EINTR, errno.EAGAIN})


async def dial(
    loop: asyncio.AbstractEventLoop, places: Sequence[Place], delay_s: float = ATTEMPT_DELAY_S
) -> tuple[socket.socket, Place, tuple[Place, ...]]:
    """Connect to the first place that answers (RFC 8305 section 5).

    An attempt begins when the one before failed, or did not answer within ``delay_s``.
    Whatever happens, no socket stays open but the one that is returned.

    Args:
        loop: Supports ``add_writer``.
        places: Best first; at least one.
        delay_s: Seconds between two attempts.

    Returns:
        A connected, non-blocking socket, where to, and the places that failed or were overtaken.

    Raises:
        OSError: Nowhere could be connected to.
    """
    race = _Race(loop, interleaved(places), delay_s)
    try:
        race.next()
        return race.take(await race.over)
    finally:
        race.end()


def interleaved(places: Sequence[Place]) -> Iterator[Place]:
    """The same places with their families in turn, the first one's first (section 4)."""
    first = [place for place in places if place.family == places[0].family]
    other = [place for place in places if place.family != places[0].family]
    for pair in zip_longest(first, other):
        yield from (place for place in pair if place is not None)


class _Race:
    """Attempts that are under way.

    Attributes:
        over: Holds the first one that is connected, or the error when all have failed.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, places: Iterator[Place], delay_s: float
    ) -> None:
        self._loop = loop
        self._waiting = deque(places)
        self._delay_s = delay_s
        self._running: dict[socket.socket, Place] = {}
        self._errors: list[OSError] = []
        self._beaten: list[Place] = []
        self._timer: asyncio.TimerHandle | None = None
        self.over: asyncio.Future[socket.socket] = loop.create_future()

    def next(self) -> None:
        """Begin the next attempt, and arrange for the one after it."""
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting and not self.over.done():
            if self._begin(self._waiting.popleft()):
                self._timer = self._loop.call_later(self._delay_s, self.next)
                return
        if not self._running and not self.over.done():
            self.over.set_exception(_joined(self._errors))

    def take(self, winner: socket.socket) -> tuple[socket.socket, Place, tuple[Place, ...]]:
        """The winner, which is the caller's from now on, its place, and those that it beat."""
        place = self._running.pop(winner)
        return winner, place, (*self._beaten, *self._running.values())

    def end(self) -> None:
        """Close every socket that was not taken."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.over.cancel() and not self.over.cancelled():
            self.over.exception()  # nobody may be there to hear it any more
        for sock in self._running:
            self._loop.remove_writer(sock)
            sock.close()
        self._running.clear()

    def _begin(self, place: Place) -> bool:
        """Whether an attempt is under way, or has won."""
        try:
            sock = _opened(place.family)
        except OSError as exc:
            self._lost(place, exc)
            return False
        self._running[sock] = place
        number = sock.connect_ex(place.address)
        if number in _UNDER_WAY:
            self._loop.add_writer(sock, self._answered, sock)
        else:
            self._decide(sock, number)
        return sock in self._running

    def _answered(self, sock: socket.socket) -> None:
        self._loop.remove_writer(sock)
        self._decide(sock, sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        if sock not in self._running:
            self.next()

    def _decide(self, sock: socket.socket, number: int) -> None:
        if number:
            sock.close()
            self._lost(self._running.pop(sock), OSError(number, os.strerror(number)))
        elif not self.over.done():
            self.over.set_result(sock)

    def _lost(self, place: Place, error: OSError) -> None:
        self._beaten.append(place)
        self._errors.append(error)


def _opened(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setblocking(False)
        # A request is one write, and its body's pieces must not wait for an acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def _joined(errors: Sequence[OSError]) -> OSError:
    """One error that says all that went wrong, each reason once."""
    reasons = dict.fromkeys(map(in_words, errors))
    return errors[0] if len(reasons) == 1 else OSError(", ".join(reasons))
