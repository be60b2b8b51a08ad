"""A client's connection: heads in, exchanges one after the other, deadlines over all."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Final, cast

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import BadRequest, HeadersTooLarge, Refusal, RequestTimeout, UriTooLong
from pyproxy.wire.framing import request_length
from pyproxy.wire.head import can_become_a_head, read_request_head
from pyproxy.wire.syntax import Malformed

# Beside the fields, which `max_header_size` bounds; RFC 9112 section 3 asks for at least 8,000.
MAX_REQUEST_LINE: Final = 16 * 1024
# Slower than this over a whole body is an attack: 100 MB would take five days
# (R-U-Dead-Yet). Counted anew after each time that we ourselves held the body back.
MIN_BODY_BYTES_PER_S: Final = 240.0
# Bytes of further requests that wait while one is served.
MAX_PIPELINED: Final = 64 * 1024
# What is still read of a request that was answered early, so that the answer is not
# lost to a reset (RFC 9112 section 9.6), for how long, and how long a silence ends it.
LINGER_BYTES: Final = 1024 * 1024
LINGER_S: Final = 2.0
LINGER_SILENCE_S: Final = 0.2
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # struct linger: on, for no time


@dataclass(slots=True)
class Port:
    """What all connections of a listener share.

    Attributes:
        serve: Answers one exchange; returns when its answer is written.
        reject: Makes the answer to something that is no request.
        spawn: Starts a connection's task, named for logs, and keeps a reference to it.
        header_timeout: Seconds from accept, or from a request's first byte, to
            the end of its head; also the longest silence inside a body.
        idle_timeout: Seconds without a request; also the longest a client may
            leave an answer unread.
        max_header_size: Bytes of all fields of a request.
        is_draining: Connections close after what they are doing.
        connections: Open connections.
    """

    serve: Callable[[Exchange], Awaitable[None]]
    reject: Callable[[Refusal, Peer], bytes]
    spawn: Callable[[Coroutine[object, object, None], str], "asyncio.Task[None]"]
    header_timeout: float
    idle_timeout: float
    max_header_size: int
    is_draining: bool = False
    connections: set["ClientConnection"] = field(default_factory=set)

    def abort(self) -> None:
        """End every connection at once."""
        for connection in tuple(self.connections):
            connection.abort()

    def drain(self) -> None:
        """Close idle connections now and busy ones after their exchange."""
        self.is_draining = True
        for connection in tuple(self.connections):
            connection.close_if_idle()


class ClientConnection(asyncio.Protocol):
    """HTTP/1.1 with one client.

    One task a connection takes its requests in order. Bytes of bodies do not pass
    through it: they go from here to the sink of the body, and from the upstream
    to the transport, as they come.
    """

    def __init__(
        self,
        port: Port,
        accepted_at: float,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[[], None],
    ) -> None:
        self._port = port
        self._on_lost = on_lost
        self._loop = loop
        self._buffer = b""
        self._scanned = 0
        self._exchange: Exchange | None = None
        self._body: RequestBody | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline = accepted_at + port.header_timeout
        self._timer: asyncio.TimerHandle | None = None
        self._reading = True
        self._write_blocked = False
        self._lingering = -1  # bytes dropped while lingering; -1: not lingering
        self._linger_until = 0.0
        self._body_from = (0.0, 0)  # since when the body's rate is counted, and from which byte

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving; TLS is done."""
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast(asyncio.Transport, transport)
        self.peer = _peer_of(self._transport)
        self._port.connections.add(self)
        self._arm()
        self._task = self._port.spawn(self._run(), "connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: whatever is done for it stops now."""
        del exc  # how it left makes no difference
        self._port.connections.discard(self)
        self._on_lost()
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def eof_received(self) -> bool:
        """A client that half-closes has left; nothing is kept open for it."""
        return False

    def data_received(self, data: bytes) -> None:
        """Take bytes: of a body, a head, or requests to come."""
        if self._lingering >= 0:
            self._linger(len(data))
        elif self._body is not None and not self._body.is_complete:
            self._feed_body(data)
        else:
            self._buffer = self._buffer + data if self._buffer else data
            if self._exchange is not None:
                self._set_reading(len(self._buffer) < MAX_PIPELINED)
            elif self._waiter is not None:
                self._wake()

    def pause_writing(self) -> None:
        """The client reads slower than the answer comes."""
        self._write_blocked = True
        self._set_deadline(self._loop.time() + self._port.idle_timeout)
        if self._exchange is not None and self._exchange.source is not None:
            self._exchange.source.pause()

    def resume_writing(self) -> None:
        """The client caught up."""
        self._write_blocked = False
        self._deadline = _NEVER
        if self._exchange is not None and self._exchange.source is not None:
            self._exchange.source.resume()
        if self._body is not None and not self._body.is_complete:
            self._expect_body(self._body)
        self._wake()

    # What an exchange calls (see `Channel`)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def abort(self) -> None:
        """Cut the connection; where nothing else could show it, with a reset."""
        unframed = self._exchange is not None and self._exchange.is_unframed
        if unframed and not self._transport.is_closing():
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def hold_body(self) -> None:
        """Leave the rest of the body in the client's socket."""
        if not self._write_blocked:
            self._deadline = _NEVER
        self._set_reading(False)

    def resume_body(self) -> None:
        """Read the body again."""
        self._set_reading(True)
        if self._body is not None and not self._body.is_complete:
            self._body_from = (self._loop.time(), self._body.received)
            self._expect_body(self._body)

    def close_if_idle(self) -> None:
        """Close unless a request is being served or has begun to arrive."""
        if self._exchange is None and not self._buffer:
            self._transport.close()

    @property
    def is_done(self) -> bool:
        """Nothing is served and nothing unsent; only the client's farewell may be missing."""
        return self._transport.is_closing() and not self._transport.get_write_buffer_size()

    # The requests, one after the other

    async def _run(self) -> None:
        try:
            while (exchange := await self._next_exchange()) is not None:
                await self._port.serve(exchange)
                if self._write_blocked:
                    await self._caught_up()
                if not self._finish(exchange):
                    return
        except Refusal as refusal:
            self._reject(refusal)
        finally:
            if self._lingering < 0:
                self._transport.close()

    async def _caught_up(self) -> None:
        """Wait until the client has read an answer, so that the next one cannot pile up behind it.

        The deadline is ``pause_writing``'s; requests that come meanwhile are bounded.
        """
        while self._write_blocked:
            self._waiter = self._loop.create_future()
            await self._waiter

    async def _next_exchange(self) -> Exchange | None:
        """The next request, once its head is here; ``None`` when none is wanted any more."""
        while (end := self._head_end()) < 0:
            if self._port.is_draining and not self._buffer:
                return None
            self._waiter = self._loop.create_future()
            await self._waiter
        text, self._buffer, self._scanned = self._buffer[:end], self._buffer[end:], 0
        try:
            head = read_request_head(text)
            body = RequestBody(request_length(head))
        except Malformed as exc:
            raise BadRequest(str(exc)) from exc
        self._body = body
        exchange = self._exchange = Exchange(self, head, body, self.peer)
        if self._port.is_draining:
            exchange.keeps_alive = False
        self._deadline = _NEVER
        if not body.is_complete:
            self._body_from = (self._loop.time(), 0)
            self._expect_body(body)
            if self._buffer:
                early, self._buffer = self._buffer, b""
                self._feed_body(early)
        return exchange

    def _head_end(self) -> int:
        """Where the head in the buffer ends; -1 while it does not.

        Raises:
            HeadersTooLarge: It is over the limit.
            UriTooLong: The request line is.
            BadRequest: It cannot become a head any more.
        """
        buffer = self._buffer
        if not buffer:
            return -1
        if buffer[:2] == b"\r\n":
            # RFC 9112 section 2.2: an empty line before a request is to be ignored.
            buffer = self._buffer = buffer[2:]
            self._scanned = 0
        end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3)) + 4
        line = buffer.find(b"\r\n", 0, MAX_REQUEST_LINE)
        if line < 0 and len(buffer) >= MAX_REQUEST_LINE:
            raise UriTooLong
        if line >= 0 and (end if end > 3 else len(buffer)) - line > self._port.max_header_size + 4:  # noqa: PLR2004
            raise HeadersTooLarge
        if end > 3:  # noqa: PLR2004 - found: -1 + 4 is 3
            return end
        if not can_become_a_head(buffer):
            raise BadRequest("a line that does not end in CRLF")
        if self._scanned == 0:
            self._begin_head()
        self._scanned = len(buffer)
        return -1

    def _finish(self, exchange: Exchange) -> bool:
        """Make ready for the next request, or say that there is none."""
        body = exchange.body
        self._exchange = self._body = None
        if not body.is_complete:
            self._start_lingering()
            return False
        if not exchange.keeps_alive or not exchange.is_ended or self._port.is_draining:
            return False
        if body.rest:
            self._buffer = body.rest + self._buffer
        self._set_reading(True)
        self._set_deadline(self._loop.time() + self._port.idle_timeout)
        return True

    def _reject(self, refusal: Refusal) -> None:
        """Answer something that is no request, and close."""
        self._exchange = self._body = None
        self._transport.write(self._port.reject(refusal, self.peer))
        self._start_lingering()

    # Bodies

    def _feed_body(self, data: bytes) -> None:
        body, exchange = self._body, self._exchange
        if body is None or exchange is None:
            return
        try:
            body.feed(data)
        except Malformed as exc:
            exchange.break_body(BadRequest(str(exc)))
            return
        except Refusal as refusal:
            exchange.break_body(refusal)
            return
        if body.is_complete:
            if not self._write_blocked:
                self._deadline = _NEVER
        elif body.is_full:
            self.hold_body()
        else:
            self._expect_body(body)

    def _expect_body(self, body: RequestBody) -> None:
        """A body that stalls for as long as a head may take is given up, and one that drips."""
        if self._reading and not self._write_blocked:
            since, start = self._body_from
            patience = self._port.header_timeout
            slowest = since + patience + (body.received - start) / MIN_BODY_BYTES_PER_S
            self._set_deadline(min(self._loop.time() + patience, slowest))

    # Reading, deadlines, the end

    def _set_reading(self, wanted: bool) -> None:
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _begin_head(self) -> None:
        """From a request's first byte its head has ``header_timeout``, however it drips."""
        self._set_deadline(min(self._deadline, self._loop.time() + self._port.header_timeout))

    def _set_deadline(self, deadline: float) -> None:
        """Move the deadline; the timer is only touched when it would ring too late."""
        self._deadline = deadline
        if self._timer is None or self._timer.when() > deadline:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._deadline == _NEVER:
            return
        if self._loop.time() < self._deadline:
            self._arm()
        elif self._write_blocked:
            self.abort()
        elif self._lingering >= 0 or (not self._buffer and self._exchange is None):
            self._transport.close()
        elif self._exchange is not None:
            self._exchange.break_body(RequestTimeout("the body stalled"))
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(RequestTimeout("the head did not arrive in time"))

    def _start_lingering(self) -> None:
        """Read and drop what the client still sends, so that it can read the answer."""
        self._buffer = b""
        self._lingering = 0
        self._linger_until = self._loop.time() + LINGER_S
        self._set_reading(True)
        self._set_deadline(self._loop.time() + LINGER_SILENCE_S)

    def _linger(self, count: int) -> None:
        self._lingering += count
        if self._lingering > LINGER_BYTES:
            self._transport.close()
        self._deadline = min(self._linger_until, self._loop.time() + LINGER_SILENCE_S)


_NEVER: Final = float("inf")


def _peer_of(transport: asyncio.Transport) -> Peer:
    name = transport.get_extra_info("peername")
    tls = transport.get_extra_info("ssl_object")
    address = name[0] if isinstance(name, tuple) else ""
    certificate = tls.getpeercert() if tls is not None else None
    return Peer(address, tls is not None, _common_name(certificate or {}))


def _common_name(certificate: object) -> str:
    """The subject's common name in what ``getpeercert`` returns."""
    if not isinstance(certificate, dict):
        return ""
    for relative in certificate.get("subject", ()):
        for key, value in relative:
            if key == "commonName":
                return str(value)
    return ""
