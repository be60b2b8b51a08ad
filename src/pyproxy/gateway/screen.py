"""The model that a request asks for: found in its URL or body, and judged before it goes up."""

import asyncio
import re
from typing import Final

from pyproxy.downstream.body import HELD_BYTES, PIECES_HELD, BodySink
from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import ModelNotAllowed
from pyproxy.gateway.model_rules import ModelRules
from pyproxy.models.name import Unreadable
from pyproxy.models.scan import ModelScan
from pyproxy.telemetry.record import Record
from pyproxy.wire.head import FieldLine, RequestHead

# Another charset, or a form, would give the same bytes another reading; who compares the
# beginning of a type alone takes application/x-www-form-urlencoded+json for a form.
_JSON: Final = re.compile(
    rb'application/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?;?', re.IGNORECASE
)


class Screen:
    """Lets a body's end pass only when all of it was seen and its model is allowed.

    No upstream acts on half a JSON text, so that a model in the tail is found in time.

    Args:
        exchange: The request.
        rules: The route's.
        record: Learns the model as soon as it is known.
        loop: The worker's.
    """

    __slots__ = (
        "_exchange", "_held", "_held_bytes", "_is_holding", "_loop", "_record", "_rules", "_scan",
        "_signal", "_sink", "_trailers",
    )  # fmt: skip

    def __init__(
        self,
        exchange: Exchange,
        rules: ModelRules,
        record: Record,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._exchange = exchange
        self._rules = rules
        self._loop = loop
        self._scan = ModelScan(rules.key)
        self._signal = exchange.signal()
        self._sink: BodySink | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._is_holding = False
        self._trailers: list[FieldLine] | None = None
        self._record = record

    async def decide(self) -> None:
        """Wait for the model, or for as much of the body as may be waited for.

        Raises:
            Refusal: The model is not allowed, or the body is broken.
        """
        exchange = self._exchange
        _require_json(exchange.head)
        if exchange.broken is not None:
            raise exchange.broken
        exchange.screen_body(self)
        if self._is_enough:
            return
        exchange.ask_for_body()
        exchange.on_broken = self._signal.fail
        try:
            await self._signal
        finally:
            exchange.on_broken = None

    @property
    def _is_enough(self) -> bool:
        """No more need be waited for."""
        is_over = self._trailers is not None
        return is_over or bool(self._record.model) or self._held_bytes >= self._rules.peek

    # From the body

    def body_arrived(self, data: bytes) -> None:
        """Look at the next bytes, and pass on those before them.

        Raises:
            ModelNotAllowed: They name a model that is not allowed, or end an object that
                names none, or what they say has more than one reading.
        """
        try:
            self._scan.feed(data)
        except Unreadable as exc:
            raise ModelNotAllowed.because(str(exc)) from exc
        record = self._record
        if not record.model and self._scan.model is not None:
            record.model = self._rules.judge(self._rules.place.bare(self._scan.model))
        if self._scan.is_complete and not record.model:
            # Not left to the end: who reads streams acts on an object that is whole.
            raise ModelNotAllowed.because("the body names no model")
        if self._sink is not None and self._held:
            self._sink.body_arrived(self._held.pop())
        self._held.append(data)
        if self._sink is None:
            self._held_bytes += len(data)
            if len(self._held) > PIECES_HELD:
                # But for the last, which is withheld alone.
                self._held = [b"".join(self._held[:-1]), data]
            self._hold_back()

    def _hold_back(self) -> None:
        """Nobody takes the body yet: say when it is enough, and hold no more than that."""
        if self._is_enough:
            # Not at once: who is waked may end the exchange while its body is being read.
            self._loop.call_soon(self._signal.set)
        if self._held_bytes >= max(self._rules.peek, HELD_BYTES):
            self._is_holding = True
            self._exchange.hold_body()

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """Pass on what was withheld.

        Raises:
            ModelNotAllowed: The body is no whole JSON object.
        """
        try:
            self._scan.end()
        except Unreadable as exc:
            raise ModelNotAllowed.because(str(exc)) from exc
        self._trailers = trailers
        if self._sink is None:
            self._loop.call_soon(self._signal.set)
        else:
            self._release(self._sink)

    # To the upstream

    def send_to(self, sink: BodySink) -> None:
        """Give the body to an upstream: what is held, but for the last of it, and what comes."""
        self._sink = sink
        if self._trailers is not None:
            self._release(sink)
            return
        if len(self._held) > 1:
            last = self._held.pop()
            sink.body_arrived(b"".join(self._held))
            self._held = [last]
        if self._is_holding:
            self._is_holding = False
            self._exchange.resume_body()

    def _release(self, sink: BodySink) -> None:
        held, self._held = self._held, []
        if held:
            sink.body_arrived(held[0] if len(held) == 1 else b"".join(held))
        sink.body_ended(self._trailers or [])


async def permit_model(
    rules: ModelRules,
    exchange: Exchange,
    record: Record,
    path: bytes,
    query: bytes | None,
    *,
    is_upgrade: bool,
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Let a request go on if its model is allowed, or will be known before its body ends.

    A request without a body asks no model for anything, unless its URL names one.

    Args:
        rules: The route's.
        exchange: The request; its body is screened from now on.
        record: Learns the model.
        path: As the upstream gets it.
        query: Likewise.
        is_upgrade: It asks for another protocol.
        loop: The worker's.

    Raises:
        Refusal: The model is not allowed, or there is none to be found, or the body is broken.
    """
    has_body = exchange.body.length != 0
    model = rules.named(path, query, is_upgrade=is_upgrade and not has_body)
    if model is not None:
        record.model = model
    elif has_body:
        await Screen(exchange, rules, record, loop).decide()


def _require_json(head: RequestHead) -> None:
    """Let pass only what everybody reads as JSON in UTF-8.

    Raises:
        ModelNotAllowed: It could be read in another way.
    """
    if not head.repeated.isdisjoint((b"content-type", b"content-encoding")):
        raise ModelNotAllowed.because("Content-Type or Content-Encoding is repeated")
    # Where nothing is said nobody takes it for a form, and what is strictly JSON for anything else.
    media_type = head.index.get(b"content-type")
    if media_type is not None and _JSON.fullmatch(media_type) is None:
        raise ModelNotAllowed.because("the body's Content-Type is not JSON in UTF-8")
    if head.index.get(b"content-encoding", b"identity").lower() != b"identity":
        raise ModelNotAllowed.because("the body is compressed")
