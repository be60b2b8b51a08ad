"""A connection to an upstream: one request at a time, its answer handed on as it comes."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Final, cast

from pyproxy.errors.refusal import (
    Refusal,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from pyproxy.upstream.receiver import Receiver
from pyproxy.wire.chunked import ChunkedBody, chunk, last_chunk
from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE, response_length, wants_close
from pyproxy.wire.head import FieldLine, ResponseHead, read_response_head
from pyproxy.wire.syntax import Malformed

MAX_HEAD: Final = 64 * 1024
# Interim answers to one request; a server sends a handful of 103 at the most.
MAX_INTERIM: Final = 100
# A connection that the upstream lets idle for N seconds is given up one before (see `lifetime`).
MAX_IDLE_S: Final = 60.0
_KEEP_ALIVE_TIMEOUT: Final = re.compile(rb"timeout=([0-9]{1,6})")


class UpstreamConnection(asyncio.Protocol):
    """HTTP/1.1 with one upstream endpoint.

    Attributes:
        was_used: An answer came over it before; it may have gone stale.
        has_answered: A byte of the present answer has come.
        idle_s: How long the upstream keeps it open without a request, as far
            as it said so.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_idle: Callable[["UpstreamConnection"], None],
        on_lost: Callable[["UpstreamConnection"], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._receiver: Receiver | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = _NEVER
        self._out: list[bytes] = []
        self._upload_is_chunked = False
        self._paused = False
        self.was_used = False
        self.has_answered = False
        self.idle_s = MAX_IDLE_S
        self._reset()

    def _reset(self) -> None:
        self._buffer = b""
        self._head: ResponseHead | None = None
        self._method = b""
        self._left = 0  # bytes of body to come, or UNTIL_CLOSE
        self._decoder: ChunkedBody | None = None
        self._interims = 0
        self._upload_is_complete = False
        self._read_timeout = 0.0

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the dialer hands the connection on."""
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer; bytes nobody asked for end the connection."""
        receiver = self._receiver
        if receiver is None:
            # An answer without a request would be given to the next client.
            self.transport.abort()
            return
        self.has_answered = True
        try:
            if self._head is None:
                data = self._take_heads(data, receiver)
            else:
                self._deadline = self._loop.time() + self._read_timeout
            if self._head is not None:
                self._take_body(data, receiver)
        except Malformed as exc:
            self._fail(UpstreamProtocolError(str(exc)))
            return
        receiver.flush()

    def eof_received(self) -> bool:
        """The end of a close-delimited body, or a cut; either way the end."""
        receiver = self._receiver
        if receiver is not None and self._head is not None and self._left == UNTIL_CLOSE:
            if _is_cut(self.transport):
                self._fail(UpstreamUnreachable("TLS ended without close_notify"))
            else:
                self._complete(receiver, [])
                receiver.flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was under way ends here."""
        if self._timer is not None:
            self._timer.cancel()
        self._on_lost(self)
        if self._receiver is not None:
            self._fail(UpstreamUnreachable(f"the connection ended early: {exc or 'closed'}"))

    def pause_writing(self) -> None:
        """The upstream reads slower than the body comes."""
        if self._receiver is not None:
            self._receiver.upload_blocked()

    def resume_writing(self) -> None:
        """The upstream caught up."""
        if self._receiver is not None:
            self._receiver.upload_unblocked()

    # What a request does with it

    def request(
        self,
        head: bytes,
        method: bytes,
        *,
        is_chunked: bool,
        receiver: Receiver,
        read_timeout: float,
    ) -> None:
        """Stage a request's head; the body follows, then ``flush_request``.

        Args:
            head: Request line and fields with their empty line.
            method: Decides whether the answer has a body.
            is_chunked: Whether the body is sent in chunks.
            receiver: Takes the answer.
            read_timeout: Seconds of silence that are allowed.
        """
        self._reset()
        self._method = method
        self._upload_is_chunked = is_chunked
        self._receiver = receiver
        self._read_timeout = read_timeout
        self.has_answered = False
        self._out.append(head)
        self._set_deadline(self._loop.time() + read_timeout)

    def body_arrived(self, data: bytes) -> None:
        """Send bytes of the request's body."""
        piece = chunk(data) if self._upload_is_chunked else data
        if self._out:
            self._out.append(piece)
        else:
            self.transport.write(piece)
            if self._head is None:
                # Silence is counted from the last byte that the upstream could answer to.
                self._deadline = self._loop.time() + self._read_timeout

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """End the request's body."""
        self._upload_is_complete = True
        if self._upload_is_chunked:
            piece = last_chunk(trailers)
            if self._out:
                self._out.append(piece)
            else:
                self.transport.write(piece)

    def flush_request(self) -> None:
        """Write the head, and what there is of the body, in one piece."""
        out, self._out = self._out, []
        self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    def pause(self) -> None:
        """Leave the rest of the answer in the socket."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self._deadline = self._loop.time() + self._read_timeout
            self.transport.resume_reading()

    def abort(self) -> None:
        """End the connection at once; the receiver hears no more."""
        self._receiver = None
        self.transport.abort()

    def rest(self, seconds: float) -> None:
        """Wait in the pool, at most so long."""
        self.was_used = True
        self._set_deadline(self._loop.time() + seconds)

    @property
    def is_open(self) -> bool:
        """It can carry a request."""
        return not self.transport.is_closing()

    # The answer

    def _take_heads(self, data: bytes, receiver: Receiver) -> bytes:
        """Read heads until the final one; what follows it is returned.

        Raises:
            Malformed: No HTTP, or more of it than is sane.
        """
        data = self._buffer + data if self._buffer else data
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if end == 3:  # noqa: PLR2004 - not found: -1 + 4
                if len(data) > MAX_HEAD or not b"HTTP/1."[: len(data)] == data[:7]:
                    raise Malformed("the answer's head is too long, or not HTTP")
                self._buffer = data
                return b""
            if end > MAX_HEAD:
                raise Malformed("the answer's head is too long")
            head = read_response_head(data[:end])
            data = data[end:]
            if head.status >= 200:  # noqa: PLR2004 - RFC 9110 section 15.2
                self._begin(head, receiver)
                return data
            self._take_interim(head, receiver)
            if not data:
                self._buffer = b""
                return b""

    def _take_interim(self, head: ResponseHead, receiver: Receiver) -> None:
        self._interims += 1
        if head.status == 101 or self._interims > MAX_INTERIM:  # noqa: PLR2004 - RFC 9110 section 15.2.2
            raise Malformed("a 101 that nobody asked for, or a flood of interim answers")
        receiver.interim_arrived(head)

    def _begin(self, head: ResponseHead, receiver: Receiver) -> None:
        length = response_length(head, self._method)
        self._buffer = b""
        self._head = head
        self._left = length
        self._decoder = ChunkedBody() if length == CHUNKED else None
        self._deadline = self._loop.time() + self._read_timeout
        receiver.head_arrived(head, length)

    def _take_body(self, data: bytes, receiver: Receiver) -> None:
        if self._decoder is not None:
            self._take_chunks(self._decoder, data, receiver)
        elif self._left == UNTIL_CLOSE:
            if data:
                receiver.body_arrived(data)
        else:
            self._take_length(data, receiver)

    def _take_length(self, data: bytes, receiver: Receiver) -> None:
        """Bytes of a body of known length; what comes after it is out of step."""
        left = self._left
        extra = len(data) > left
        if extra:
            data = data[:left]
        if data:
            self._left = left = left - len(data)
            receiver.body_arrived(data)
        if not left:
            self._complete(receiver, [], extra=extra)

    def _take_chunks(self, decoder: ChunkedBody, data: bytes, receiver: Receiver) -> None:
        if not data:
            return
        content = decoder.feed(data)
        if content:
            receiver.body_arrived(content)
        if decoder.is_complete:
            self._complete(receiver, decoder.trailers, extra=bool(decoder.rest))

    def _complete(
        self, receiver: Receiver, trailers: list[FieldLine], *, extra: bool = False
    ) -> None:
        """The answer is whole; the connection is kept if it is surely in step."""
        head = self._head
        self._receiver = None
        self._deadline = _NEVER
        receiver.body_ended(trailers)
        if (
            head is None
            or extra
            or self._left == UNTIL_CLOSE
            or not self._upload_is_complete
            or wants_close(head)
        ):
            self.transport.abort() if extra else self.transport.close()
            return
        hint = head.index.get(b"keep-alive")
        if hint is not None and (found := _KEEP_ALIVE_TIMEOUT.search(hint)):
            self.idle_s = max(0.0, min(MAX_IDLE_S, float(found[1]) - 1.0))
        self.resume()
        self._on_idle(self)

    def _fail(self, refusal: Refusal) -> None:
        receiver, self._receiver = self._receiver, None
        self.transport.abort()
        if receiver is not None:
            receiver.failed(refusal)

    # Deadlines

    def _set_deadline(self, deadline: float) -> None:
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
        now = self._loop.time()
        if self._paused:
            # The client does not read; silence is not the upstream's fault.
            self._deadline = now + max(1.0, self._read_timeout)
        if now < self._deadline:
            self._arm()
        elif self._receiver is None:
            self.transport.close()
        else:
            self._fail(UpstreamTimeout("silence for longer than read_timeout"))


def _is_cut(transport: asyncio.Transport) -> bool:
    """Whether TLS ended without saying so, as anybody on the way can make it (RFC 8446 §6.1)."""
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return False
    try:
        return bool(tls.read(1))
    except ssl.SSLError:
        return True


_NEVER: Final = float("inf")
