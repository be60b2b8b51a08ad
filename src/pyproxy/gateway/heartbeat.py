"""Signs of life in a stream of events whose upstream is silent."""

from pyproxy.downstream.exchange import Exchange
from pyproxy.timers.deadline import Clock, Deadline
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.wire.event_stream import KEEP_ALIVE, EventBoundary, is_open_event_stream
from pyproxy.wire.head import ResponseHead


class Heartbeat:
    """Puts a comment into an answer after each period of silence, between events alone.

    It is a tap: bytes of the upstream pass unchanged, and its silence counts as such in
    spite of what is added here. While the client does not read nothing is added. One
    timer a stream is moved by its bytes; an answer of another kind has none.

    A byte order mark that follows a comment of ours would be at no stream's beginning any
    more: an upstream that sends one must send it with its head.

    Args:
        exchange: The request whose answer it is.
        connection: Where that comes from.
        period_s: Of silence.
        clock: The loop.
    """

    __slots__ = ("_boundary", "_clock", "_connection", "_deadline", "_exchange", "_period_s")

    def __init__(
        self,
        exchange: Exchange,
        connection: UpstreamConnection,
        period_s: float,
        clock: Clock,
    ) -> None:
        self._exchange = exchange
        self._connection = connection
        self._period_s = period_s
        self._clock = clock
        self._boundary: EventBoundary | None = None
        self._deadline: Deadline | None = None

    def began(self, head: ResponseHead, length: int) -> None:
        """Count silence from now on, if this is a stream of events."""
        if is_open_event_stream(head, length):
            self._boundary = EventBoundary()
            self._deadline = Deadline(self._clock, self._beat)
            self._deadline.set(self._clock.time() + self._period_s)

    def passed(self, data: bytes) -> None:
        """Count anew."""
        if self._boundary is not None and self._deadline is not None:
            self._boundary.passed(data)
            self._deadline.at = self._clock.time() + self._period_s

    def ended(self) -> None:
        """Never beat again."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._boundary = self._deadline = None

    def _beat(self) -> None:
        if self._boundary is None or self._deadline is None:
            return
        # First: who is told of what is written here may end all this.
        self._deadline.set(self._clock.time() + self._period_s)
        if self._boundary.is_between and not self._connection.is_paused:
            self._exchange.send(KEEP_ALIVE)
            self._exchange.flush()
