"""One request and its answer on a client's connection."""

from collections.abc import Callable
from typing import Final, Protocol

from pyproxy.downstream.body import BodySink, RequestBody
from pyproxy.downstream.drive import Drive, Signal
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.successor import Successor
from pyproxy.errors.refusal import Refusal
from pyproxy.wire.chunked import chunk, last_chunk
from pyproxy.wire.framing import wants_close
from pyproxy.wire.head import FieldLine, RequestHead
from pyproxy.wire.status import status_line

_CONTINUE: Final = 100
# Of a body that is screened: what is made to be read slowly takes half a second a megabyte.
SCREENED_AT_ONCE: Final = 16 * 1024


class Channel(Protocol):
    """What an exchange needs of the connection that carries it."""

    def write(self, data: bytes) -> None:
        """Send bytes; they are buffered if the client reads slowly."""

    def abort(self) -> None:
        """End the connection so that what was sent looks cut."""

    def resume_body(self) -> None:
        """Read more of the request's body again, if reading was held back."""

    def hold_body(self) -> None:
        """Read no more of the request's body for now."""

    def hand_over(self, successor: Successor) -> bytes:
        """Let ``successor`` read from now on; what came after the request is returned."""
        ...


class Source(Protocol):
    """Where an answer comes from; told when the client cannot keep up."""

    def pause(self) -> None:
        """Stop reading."""

    def resume(self) -> None:
        """Read on."""


class Screen(BodySink, Protocol):
    """Sees a request's body before it goes anywhere."""

    def send_to(self, sink: BodySink) -> None:
        """Give the body to ``sink``."""


