"""A client's connection: heads in, exchanges one after the other, deadlines over all."""

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from typing import Final, cast

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.incoming import Incoming
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.port import Port
from pyproxy.errors.refusal import BadRequest, Refusal, RequestTimeout
from pyproxy.timers.deadline import NEVER, Deadline
from pyproxy.wire.framing import request_length
from pyproxy.wire.head import read_request_head
from pyproxy.wire.syntax import Malformed

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
# While requests or a body are held back nothing is read, and so no end of the connection seen:
# it is looked for this often, since an upstream must not work for a client that left.
HELD_LOOK_S: Final = 0.2
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # struct linger: on, for no time


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
        self._incoming = Incoming(port.max_header_size)
        self._exchange: Exchange | None = None
        self._body: RequestBody | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline = Deadline(loop, self._expire)
        # When the next head must be whole; NEVER before its first byte, but for the first head.
        self._head_until = accepted_at + port.header_timeout
        self._reading = True
        self._is_looking = False
        self._write_blocked = False
        self._lingering = -1  # bytes dropped while lingering; -1: not lingering
        self._linger_until = 0.0
        self._body_from = (0.0, 0)  # since when the body's rate is counted, and from which byte

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving; TLS is done."""
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast(asyncio.Transport, transport)
        self.peer = Peer.of(self._transport)
        self._port.connections.add(self)
        self._deadline.set(self._head_until)
        self._task = self._port.spawn(self._run(), "connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: whatever is done for it stops now."""
        del exc  # how it left makes no difference
        self._port.connections.discard(self)
        self._on_lost()
        self._deadline.cancel()
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
            self._incoming.append(data)
            if self._exchange is not None:
                self._set_reading(len(self._incoming) < MAX_PIPELINED)
            else:
                self._wake()

    def pause_writing(self) -> None:
        """The client reads slower than the answer comes."""
        self._write_blocked = True
        self._deadline.set(self._loop.time() + self._port.idle_timeout)
        if self._exchange is not None and self._exchange.source is not None:
            self._exchange.source.pause()

    def resume_writing(self) -> None:
        """The client caught up."""
        self._write_blocked = False
        if self._exchange is not None:
            self._deadline.at = NEVER
            if self._exchange.source is not None:
                self._exchange.source.resume()
        self._expect_body_anew()
        self._wake()

    # What an exchange calls (see `Channel`)

    def write(self, data: bytes) -> None:
        """Send bytes; to a client that has left, nothing."""
        if not self._transport.is_closing():
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
            self._deadline.at = NEVER
        self._set_reading(False)

    def resume_body(self) -> None:
        """Read the body again."""
        self._set_reading(True)
        self._expect_body_anew()

    def _look_for_client(self) -> None:
        """End a connection whose client has left while nothing is read from it."""
        self._is_looking = False
        if self._reading or self._transport.is_closing():
            return
        if _has_hung_up(self._transport.get_extra_info("socket")):
            self._transport.abort()
        else:
            self._look_later()

    def _look_later(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(HELD_LOOK_S, self._look_for_client)

    def close_if_idle(self) -> None:
        """Close unless a request is being served or has begun to arrive."""
        if self._exchange is None and not len(self._incoming):
            self._close()

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
                if len(self._incoming):
                    # Thousands of requests may be buffered: the others have their turn between.
                    await asyncio.sleep(0)
        except Refusal as refusal:
            self._reject(refusal)
        finally:
            if self._lingering < 0:
                self._close()

    async def _caught_up(self) -> None:
        """Wait until the client has read an answer, so that the next one cannot pile up behind it.

        The deadline is ``pause_writing``'s; requests that come meanwhile are bounded.
        """
        while self._write_blocked:
            self._waiter = self._loop.create_future()
            await self._waiter

    async def _next_exchange(self) -> Exchange | None:
        """The next request, once its head is here; ``None`` when none is wanted any more.

        Raises:
            Refusal: What came is no request, or did not come in time.
        """
        while (text := self._incoming.take_head()) is None:
            if len(self._incoming):
                self._expect_head()
            elif self._port.is_draining:
                return None
            self._waiter = self._loop.create_future()
            await self._waiter
        try:
            head = read_request_head(text)
            body = RequestBody(request_length(head))
        except Malformed as exc:
            raise BadRequest(str(exc)) from exc
        self._body = body
        exchange = self._exchange = Exchange(self, head, body, self.peer)
        if self._port.is_draining:
            exchange.keeps_alive = False
        self._deadline.at = NEVER
        if not body.is_complete:
            self._body_from = (self._loop.time(), 0)
            self._expect_body(body)
            if len(self._incoming):
                self._feed_body(self._incoming.take_all())
        return exchange

    def _expect_head(self) -> None:
        """From a request's first byte its head has ``header_timeout``, however it drips."""
        if self._head_until == NEVER:
            self._head_until = self._loop.time() + self._port.header_timeout
        self._deadline.set(self._head_until)

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
            self._incoming.put_back(body.rest)
        self._set_reading(True)
        self._head_until = NEVER
        self._deadline.set(self._loop.time() + self._port.idle_timeout)
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
                self._deadline.at = NEVER
        elif body.is_full:
            self.hold_body()
        else:
            self._expect_body(body)

    def _expect_body_anew(self) -> None:
        """Count the body's rate from here: it was not for the client to send, or hardly."""
        body = self._body
        if body is not None and not body.is_complete:
            self._body_from = (self._loop.time(), body.received)
            self._expect_body(body)

    def _expect_body(self, body: RequestBody) -> None:
        """A body that stalls for as long as a head may take is given up, and one that drips."""
        if self._reading and not self._write_blocked:
            since, start = self._body_from
            patience = self._port.header_timeout
            slowest = since + patience + (body.received - start) / MIN_BODY_BYTES_PER_S
            self._deadline.set(min(self._loop.time() + patience, slowest))

    # Reading, deadlines, the end

    def _set_reading(self, wanted: bool) -> None:
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
            self._look_later()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _close(self) -> None:
        """Close when everything is sent; it is cut if the client does not read it in time."""
        if not self._transport.is_closing():
            self._transport.close()
            self._deadline.set(self._loop.time() + self._port.idle_timeout)

    def _expire(self) -> None:
        if self._transport.is_closing():
            self._transport.abort()
        elif self._lingering >= 0 or (not len(self._incoming) and self._exchange is None):
            self._close()
        elif self._write_blocked:
            self.abort()
        elif self._exchange is not None:
            self._exchange.break_body(RequestTimeout("the body stalled"))
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(RequestTimeout("the head did not arrive in time"))

    def _start_lingering(self) -> None:
        """Read and drop what the client still sends, so that it can read the answer."""
        _ = self._incoming.take_all()
        self._lingering = 0
        self._linger_until = self._loop.time() + LINGER_S
        self._set_reading(True)
        self._deadline.set(self._loop.time() + LINGER_SILENCE_S)

    def _linger(self, count: int) -> None:
        self._lingering += count
        if self._lingering > LINGER_BYTES:
            self._close()
            return
        self._deadline.at = min(self._linger_until, self._loop.time() + LINGER_SILENCE_S)


def _has_hung_up(sock: socket.socket) -> bool:
    """Whether the other end sends no more, though bytes of it may be unread."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
