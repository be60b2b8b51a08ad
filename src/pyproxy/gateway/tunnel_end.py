"""One of a tunnel's two connections: what it reads, the other one writes."""

import asyncio
from typing import Final, Protocol

from pyproxy.downstream.successor import Successor
from pyproxy.transports.reading import RESET, Reading
from pyproxy.transports.reset import reset
from pyproxy.upstream.connection import is_cut
from pyproxy.wire.websocket import Speech

# So much of one read may be a frame for every two bytes, 15 ms to go through; uvloop reads
# four times as much, and as long as there is more, 32 times in a row.
MANY_FRAMES_BYTES: Final = 64 * 1024


class Whole(Protocol):
    """The tunnel, as far as its ends know it."""

    def moved(self, end: "End", count: int) -> None:
        """So many bytes came from one side."""

    def told(self) -> None:
        """A Close of ours was sent, or is not needed."""

    def ended(self, end: "End", *, is_cut: bool) -> bool:
        """One side sends no more; whether it may still be sent to."""
        ...

    def lost(self, end: "End", exc: Exception | None) -> None:
        """One side is gone."""

    def drain(self) -> None:
        """End it in order, if there is an order."""


class End(Successor):
    """One side.

    Attributes:
        other: The other side.
        speech: What this side says, if it is a WebSocket.
        has_ended: It sends no more.
    """

    other: "End"

    def __init__(self, tunnel: Whole, loop: asyncio.AbstractEventLoop) -> None:
        self._tunnel = tunnel
        self._loop = loop
        self.speech: Speech | None = None
        self.has_ended = False

    def take_over(self, owner: asyncio.Protocol, transport: asyncio.Transport) -> None:
        """Go on where ``owner`` ends."""
        self._owner = owner
        self._transport = transport
        # An end can wait for its turn; a reset cannot.
        self._reading = Reading(self._loop, transport, RESET)

    # What the loop calls

    def data_received(self, data: bytes) -> None:
        """Write it to the other side."""
        speech = self.speech
        if speech is None:
            self.other.write(data)
        else:
            was_over = speech.is_over
            if heard := speech.hear(data):
                self.other.write(heard)
            if speech.is_over and not was_over:
                self._tunnel.told()
            if len(data) >= MANY_FRAMES_BYTES:
                self._reading.let_others()
        self._tunnel.moved(self, len(data))

    def eof_received(self) -> bool:
        """Pass the end on; a TLS connection cannot end in one direction alone."""
        self.has_ended = True
        return self._tunnel.ended(self, is_cut=is_cut(self._transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """Neither side goes on without the other."""
        self.has_ended = True
        self._tunnel.lost(self, exc)
        self._owner.connection_lost(exc)

    def pause_writing(self) -> None:
        """This side reads slower than the other sends."""
        self._owner.pause_writing()
        self.other.hold()

    def resume_writing(self) -> None:
        """It caught up."""
        self._owner.resume_writing()
        self.other.release()

    # What the other side and the tunnel call

    def write(self, data: bytes) -> None:
        """Send, unless it has ended."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def hold(self) -> None:
        """Read no more for now."""
        self._reading.set(False)

    def release(self) -> None:
        """Read on."""
        self._reading.set(True)

    @property
    def is_held(self) -> bool:
        """It is not read, because the other side does not read."""
        return not self._reading.is_on

    def drain(self) -> None:
        """Tell the tunnel."""
        self._tunnel.drain()

    def close_speech(self, frame: bytes) -> None:
        """End what this side says to the other with a Close of ours."""
        now = b"" if self.speech is None else self.speech.close(frame)
        if now and not self.has_ended:  # else that direction is shut already
            self.other.write(now)

    @property
    def has_closed(self) -> bool:
        """It said Close, as a WebSocket's orderly end is."""
        return self.speech is not None and self.speech.has_closed

    @property
    def has_been_heard(self) -> bool:
        """Of what it says nothing passes on any more."""
        return self.speech is not None and self.speech.is_over

    @property
    def can_half_close(self) -> bool:
        """Whether one direction can end alone."""
        return self._transport.can_write_eof()

    def end(self) -> None:
        """Send no more, when what is pending is sent."""
        if not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        """Close when what is pending is sent."""
        self._transport.close()

    def reset(self) -> None:
        """Break off, with a reset: a mere end could be taken for an orderly one."""
        reset(self._transport)
