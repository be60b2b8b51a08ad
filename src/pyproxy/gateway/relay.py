"""The way of an answer: from the upstream's read callback to the client's transport."""

from collections.abc import Callable

from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import Refusal
from pyproxy.gateway.desk import Desk
from pyproxy.transform.response import (
    DownwardHead,
    DownwardRules,
    downward_end,
    downward_head,
    interim_head,
)
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.wire.head import FieldLine, ResponseHead
from pyproxy.wire.hop_by_hop import passes_trailers
from pyproxy.wire.upgrade import Protocols, upgrade_lines

_CONTINUE = 100
# How long an upstream may leave an Expect without a word; curl waits 1 s and sends anyway.
CONTINUE_AFTER_S = 0.35
_BODILESS = frozenset({204, 304})


class Relay:
    """Passes one answer on as it comes; no task is woken for a piece of it.

    Attributes:
        done: Set when the answer is complete or broken off; fails with the
            refusal if nothing of it came, or nothing that could be passed on.
        status: Of the final head; 0 before it.
        head_at: Monotonic seconds of the final head.
        is_complete: The answer came to its end; the connection is somebody else's now.
        is_aborted: The answer broke off after its head.
        broke_off: Why it did.
        is_stream: Events or another protocol follow the head; counted among the streams
            by itself, and off again by who made it.
    """

    __slots__ = (
        "_connection",
        "_cors",
        "_desk",
        "_exchange",
        "_request_id",
        "_rules",
        "_worked",
        "broke_off",
        "done",
        "head_at",
        "is_aborted",
        "is_complete",
        "is_stream",
        "status",
    )

    def __init__(
        self,
        exchange: Exchange,
        connection: UpstreamConnection,
        rules: DownwardRules,
        *,
        request_id: str,
        cors: bytes,
        desk: Desk,
        worked: Callable[[], None],
    ) -> None:
        self._exchange = exchange
        self._connection = connection
        self._rules = rules
        self._request_id = request_id
        self._cors = cors
        self._desk = desk
        self._worked = worked
        self.done = exchange.signal()
        self.status = 0
        self.head_at = 0.0
        self.is_complete = False
        self.is_aborted = self.is_stream = False
        self.broke_off: Refusal | None = None
        if not exchange.body.is_complete and b"expect" in exchange.head.index:
            desk.loop.call_later(CONTINUE_AFTER_S, self.anticipate_continue)

    def interim_arrived(self, head: ResponseHead) -> None:
        """Pass a 1xx on (RFC 9110 section 15.2), but for one that was anticipated."""
        if head.status == _CONTINUE:
            if self._exchange.has_continued:
                return
            self._exchange.has_continued = True
        self._exchange.interim(interim_head(head, self._rules))

    def anticipate_continue(self) -> None:
        """Ask for the body in place of an upstream that does not, unless it is here or unwanted.

        RFC 9110 section 10.1.1: a client does not wait without end for a 100, which not every
        server sends; towards the upstream we are that client, and have no body to begin with.
        """
        exchange = self._exchange
        if exchange.source is self._connection and not exchange.has_begun:
            exchange.ask_for_body()

    def head_arrived(self, head: ResponseHead, length: int) -> None:
        """Shape the head for the client; it leaves together with what follows it."""
        exchange = self._exchange
        self.status = head.status
        self.head_at = self._desk.now()
        self._worked()
        if not exchange.body.is_complete:
            # Answered before the request was whole: the rest of it is not wanted,
            # and where the next request would start is not known.
            exchange.keeps_alive = False
        has_body = exchange.head.method != b"HEAD" and head.status not in _BODILESS
        down = self._shaped(head, keeps=not has_body)
        if down.is_stream:
            self._begin_stream()
        text = down.lines + downward_end(down, self._request_id, self._desk.wall())
        exchange.begin(text, length if has_body else None)

    def switched(self, head: ResponseHead, protocols: Protocols) -> None:
        """Pass a 101 on; what follows it is no answer any more."""
        exchange = self._exchange
        self.status = head.status
        self.head_at = self._desk.now()
        self._worked()
        self._begin_stream()
        down = self._shaped(head, keeps=False)
        text = down.lines + downward_end(down, self._request_id, self._desk.wall())
        exchange.switch(text + upgrade_lines(protocols))

    def ended(self, refusal: Refusal | None, *, is_cut: bool) -> None:
        """Take note of the end of what followed a 101.

        Args:
            refusal: Why, if the upstream is to blame.
            is_cut: It was broken off.
        """
        self.is_complete = self._exchange.is_ended = not is_cut
        self.is_aborted = is_cut
        self.broke_off = refusal
        self.done.set()

    def _begin_stream(self) -> None:
        self.is_stream = True
        self._desk.counts.streams += 1

    def _shaped(self, head: ResponseHead, *, keeps: bool) -> DownwardHead:
        """The head for the client: the last one on the connection, if this is its repetition."""
        connection, rules, cors = self._connection, self._rules, self._cors
        is_tls, shaped = self._exchange.peer.is_tls, connection.shaped
        if isinstance(shaped, DownwardHead) and shaped.is_of(head, rules, is_tls, cors, keeps):
            return shaped
        fresh = connection.shaped = downward_head(head, rules, is_tls, cors, keeps)
        return fresh

    def body_arrived(self, data: bytes) -> None:
        """Pass bytes on."""
        self._exchange.send(data)

    def chunk_arrived(self, data: bytes, size: int) -> None:
        """Pass a chunk on."""
        self._exchange.send_chunk(data, size)

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """The answer is complete."""
        self.is_complete = True
        exchange = self._exchange
        # The connection is in the pool by now: a client that is slow to read the
        # last bytes must not pause it under its next user.
        exchange.source = None
        if trailers:
            rules = self._rules
            takes = passes_trailers(exchange.head)
            trailers = [
                (name, rules.without_credential(line))
                for name, line in trailers
                if takes and name not in rules.dropped
            ]
        exchange.end(trailers)

    def flush(self) -> None:
        """Write what one read brought, in one piece."""
        self._exchange.flush()
        if self.is_complete:
            self.done.set()

    def failed(self, refusal: Refusal) -> None:
        """Refuse while that is possible; afterwards break off, so that the cut shows."""
        exchange = self._exchange
        if not exchange.has_begun or exchange.take_back():
            self.status = 0
            self.done.fail(refusal)
        else:
            self.is_aborted = True
            self.broke_off = refusal
            exchange.abort()
            self.done.set()

    def body_broke(self, refusal: Refusal) -> None:
        """The client's body will never be complete; the upstream must not take it for whole."""
        if self.is_complete:
            return  # what it was for is answered
        self._connection.abort()
        self.failed(refusal)

    def drop(self) -> None:
        """Let go of an answer that is not complete, and that nobody waits for any more."""
        self._connection.abort()

    def upload_blocked(self) -> None:
        """Read no more from the client."""
        self._exchange.hold_body()

    def upload_unblocked(self) -> None:
        """Read on from the client."""
        self._exchange.resume_body()
