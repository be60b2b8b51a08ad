"""An event loop whose time stands still until it is moved, and transports without sockets."""

import asyncio
import selectors
import socket
from collections import deque

START = 1000.0
NEVER = float("inf")
MAX_TURNS = 10_000
HIGH_WATER = 64 * 1024  # asyncio's own bound for what a transport holds unsent


class _NothingToRead(selectors.SelectSelector):
    """Never waits: whatever happens here is called for."""

    def select(self, timeout=None):
        del timeout
        return []


class StillLoop(asyncio.SelectorEventLoop):
    """Runs until nothing is left to do now.

    Attributes:
        faults: Exceptions that escaped from a callback or a task.
    """

    def __init__(self):
        self._now = START
        super().__init__(_NothingToRead())
        self._clock_resolution = 1e-6  # after months of this time a float knows no nanoseconds
        self.faults = []
        self.set_exception_handler(lambda _, context: self.faults.append(context))

    def time(self):
        return self._now

    def settle(self):
        """Run whatever is due."""
        for _ in range(MAX_TURNS):
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready and self._next_due() > self._now:
                return
        raise AssertionError("it never comes to rest")

    def do(self, call, *arguments):
        """Call something from within the loop, and run what follows from it."""
        self.call_soon(call, *arguments)
        self.settle()

    def advance(self, seconds):
        """Let time pass, each timer at its moment."""
        until = self._now + seconds
        while (due := self._next_due()) <= until:
            self._now = max(self._now, due)
            self.settle()
        self._now = until
        self.settle()

    def _next_due(self):
        first = self._scheduled[0] if self._scheduled else None  # a heap, as in heapq
        if first is None or not first.cancelled():
            return NEVER if first is None else first.when()
        return min((each.when() for each in self._scheduled if not each.cancelled()), default=NEVER)


class Transport:
    """One end of a connection: what is written is kept, what arrives is told when.

    Args:
        loop: A ``StillLoop``.
        on_write: Called with what the other end can read.

    Attributes:
        got: What the other end can read.
        is_flowing: It reads.
        end: How it ended: ``""``, ``"close"``, ``"abort"`` or ``"lost"``.
        is_over: The protocol was told.
        misdeeds: What a protocol must not do to a transport.
        taken: Bytes that the protocol was given.
    """

    def __init__(self, loop, on_write=lambda _: None):
        self._loop = loop
        self._on_write = on_write
        self._unsent = bytearray()
        self._is_full = False
        self._is_reading = True
        self._arrived = deque()
        self._is_ended_by_them = False
        self._pair = None
        self.protocol = None
        self.got = bytearray()
        self.is_flowing = True
        self.end = ""
        self.is_over = False
        self.misdeeds = []
        self.taken = 0

    # What a protocol calls

    def write(self, data):
        if self.end:
            self.misdeeds.append(f"written after {self.end}: {bytes(data[:40])!r}")
            return
        if not data:
            self.misdeeds.append("nothing written")
        self._unsent += data
        self._pump()
        if len(self._unsent) > HIGH_WATER and not self._is_full:
            self._is_full = True
            self.protocol.pause_writing()

    def close(self):
        if not self.end:
            self.end = "close"
            self._pump()

    def abort(self):
        self._unsent.clear()
        if self.end in {"", "close"} and not self.is_over:
            self._loop.call_soon(self._lose, None)
        self.end = "abort"

    def set_protocol(self, protocol):
        self.protocol = protocol

    def get_protocol(self):
        return self.protocol

    def can_write_eof(self):
        return False

    def is_closing(self):
        return bool(self.end)

    def pause_reading(self):
        self._is_reading = False

    def resume_reading(self):
        self._is_reading = True
        self._loop.call_soon(self._deliver)

    def set_write_buffer_limits(self, high):
        """``HIGH_WATER`` stays in force: a lower one is reached more often."""

    def get_write_buffer_size(self):
        return len(self._unsent)

    def get_extra_info(self, name):
        if name == "peername":
            return ("192.0.2.7", 40000)
        if name == "socket":  # it is asked whether the other end has hung up, and set to reset
            self._pair = self._pair or socket.socketpair()
            if self._is_ended_by_them:
                self._pair[1].close()
            return self._pair[0]
        return None

    # What the other end does; to be called from within the loop

    def arrive(self, data):
        """Bytes come in."""
        self._arrived.append(data)
        self._deliver()

    def hang_up(self):
        """The other end says that no more will come."""
        self._is_ended_by_them = True
        if self._pair:
            self._pair[1].close()
        self._deliver()

    def break_off(self):
        """The connection is lost."""
        if not self.end:
            self.end = "lost"
            self._loop.call_soon(self._lose, ConnectionResetError())

    def stall(self):
        """The other end reads no more."""
        self.is_flowing = False

    def flow(self):
        """The other end reads all there is."""
        self.is_flowing = True
        self._pump()
        if self._is_full and not self.is_over:
            self._is_full = False
            self.protocol.resume_writing()

    @property
    def unsent(self):
        """Bytes that were written and not read yet."""
        return len(self._unsent)

    @property
    def waiting(self):
        """Bytes that came and were left in the socket."""
        return sum(map(len, self._arrived))

    def dispose(self):
        """Close what is real."""
        for sock in self._pair or ():
            sock.close()

    def _pump(self):
        if self.is_flowing and self._unsent:
            data = bytes(self._unsent)
            self._unsent.clear()
            self.got += data
            self._on_write(data)
        if self.end == "close" and not self._unsent:
            self._loop.call_soon(self._lose, None)

    def _deliver(self):
        while self._arrived and self._is_reading and not self.end:
            data = self._arrived.popleft()
            self.taken += len(data)
            self.protocol.data_received(data)
        ended = self._is_ended_by_them and not self._arrived and self._is_reading
        if ended and not self.end and not self.protocol.eof_received():
            self.close()

    def _lose(self, error):
        if not self.is_over:
            self.is_over = True
            self.protocol.connection_lost(error)
