"""A client's connection: heads in, exchanges one after the other, deadlines over all."""

import asyncio
import re
from collections.abc import Callable
from typing import Final, cast

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.drive import Drive
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.incoming import Incoming
from pyproxy.downstream.lingering import Lingering
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.port import Port
from pyproxy.downstream.repetition import Repetition
from pyproxy.downstream.successor import Successor
from pyproxy.downstream.upload import Upload
from pyproxy.errors.refusal import BadRequest, Refusal, RequestTimeout
from pyproxy.timers.deadline import MOST_GRACE_S, NEVER, Deadline
from pyproxy.transports.reading import Reading
from pyproxy.transports.reset import reset
from pyproxy.wire.syntax import Malformed

# Bytes of further requests that wait while one is served.
MAX_PIPELINED: Final = 64 * 1024
# Of answers that a client leaves unread; more stays in the upstream's socket.
WRITE_BUFFER_BYTES: Final = 64 * 1024
_HEAD: Final = re.compile(rb"HEAD [\x21-\x7e]+ HTTP/1\.[01]\r\n")


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
        *,
        is_unnamed: bool = False,
    ) -> None:
        self._port = port
        self._on_lost = on_lost
        self._address = address
        self._is_unnamed = is_unnamed
        self._loop = loop
        self._incoming = Incoming(port.max_header_size)
        self._repetition = Repetition()
        self._drive = Drive(port.spawn, self._served)
        self._exchange: Exchange | None = None
        self._successor: Successor | None = None
        self._is_served = False  # but the client has yet to read most of the answer
        self._deadline = Deadline(loop, self._expire)
        # When the next head must be whole; NEVER before its first byte, but for the first head.
        self._head_until = accepted_at + port.header_timeout
        self._lingering: Lingering | None = None

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving; TLS is done."""
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self._transport = cast(asyncio.Transport, transport)
        # Over TLS uvloop would let 512 KiB pile up, asyncio 64 KiB as over TCP.
        self._transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        self._reading = Reading(self._loop, self._transport)
        self._upload = Upload(self._loop, self._port, self._reading, self._deadline)
        self.peer = Peer.of(self._transport, self._address, is_unnamed=self._is_unnamed)
        self._port.connections.add(self)
        if self._loop.time() > self._head_until:  # we were late, and forgiven: see Deadline
            self._head_until = self._loop.time() + MOST_GRACE_S
        self._deadline.set(self._head_until)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client left: whatever is done for it stops now."""
        del exc  # how it left makes no difference
        self._port.connections.discard(self)
        self._on_lost()
        self._deadline.end()
        self._drive.end()
        # In no circle: what is held here has 256 KiB of TLS buffers, to go with the last reference.
        self.peer.course = self._exchange = None
        self._upload.end()

    def eof_received(self) -> bool:
        """A client that half-closes has left; nothing is kept open for it.

        The transport closes once everything is sent, and a client that does not read makes
        that never: so what is done for it ends now, and the wait has an end.
        """
        self._drive.cancel()
        self._deadline.set(self._loop.time() + self._port.idle_timeout)
        return False

    def data_received(self, data: bytes) -> None:
        """Take bytes: of a body, a head, or requests to come."""
        if self._lingering is not None:
            self._linger(self._lingering, len(data))
        elif self._upload.is_expected:
            self._upload.feed(data)
        else:
            self._incoming.append(data)
            if self._exchange is not None:
                self._reading.set(len(self._incoming) < MAX_PIPELINED)
            else:
                self._begin_next()

    def pause_writing(self) -> None:
        """The client reads slower than the answer comes."""
        self._upload.is_answer_unread = True
        self._deadline.set(self._loop.time() + self._port.idle_timeout)
        if self._exchange is not None and self._exchange.source is not None:
            self._exchange.source.pause()

    def resume_writing(self) -> None:
        """The client caught up."""
        self._upload.is_answer_unread = False
        if self._exchange is not None:
            self._deadline.at = NEVER
            if self._exchange.source is not None:
                self._exchange.source.resume()
        self._upload.expect_anew()
        if self._is_served:
            self._served()

    # What an exchange calls (see `Channel`)

    def write(self, data: bytes) -> None:
        """Send bytes; to a client that has left, nothing."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Cut the connection; where nothing else could show it, with a reset."""
        if self._exchange is not None and self._exchange.is_unframed:
            reset(self._transport)
        else:
            self._transport.abort()

    def hold_body(self) -> None:
        """Leave the rest of the body in the client's socket."""
        self._upload.hold()

    def resume_body(self) -> None:
        """Read the body again."""
        self._upload.resume()

    def hand_over(self, successor: Successor) -> bytes:
        """Let another protocol read; the connection's end and deadlines stay here."""
        self._successor = successor
        self._reading.set(True)
        successor.take_over(self, self._transport)
        self._transport.set_protocol(successor)
        if self._port.is_draining or self._port.is_leaving:
            self._loop.call_soon(successor.drain)
        return self._incoming.take_all()

    def close_if_idle(self) -> None:
        """Close unless a request is being served or has begun to arrive; it is the last."""
        if self._successor is not None:
            self._successor.drain()
        elif self._exchange is not None:
            # Its answer says so, if its head is still to come (RFC 9112 section 9.6).
            self._exchange.keeps_alive = False
        elif not len(self._incoming):
            self._close()

    def leave(self) -> None:
        """End what would not end by itself with the answer to a request."""
        if self._successor is not None:
            self._successor.drain()

    @property
    def is_done(self) -> bool:
        """Nothing is served and nothing unsent; only the client's farewell may be missing."""
        return self._transport.is_closing() and not self._transport.get_write_buffer_size()

    # The requests, one after the other

    def _begin_next(self) -> None:
        """Begin with the next request, if its head is here."""
        is_busy = self._exchange is not None or self._lingering is not None
        if is_busy or self._transport.is_closing():
            return  # this was called for later, and later is too late
        try:
            text = self._incoming.take_head()
        except Refusal as refusal:
            self._reject(refusal)
            return
        if text is not None:
            self._begin(text)
        elif len(self._incoming):
            self._reading.set(True)
            self._expect_head()
        elif self._port.is_draining:
            self._close()

    def _served(self) -> None:
        """The request is answered: make ready for the next one, if there may be one."""
        if self._upload.is_answer_unread:
            # Answers must not pile up behind one that the client does not read. The deadline
            # is `pause_writing`'s; requests that come meanwhile are bounded.
            self._is_served = True
            return
        self._is_served = False
        exchange, self._exchange = self._exchange, None
        self._upload.end()
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
        self._reading.set(len(self._incoming) < MAX_PIPELINED)
        self._head_until = NEVER
        self._deadline.set(self._loop.time() + self._port.idle_timeout)
        if len(self._incoming):
            # Thousands of requests may be buffered: the others have their turn between.
            self._loop.call_soon(self._begin_next)

    def _begin(self, text: bytes) -> None:
        """Begin with a request whose head is here."""
        try:
            head, length = self._repetition.read(text)
        except Malformed as exc:
            self._reject(BadRequest(str(exc)), is_head=_HEAD.match(text) is not None)
            return
        body = RequestBody(length)
        exchange = self._exchange = Exchange(self, head, body, self.peer, self._drive)
        if self._port.is_draining or self._port.is_leaving:
            exchange.keeps_alive = False
        self._deadline.at = NEVER
        if not body.is_complete:
            self._upload.begin(exchange)
            if len(self._incoming):
                self._upload.feed(self._incoming.take_all())
        self._drive.start(self._port.serve(exchange))

    def _expect_head(self) -> None:
        """From a request's first byte its head has ``header_timeout``, however it drips."""
        if self._head_until == NEVER:
            self._head_until = self._loop.time() + self._port.header_timeout
        self._deadline.set(self._head_until)

    def _reject(self, refusal: Refusal, *, is_head: bool = False) -> None:
        """Answer something that is no request, and close."""
        self._exchange = None
        self._upload.end()
        answer = self._port.reject(refusal, self.peer)
        if is_head:  # RFC 9110 section 9.3.2: whatever it is, its answer has no body
            answer = answer[: answer.index(b"\r\n\r\n") + 4]
        self._transport.write(answer)
        self._start_lingering()

    # Deadlines, the end

    def _close(self) -> None:
        """Close when everything is sent; it is cut if the client does not read it in time."""
        if not self._transport.is_closing():
            self._transport.close()
            self._deadline.set(self._loop.time() + self._port.idle_timeout)

    def _expire(self) -> None:
        if self._transport.is_closing():
            self._transport.abort()
        elif self._lingering is not None or (not len(self._incoming) and self._exchange is None):
            self._close()
        elif self._upload.is_answer_unread:
            self.abort()
        elif self._exchange is not None:
            self._exchange.break_body(RequestTimeout("the body stalled"))
        else:
            self._reject(RequestTimeout("the head did not arrive in time"))

    def _start_lingering(self) -> None:
        """Read and drop what the client still sends, so that it can read the answer."""
        _ = self._incoming.take_all()
        self._lingering = Lingering(self._loop.time())
        self._reading.set(True)
        self._deadline.set(self._lingering.until)

    def _linger(self, lingering: Lingering, count: int) -> None:
        if lingering.drop(count, self._loop.time()):
            self._deadline.at = lingering.until
        else:
            self._close()
