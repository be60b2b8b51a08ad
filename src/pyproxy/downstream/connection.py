"""A client's connection: heads in, exchanges one after the other, deadlines over all."""

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from typing import Final, cast

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.drive import Drive
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.incoming import Incoming
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.port import Port
from pyproxy.downstream.repetition import Repetition
from pyproxy.errors.refusal import BadRequest, Refusal, RequestTimeout
from pyproxy.timers.deadline import NEVER, Deadline
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

    Requests are taken in order, and each is begun from within the callback that brought
    the last of its head. Bytes of bodies go from here to the sink of the body, and from
    the upstream to the transport, as they come.
    """

    def __init__(
        self,
        port: Port,
        accepted_at: float,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[[], None],
        address: str | None = None,
    ) -> None:
        self._port = port
        self._on_lost = on_lost
        self._address = address
        self._loop = loop
        self._incoming = Incoming(port.max_header_size)
        self._repetition = Repetition()
        self._drive = Drive(port.spawn, self._served)
        self._exchange: Exchange | None = None
        self._body: RequestBody | None = None
        self._is_served = False  # but the client has yet to read most of the answer
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
        self.peer = Peer.of(self._transport, self._address)
        self._port.connections.add(self)
        self._deadline.set(self._head_until)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: whatever is done for it stops now."""
        del exc  # how it left makes no difference
        self._port.connections.discard(self)
        self._on_lost()
        self._deadline.cancel()
        self._drive.cancel()

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
                self._begin_next()

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
        if self._is_served:
            self._served()

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

    def _begin_next(self) -> None:
        """Begin with the next request, if its head is here."""
        if self._exchange is not None or self._lingering >= 0 or self._transport.is_closing():
            return  # this was called for later, and later is too late
        try:
            exchange = self._next_exchange()
        except Refusal as refusal:
            self._reject(refusal)
            return
        if exchange is not None:
            self._drive.start(self._port.serve(exchange))
        elif len(self._incoming):
            self._expect_head()
        elif self._port.is_draining:
            self._close()

    def _served(self) -> None:
        """The request is answered: make ready for the next one, if there may be one."""
        if self._write_blocked:
            # Answers must not pile up behind one that the client does not read. The deadline
            # is `pause_writing`'s; requests that come meanwhile are bounded.
            self._is_served = True
            return
        self._is_served = False
        exchange, self._exchange, self._body = self._exchange, None, None
        if exchange is None or self._transport.is_closing():
            return
        body = exchange.body
        if not body.is_complete:
            self._start_lingering()
        elif not exchange.keeps_alive or not exchange.is_ended or self._port.is_draining:
            self._close()
        else:
            self._expect_next(body.rest)

    def _expect_next(self, rest: bytes) -> None:
        if rest:
            self._incoming.put_back(rest)
        self._set_reading(True)
        self._head_until = NEVER
        self._deadline.set(self._loop.time() + self._port.idle_timeout)
        if len(self._incoming):
            # Thousands of requests may be buffered: the others have their turn between.
            self._loop.call_soon(self._begin_next)

    def _next_exchange(self) -> Exchange | None:
        """The next request; ``None`` while its head is not whole.

        Raises:
            Refusal: What came is no request.
        """
        text = self._incoming.take_head()
        if text is None:
            return None
        try:
            head, length = self._repetition.read(text)
        except Malformed as exc:
            raise BadRequest(str(exc)) from exc
        body = self._body = RequestBody(length)
        exchange = self._exchange = Exchange(self, head, body, self.peer, self._drive)
        if self._port.is_draining or self._port.is_leaving:
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
        else:
            self._reject(RequestTimeout("the head did not arrive in time"))

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