class Exchange:
    """One request, and the answer that is being written to it.

    Attributes:
        head: The request's head.
        body: The request's body, on its way.
        peer: Who holds the connection.
        keeps_alive: Another request may follow on the connection.
        has_begun: An answer's head was written; a refusal comes too late.
        is_ended: The answer is complete.
        is_unframed: Nothing but the connection's end says where the answer ends.
        sent: Bytes of the answer's body so far.
        source: Paused while the client does not read; set by who answers.
        broken: Why the request's body can never be complete, if so.
        on_broken: Told when ``broken`` is set; set by who answers.
        has_continued: The client was asked for its body (RFC 9110 section 10.1.1).
    """

    __slots__ = (
        "_channel", "_drive", "_is_chunked", "_is_out", "_out", "_screen", "body", "broken",
        "has_begun", "has_continued", "head", "is_ended", "is_unframed", "keeps_alive", "on_broken",
        "peer", "sent", "source",
    )  # fmt: skip

    def __init__(
        self,
        channel: Channel,
        head: RequestHead,
        body: RequestBody,
        peer: Peer,
        drive: Drive | None = None,
    ) -> None:
        self._channel = channel
        self._drive = drive
        self._is_out = False
        self._out: list[bytes] = []
        self._is_chunked = False
        self._screen: Screen | None = None
        self.head = head
        self.body = body
        self.peer = peer
        self.keeps_alive = not wants_close(head)
        self.has_begun = False
        self.has_continued = False
        self.is_ended = False
        self.is_unframed = False
        self.sent = 0
        self.source: Source | None = None
        self.broken: Refusal | None = None
        self.on_broken: Callable[[Refusal], None] | None = None

    def signal(self) -> Signal:
        """Something that who answers may wait for, at little cost."""
        return Signal(self._drive)

    async def to_task(self) -> None:
        """Make a task of who answers, for it must wait for something other than a signal."""
        if self._drive is not None:
            await self._drive.to_task()

    def interim(self, head: bytes) -> None:
        """Send a 1xx head; HTTP/1.0 knows none (RFC 9110 section 15.2)."""
        if self.head.minor == 1:
            self._channel.write(head + b"\r\n")

    def ask_for_body(self) -> None:
        """Send a 100 to a client that waits for one with its body (RFC 9110 section 10.1.1)."""
        waits = b"expect" in self.head.index and not self.body.received
        if waits and not self.has_continued and not self.body.is_complete:
            self.has_continued = True
            self.interim(status_line(_CONTINUE, b"Continue"))

    def begin(self, head: bytes, length: int | None) -> None:
        """Stage an answer's head; it leaves with the next ``flush``.

        Args:
            head: Status line and fields, without framing, ``Connection`` and the
                empty line.
            length: Bytes of body to come, ``CHUNKED`` or ``UNTIL_CLOSE`` for a
                body of unknown length, ``None`` for an answer without body whose
                fields, if any, are in ``head``.
        """
        self.has_begun = True
        framing = b""
        if length is not None:
            if length >= 0:
                framing = b"Content-Length: %d\r\n" % length
            elif self.head.minor == 1:
                self._is_chunked = True
                framing = b"Transfer-Encoding: chunked\r\n"
            else:
                # HTTP/1.0: the end of the connection is the end
                self.is_unframed, self.keeps_alive = True, False
        if not self.keeps_alive:
            framing += b"Connection: close\r\n"
        elif self.head.minor == 0:
            framing += b"Connection: keep-alive\r\n"
        self._out.append(b"%b%b\r\n" % (head, framing))

    def send(self, data: bytes) -> None:
        """Stage bytes of the body, at least one."""
        self.sent += len(data)
        self._out.append(chunk(data) if self._is_chunked else data)

    def send_chunk(self, data: bytes, size: int) -> None:
        """Send a chunk of the body, as it is if the client gets chunks.

        Args:
            data: Size line, content and CRLF.
            size: Of the content.
        """
        if not self._is_chunked:
            self.send(data[-size - 2 : -2])
            return
        self.sent += size
        if self._out:
            self._out.append(data)
        else:
            self._is_out = True
            self._channel.write(data)

    def end(self, trailers: list[FieldLine]) -> None:
        """Stage the end of the answer."""
        self.is_ended = True
        if self._is_chunked:
            self._out.append(last_chunk(trailers))

    def flush(self) -> None:
        """Write what is staged, in one piece."""
        out = self._out
        if out:
            self._is_out = True
            self._channel.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    def take_back(self) -> bool:
        """Forget an answer of which nothing was written yet, so that another can be given."""
        if self._is_out:
            return False
        self._out.clear()
        self.has_begun = self._is_chunked = self.is_unframed = False
        self.sent = 0
        return True

    def answer(self, head: bytes, body: bytes) -> None:
        """Write a whole answer."""
        self.begin(head, len(body))
        if body and self.head.method != b"HEAD":
            self.send(body)
        self.end([])
        self.flush()

    def switch(self, head: bytes) -> None:
        """Write the head of a 101: bytes of another protocol follow, until the connection ends.

        Args:
            head: Status line and fields, without the empty line.
        """
        self.has_begun = self.is_unframed = True
        self.keeps_alive = False
        self.source = None  # who is next looks after itself
        self._out.append(head + b"\r\n")
        self.flush()

    def hand_over(self, successor: Successor) -> bytes:
        """Let ``successor`` have the connection; what the client sent early is returned."""
        return self._channel.hand_over(successor)

    def abort(self) -> None:
        """Break the connection off; the client sees that the answer was cut."""
        self._channel.abort()

    def break_body(self, refusal: Refusal) -> None:
        """Take note that the request's body will never be complete."""
        self.broken = refusal
        self.keeps_alive = False
        if self.on_broken is not None:
            self.on_broken(refusal)

    def screen_body(self, screen: Screen) -> None:
        """Let ``screen`` see the body first; it gets what is held now.

        Raises:
            Refusal: It refuses the body.
        """
        self.body.at_once = SCREENED_AT_ONCE
        self._attach(screen)
        self._screen = screen

    def send_body_to(self, sink: BodySink) -> None:
        """Give the request's body, what is held and what comes, to ``sink``."""
        if self._screen is not None:
            self._screen.send_to(sink)
        else:
            self._attach(sink)

    def _attach(self, sink: BodySink) -> None:
        was_full = self.body.is_full
        self.body.attach(sink)
        if was_full or self.body.has_more:
            self._channel.resume_body()

    def hold_body(self) -> None:
        """Read no more of the request's body for now: the upstream is behind."""
        self._channel.hold_body()

    def resume_body(self) -> None:
        """Read on."""
        self._channel.resume_body()
