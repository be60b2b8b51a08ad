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
from pyproxy.timers.deadline import NEVER, Deadline
from pyproxy.transports.reset import reset
from pyproxy.transports.unread import Unread
from pyproxy.upstream.answer import Answer
from pyproxy.upstream.reason import in_words
from pyproxy.upstream.receiver import Receiver, Switch
from pyproxy.wire.chunked import chunk, last_chunk
from pyproxy.wire.head import FieldLine, ResponseReader
from pyproxy.wire.syntax import Malformed

# A connection that the upstream lets idle for N seconds is given up one second before.
MAX_IDLE_S: Final = 60.0
_KEEP_ALIVE_TIMEOUT: Final = re.compile(rb"timeout=([0-9]{1,6})")


class UpstreamConnection(asyncio.Protocol):
    """HTTP/1.1 with one upstream endpoint.

    Attributes:
        was_used: An answer came over it before; it may have gone stale.
        has_answered: A byte of the present answer has come.
        shaped: What was made of its last answer's head, for who answers to know again.
        idle_s: How long the upstream keeps it open without a request, as far
            as it said so.
        read_timeout: Seconds of silence that the present request allows.
        is_paused: It is not read.
        is_behind: The upstream has yet to read most of what was written.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_idle: Callable[["UpstreamConnection"], None],
        on_lost: Callable[["UpstreamConnection"], None],
    ) -> None:  # fmt: skip
        self._loop = loop
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._deadline = Deadline(loop, self._expire)
        self._receiver: Receiver | None = None
        self._answer: Answer | None = None
        self._reader = ResponseReader()
        self._unread: Unread | None = None
        self._out: list[bytes] = []
        self._upload_is_chunked = False
        self._upload_is_complete = False
        self.read_timeout = 0.0
        self.is_paused = False
        self.is_behind = False
        self.was_used = False
        self.has_answered = False
        self.shaped: object = None
        self.idle_s = MAX_IDLE_S

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the dialer hands the connection on."""
        # uvloop's transports have the methods of asyncio's without being of its classes.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer; bytes nobody asked for end the connection."""
        answer, receiver = self._answer, self._receiver
        if answer is None or receiver is None:
            # An answer without a request would be given to the next client.
            self.transport.abort()
            return
        self.has_answered = True
        try:
            answer.feed(data)
        except Malformed as exc:
            self._fail(UpstreamProtocolError(str(exc)))
            return
        if answer.is_complete:
            self._finish(answer)
        elif answer.head is not None:
            # Before the head the deadline stands: one that drips does not come at all.
            self._deadline.at = self._loop.time() + self.read_timeout
        receiver.flush()

    def eof_received(self) -> bool:
        """The end of a close-delimited body, or a cut; either way the end."""
        answer, receiver = self._answer, self._receiver
        if answer is not None and receiver is not None and answer.ends_with_connection:
            if is_cut(self.transport):
                self._fail(UpstreamUnreachable("TLS ended without close_notify"))
            else:
                answer.end()
                self._finish(answer)
                receiver.flush()
        elif receiver is not None:
            # Not left to the connection's loss: that waits until the upstream has read
            # what is written to it, and one that does not read never does.
            self._fail(UpstreamUnreachable("the connection ended early: closed by the other side"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was under way ends here."""
        self._deadline.end()
        self._on_lost(self)
        if self._receiver is not None:
            why = in_words(exc) if exc else "closed by the other side"
            self._fail(UpstreamUnreachable(f"the connection ended early: {why}"))

    def pause_writing(self) -> None:
        """The upstream reads slower than the body comes."""
        self.is_behind = True
        if self._receiver is not None:
            self._receiver.upload_blocked()

    def resume_writing(self) -> None:
        """The upstream caught up."""
        self.is_behind = False
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
        self._answer = Answer(method, receiver, self._reader)
        self._receiver = receiver
        self._upload_is_chunked = is_chunked
        self._upload_is_complete = False
        self.read_timeout = read_timeout
        self.has_answered = False
        self._out.append(head)
        self._deadline.set(self._loop.time() + read_timeout)

    def body_arrived(self, data: bytes) -> None:
        """Send bytes of the request's body; after the request's end, nothing."""
        if self._receiver is None:
            return  # who feeds the body has yet to hear of it
        piece = chunk(data) if self._upload_is_chunked else data
        if self._out:
            self._out.append(piece)
        else:
            self.transport.write(piece)
            self._count_anew()

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """End the request's body; likewise."""
        if self._receiver is None:
            return
        self._upload_is_complete = True
        if self._upload_is_chunked:
            piece = last_chunk(trailers)
            if self._out:
                self._out.append(piece)
            else:
                self.transport.write(piece)
                self._count_anew()

    def offer(self, switch: Switch) -> None:
        """Let the upstream change protocol, as the head that is staged asks it to."""
        if self._answer is not None:
            self._answer.switch = switch

    def hand_over(self, successor: asyncio.Protocol) -> None:
        """Let another protocol read and answer for the connection's end."""
        self._receiver = self._answer = None
        self._deadline.end()
        self.transport.set_protocol(successor)

    def flush_request(self) -> None:
        """Write the head, and what there is of the body, in one piece."""
        out, self._out = self._out, []
        self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    def pause(self) -> None:
        """Leave the rest of the answer in the socket."""
        if not self.is_paused and not self.transport.is_closing():
            self.is_paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self.is_paused and not self.transport.is_closing():
            self.is_paused = False
            self._deadline.set(self._loop.time() + self.read_timeout)
            self.transport.resume_reading()

    def abort(self) -> None:
        """End the connection at once, even if the upstream does not read; nobody hears of it."""
        self._receiver = self._answer = None
        reset(self.transport)

    def rest(self, seconds: float) -> None:
        """Wait in the pool, at most so long."""
        self.was_used = True
        self._deadline.set(self._loop.time() + seconds)

    @property
    def is_open(self) -> bool:
        """It can carry a request."""
        return not self.transport.is_closing()

    @property
    def is_quiet(self) -> bool:
        """Since it came to rest nothing came, not even what the loop has yet to hand on."""
        if self._unread is None:
            self._unread = Unread(self.transport.get_extra_info("socket"))
        return not self._unread.is_there()

    # The end of an answer

    def _finish(self, answer: Answer) -> None:
        """The answer is whole; the connection is kept if it is surely in step."""
        self._receiver = self._answer = None
        self._deadline.at = NEVER
        if self.is_behind or not self._upload_is_complete:
            # Closed, it would wait until the upstream reads what it did not care for; kept, the
            # next upload would not be held back, since the transport is over its bound already.
            reset(self.transport)
            return
        if not answer.is_in_step or answer.head is None:
            self.transport.close()
            return
        hint = answer.head.index.get(b"keep-alive")
        if hint is not None and (found := _KEEP_ALIVE_TIMEOUT.search(hint)):
            self.idle_s = max(0.0, min(MAX_IDLE_S, float(found[1]) - 1.0))
        self.resume()
        self._on_idle(self)

    def _fail(self, refusal: Refusal) -> None:
        receiver, self._receiver, self._answer = self._receiver, None, None
        reset(self.transport)
        if receiver is not None:
            receiver.failed(refusal)

    def _expire(self) -> None:
        if self._receiver is None:
            self.transport.close()
        elif self.is_paused or self._wants_more:
            # The client does not read, or does not send: silence is not the upstream's fault,
            # and how long a client may take its own connection knows.
            self._deadline.set(self._loop.time() + max(1.0, self.read_timeout))
        else:
            self._fail(UpstreamTimeout("silence for longer than read_timeout"))

    @property
    def _wants_more(self) -> bool:
        """It took what there is of a request that is not whole, and may wait for the rest."""
        return self._is_unanswered and not self._upload_is_complete and not self.is_behind

    @property
    def _is_unanswered(self) -> bool:
        return self._answer is not None and self._answer.head is None

    def _count_anew(self) -> None:
        """Count silence from the last byte that the upstream could answer to."""
        if self._is_unanswered:
            self._deadline.at = self._loop.time() + self.read_timeout


def is_cut(transport: asyncio.Transport) -> bool:
    """Whether TLS ended without saying so, as anybody on the way can make it (RFC 8446 §6.1)."""
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return False
    try:
        return bool(tls.read(1))
    except ssl.SSLError:
        return True
