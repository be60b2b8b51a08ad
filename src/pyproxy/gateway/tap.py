"""An observer of an answer that passes; where there is none it costs nothing."""

from collections.abc import Callable
from typing import Protocol

from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import Refusal
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.relay import Relay
from pyproxy.transform.response import DownwardRules
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.wire.head import FieldLine, ResponseHead


class Tap(Protocol):
    """Sees one answer, after it was passed on, and changes none of it.

    It is told from within the upstream's read callback: nothing here may block or
    raise. Of a 101 and what follows it, it sees nothing.
    """

    def began(self, head: ResponseHead, length: int) -> None:
        """Take the final head as the upstream sent it, and the body's length."""

    def passed(self, data: bytes) -> None:
        """Take bytes of the body without framing, as they came, at least one."""

    def ended(self) -> None:
        """Take note that no more will come, for whatever reason; perhaps more than once."""


class TappedRelay(Relay):
    """A relay whose answer a tap sees.

    Args:
        tap: Told of the answer.
    """

    __slots__ = ("_tap",)

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
        tap: Tap,
    ) -> None:
        super().__init__(
            exchange, connection, rules, request_id=request_id, cors=cors, desk=desk, worked=worked
        )
        self._tap = tap

    def head_arrived(self, head: ResponseHead, length: int) -> None:
        """As of ``Relay``."""
        super().head_arrived(head, length)
        self._tap.began(head, length)

    def body_arrived(self, data: bytes) -> None:
        """As of ``Relay``."""
        super().body_arrived(data)
        self._tap.passed(data)

    def chunk_arrived(self, data: bytes, size: int) -> None:
        """As of ``Relay``."""
        super().chunk_arrived(data, size)
        self._tap.passed(data[-size - 2 : -2])

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """As of ``Relay``."""
        self._tap.ended()
        super().body_ended(trailers)

    def failed(self, refusal: Refusal) -> None:
        """As of ``Relay``."""
        self._tap.ended()
        super().failed(refusal)

    def drop(self) -> None:
        """As of ``Relay``."""
        self._tap.ended()
        super().drop()
