"""After a change of protocol: bytes both ways, and how that ends."""

import asyncio
import secrets
from typing import Final

from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import Refusal, UpstreamTimeout, UpstreamUnreachable
from pyproxy.gateway.relay import Relay
from pyproxy.gateway.tunnel_end import End
from pyproxy.timers.deadline import Deadline
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.upstream.reason import in_words
from pyproxy.wire.head import ResponseHead
from pyproxy.wire.upgrade import Protocols
from pyproxy.wire.websocket import GOING_AWAY, Speech, close_frame

# After both were told that we leave, for their own farewells.
FAREWELL_S: Final = 1.0
_WEBSOCKET: Final = b"websocket"


class Tunnel:
    """One request's change of protocol, if the upstream grants it, and what follows.

    A client that sends before it is granted is not read further than a next request
    would be. If it is not granted, what it sent is its next request.

    Args:
        exchange: The request.
        connection: Over which it is sent.
        relay: Told of the end; its answer is the 101.
        protocols: Asked for.
        loop: The worker's.

    Attributes:
        protocols: Asked for.
    """

    def __init__(
        self,
        exchange: Exchange,
        connection: UpstreamConnection,
        relay: Relay,
        protocols: Protocols,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.protocols = protocols
        self._exchange = exchange
        self._connection = connection
        self._relay = relay
        self._loop = loop
        self._silence_s = connection.read_timeout
        self._deadline = Deadline(loop, self._expire)
        self._client = End(self, loop)
        self._upstream = End(self, loop)
        self._client.other, self._upstream.other = self._upstream, self._client
        self._is_websocket = False
        self._is_over = False
        self._farewell: asyncio.TimerHandle | None = None

    # From the upstream's connection

    def switched(self, head: ResponseHead, protocols: Protocols, rest: bytes) -> None:
        """Pass the 101 on, and all bytes that come from now on."""
        client, upstream = self._client, self._upstream
        if [protocol.lower() for protocol in protocols] == [_WEBSOCKET]:
            self._is_websocket = True
            client.speech, upstream.speech = Speech(), Speech()
        is_behind, is_held = self._connection.is_behind, self._connection.is_paused
        self._relay.switched(head, protocols)
        self._connection.hand_over(upstream)
        upstream.take_over(self._connection, self._connection.transport)
        if is_held:
            upstream.hold()  # until the client reads
        early = self._exchange.hand_over(client)
        if is_behind:
            client.hold()
        self._deadline.set(self._loop.time() + self._silence_s)
        if early:
            client.data_received(early)
        if rest:
            upstream.data_received(rest)

    # From the ends

    def moved(self, end: End, count: int) -> None:
        """So many bytes came from one side."""
        if end is self._client:
            self._exchange.body.received += count
        else:
            self._exchange.sent += count
        if not self._is_over:
            self._deadline.at = self._loop.time() + self._silence_s
            if self._farewell is not None:
                self._take_leave()

    def told(self) -> None:
        """One side was told that we go; once both were, their own farewells are waited for."""
        ends = (self._client, self._upstream)
        if self._farewell is None and all(end.has_been_heard for end in ends):
            self._farewell = self._loop.call_later(FAREWELL_S, self._close)

    def ended(self, end: End, *, is_cut: bool) -> bool:
        """One side sends no more; whether it may still be sent to."""
        other = end.other
        if self._is_over:
            return False
        if self._farewell is not None:
            self._take_leave()
        elif is_cut and not end.has_closed:  # after a Close nothing can be missing
            self._cut(self._blame(end, "TLS ended without close_notify"))
        elif end.can_half_close and other.can_half_close and not other.has_ended:
            other.end()
            return True
        else:
            self._close()
        return False

    def lost(self, end: End, exc: Exception | None) -> None:
        """One side is gone."""
        if self._is_over:
            pass
        elif self._farewell is not None:
            self._take_leave()
        elif end.has_closed:
            self._close()
        else:
            why = in_words(exc) if exc else "closed by the other side"
            self._cut(self._blame(end, f"the connection ended early: {why}"))
        if end is self._upstream:
            self._deadline.cancel()

    def _blame(self, end: End, why: str) -> Refusal | None:
        return UpstreamUnreachable(why) if end is self._upstream else None

    def _take_leave(self) -> None:
        """After our farewell: close once both sides said theirs, or left."""
        if all(end.has_closed or end.has_ended for end in (self._client, self._upstream)):
            self._close()

    def _cut(self, refusal: Refusal | None) -> None:
        """End both sides so that neither takes what it has for all.

        Args:
            refusal: What the upstream did, if it was the upstream.
        """
        self._finish()
        self._deadline.cancel()
        self._client.reset()
        self._upstream.reset()
        self._relay.ended(refusal, is_cut=True)

    # From the gateway

    def drain(self) -> None:
        """Tell both sides of a WebSocket that we go; leave alone what has no word for it."""
        if not self._is_websocket or self._is_over or self._farewell is not None:
            return
        self._client.close_speech(close_frame(GOING_AWAY, secrets.token_bytes(4)))
        self._upstream.close_speech(close_frame(GOING_AWAY))
        self.told()

    def _close(self) -> None:
        """End both sides when they have got what is pending."""
        self._finish()
        self._upstream.close()
        self._deadline.set(self._loop.time() + self._silence_s)
        self._relay.ended(None, is_cut=False)

    def _finish(self) -> None:
        self._is_over = True
        if self._farewell is not None:
            self._farewell.cancel()

    def _expire(self) -> None:
        if self._is_over:
            self._upstream.reset()  # it does not read what was sent to it last
        elif self._upstream.is_held:
            # How long a client may leave bytes unread its own connection knows.
            self._deadline.set(self._loop.time() + max(1.0, self._silence_s))
        else:
            self._cut(UpstreamTimeout("silence from both sides for longer than read_timeout"))
