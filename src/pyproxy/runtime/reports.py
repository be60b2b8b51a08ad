"""A worker's reports on their way to the supervisor: pushed, never asked for, never waited for."""

import asyncio
import pickle
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from pyproxy.telemetry.report import Report

# Between two reports, unless making one takes more than a hundredth of that.
PERIOD_S: Final = 1.0
_SHARE: Final = 0.01
# For the last report, which nobody would miss for longer.
LAST_WORDS_S: Final = 1.0
_HEADER: Final = struct.Struct("!I")


class ReportSender(asyncio.Protocol):
    """The worker's end.

    A report that the supervisor has yet to read is not followed by another: what is
    pending is one report at most, and a supervisor that is stopped stops nobody.
    """

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._is_written = asyncio.Event()

    @classmethod
    async def over(cls, sock: socket.socket) -> "ReportSender":
        """One that has a connected socket, which is its own from now on."""
        sock.setblocking(False)
        _, sender = await asyncio.get_running_loop().create_connection(cls, sock=sock)
        return sender

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.set_write_buffer_limits(high=0)
        self._is_written.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to report to."""
        del exc
        self._transport = None
        self._is_written.set()

    def pause_writing(self) -> None:
        """The report was not taken whole yet."""
        self._is_written.clear()

    def resume_writing(self) -> None:
        """It was."""
        self._is_written.set()

    async def run(self, report: Callable[[], Report | None], period_s: float = PERIOD_S) -> None:
        """Push a report each second until cancelled; seldomer where it takes long to make.

        Args:
            report: Makes one; ``None`` while there is nothing to tell.
            period_s: Seconds between two.
        """
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            if self._is_written.is_set():
                self._push(report())
            await asyncio.sleep(pause_s(clock() - began, period_s))

    async def finish(self, report: Report | None, within_s: float = LAST_WORDS_S) -> None:
        """Push the last one, and close when it was read, or when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._is_written.wait()
                self._push(report)
                await self._is_written.wait()
        if self._transport is not None:
            self._transport.abort()

    def _push(self, report: Report | None) -> None:
        if report is None or self._transport is None:
            return
        payload = pickle.dumps(report)
        self._transport.write(_HEADER.pack(len(payload)) + payload)


def pause_s(took_s: float, period_s: float) -> float:
    """Seconds until the next report, so that making them takes a hundredth of all time at most.

    Args:
        took_s: What the last one took.
        period_s: What is wanted.
    """
    return max(period_s, took_s / _SHARE)


class ReportReceiver(asyncio.Protocol):
    """The supervisor's end.

    Attributes:
        newest: The last report that came whole.
        heard_at: When that was, of the loop's clock; before the first, when this began.
        done: Set when no other will come.
    """

    def __init__(self) -> None:
        self.newest = Report()
        self.heard_at = asyncio.get_running_loop().time()
        self.done = asyncio.Event()
        self._received = bytearray()

    @classmethod
    async def over(cls, sock: socket.socket) -> "ReportReceiver":
        """One that has a connected socket, which is its own from now on."""
        sock.setblocking(False)
        _, receiver = await asyncio.get_running_loop().create_connection(cls, sock=sock)
        return receiver

    def data_received(self, data: bytes) -> None:
        """Keep the newest report of those that are whole."""
        received = self._received
        received += data
        newest: bytes | None = None
        while len(received) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(received)
            end = _HEADER.size + length
            if len(received) < end:
                break
            newest = bytes(received[_HEADER.size : end])
            del received[:end]
        if newest is not None:
            # The other end is our own process: nobody else has had the socket.
            found = pickle.loads(newest)  # noqa: S301
            if isinstance(found, Report):
                self.newest, self.heard_at = found, asyncio.get_running_loop().time()

    def connection_lost(self, exc: Exception | None) -> None:
        """The worker has ended."""
        del exc
        self._received.clear()
        self.done.set()
