"""A request's body on its way in: fed as it is read, held back, given up when it stalls."""

import asyncio
from typing import Final

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.pace import Pace
from pyproxy.downstream.port import Port
from pyproxy.errors.refusal import BadRequest, Refusal
from pyproxy.timers.deadline import NEVER, Deadline
from pyproxy.transports.reading import Reading
from pyproxy.wire.syntax import Malformed

# Of one read: tiny chunks cost a hundred times what their bytes do otherwise.
MUCH_FRAMING: Final = 4096


class Upload:
    """The bodies of a connection's requests, one after the other.

    Args:
        loop: The worker's.
        port: Says how long a body may be silent.
        reading: The connection's.
        deadline: The connection's; moved while a body is expected.

    Attributes:
        is_answer_unread: The client has yet to read what was written: the deadline is
            for that, and not moved here.
    """

    __slots__ = (
        "_deadline", "_exchange", "_feeds_more", "_loop", "_pace", "_port", "_reading",
        "is_answer_unread",
    )  # fmt: skip

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: Port, reading: Reading, deadline: Deadline
    ) -> None:
        self._loop = loop
        self._port = port
        self._reading = reading
        self._deadline = deadline
        self._exchange: Exchange | None = None
        self._pace = Pace(0.0, 0)
        self._feeds_more = False  # soon
        self.is_answer_unread = False

    def begin(self, exchange: Exchange) -> None:
        """Expect the body of a request, which is not complete."""
        self._exchange = exchange
        self._reading.set(True)
        self.expect_anew()

    def end(self) -> None:
        """Expect no more of it."""
        self._exchange = None
        self._reading.rest(False)

    @property
    def is_expected(self) -> bool:
        """What is read belongs to a body."""
        return self._exchange is not None and not self._exchange.body.is_complete

    def feed(self, data: bytes) -> None:
        """Take what was read; a body that is none breaks its exchange."""
        exchange = self._exchange
        if exchange is None:
            return
        body = exchange.body
        before = body.received
        if refusal := _try_feed(body, data):
            self._reading.rest(False)
            exchange.break_body(refusal)
            return
        if body.is_complete:
            if not self.is_answer_unread:
                self._deadline.at = NEVER
        elif body.is_full:
            self.hold()
        else:
            self._expect(exchange)
            if len(data) - (body.received - before) > MUCH_FRAMING:
                self._reading.let_others()
        self._take_more(body)

    def _take_more(self, body: RequestBody) -> None:
        """Go on with what was read already, if not all of it is taken, before more is read."""
        self._reading.rest(body.has_more)
        if body.has_more and not self._feeds_more:
            self._feeds_more = True
            self._loop.call_soon(self._feed_more)

    def hold(self) -> None:
        """Leave the rest of the body in the client's socket."""
        if not self.is_answer_unread:
            self._deadline.at = NEVER
        self._reading.set(False)

    def resume(self) -> None:
        """Read the body again."""
        self._reading.set(True)
        self.expect_anew()
        if self._exchange is not None:
            self._take_more(self._exchange.body)

    def expect_anew(self) -> None:
        """Count the body's rate from here: it was not for the client to send, or hardly."""
        exchange = self._exchange
        if exchange is not None and not exchange.body.is_complete:
            self._pace = Pace(self._loop.time(), exchange.body.received)
            self._expect(exchange)

    def _feed_more(self) -> None:
        """Go on with what was read before, after others had their turn."""
        self._feeds_more = False
        exchange = self._exchange
        if exchange is not None and exchange.body.has_more and not self._reading.is_closing:
            self.feed(b"")

    def _expect(self, exchange: Exchange) -> None:
        """It may be silent for as long as a head may take."""
        if self._reading.is_on and not self.is_answer_unread:
            patience = self._port.header_timeout
            until = self._pace.until(self._loop.time(), exchange.body.received, patience)
            self._deadline.set(until)


def _try_feed(body: RequestBody, data: bytes) -> Refusal | None:
    """Why it is no body, if it is none."""
    try:
        body.feed(data)
    except Malformed as exc:
        return BadRequest(str(exc))
    except Refusal as refusal:
        return refusal
    return None
