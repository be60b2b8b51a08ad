"""The body of a request on its way up: decoded, bounded, never collected."""

import sys
from collections.abc import Callable
from typing import Protocol

from pyproxy.errors.refusal import BodyTooLarge
from pyproxy.wire.chunked import ChunkedBody
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import FieldLine

# Held while no upstream is chosen yet; more stays in the client's socket.
HELD_BYTES = 64 * 1024
# Then others have their turn: a read can bring 40,000 tiny chunks, which take 50 ms.
CHUNKS_AT_ONCE = 2000
# Pieces that are held before they are joined: each takes 50 bytes beside its content.
PIECES_HELD = 512


def _withholds_nothing(trailer: FieldLine) -> bool:
    del trailer
    return False


class BodySink(Protocol):
    """Takes a request's body, piece by piece.

    Never blocks. May raise a refusal: then the body is broken, and nothing of it comes any more.
    """

    def body_arrived(self, data: bytes) -> None:
        """Take the next bytes, at least one."""

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """Take note that the body is complete."""


class RequestBody:
    """One request's body: fed by the client's connection, read by a sink.

    Attributes:
        length: Announced bytes, or ``CHUNKED``.
        received: Bytes of content so far, framing not counted.
        is_complete: The end was read.
        rest: Bytes that came after the end.
        withholds: Says which trailers do not reach the sink; set by who answers, who
            knows which fields are not the client's to send.
        at_once: Bytes of content that the sink is given before others have their turn; set
            by who takes long over each.
    """

    __slots__ = (
        "_decoder", "_held", "_held_bytes", "_limit", "_sink", "_trailers", "at_once",
        "is_complete", "length", "received", "rest", "withholds",
    )  # fmt: skip

    def __init__(self, length: int) -> None:
        self.length = length
        self.received = 0
        self.is_complete = length == 0
        self.rest = b""
        self.withholds: Callable[[FieldLine], bool] = _withholds_nothing
        self.at_once = sys.maxsize
        self._limit: int | None = None
        self._decoder = ChunkedBody() if length == CHUNKED else None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._trailers: list[FieldLine] = []
        self._sink: BodySink | None = None

    @property
    def is_full(self) -> bool:
        """Too much is held for a sink that is not there."""
        return self._sink is None and self._held_bytes >= HELD_BYTES

    @property
    def has_more(self) -> bool:
        """Not all that it was fed is taken yet; feed it nothing, to have it go on."""
        if self._held and self._sink is not None:
            return True
        return self._decoder is not None and self._decoder.has_more

    def limit(self, max_bytes: int) -> None:
        """Set how long the body may be.

        Raises:
            BodyTooLarge: It is already longer, or says that it will be.
        """
        self._limit = max_bytes
        if self.length > max_bytes or self.received > max_bytes:
            raise BodyTooLarge

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection.

        Raises:
            Malformed: The chunked coding is broken.
            Refusal: The body grew over its limit, or its sink refuses it.
        """
        if not self.is_complete:
            self._take(self._decode(data))
        if self._sink is not None:
            self._pass_on(self._sink)

    def _take(self, content: bytes) -> None:
        if not content:
            return
        self.received += len(content)
        if self._limit is not None and self.received > self._limit:
            raise BodyTooLarge
        if self._sink is not None and not self._held and len(content) <= self.at_once:
            self._sink.body_arrived(content)
            return
        self._held.append(content)
        self._held_bytes += len(content)
        if len(self._held) > PIECES_HELD:
            self._held = [b"".join(self._held)]

    def _pass_on(self, sink: BodySink) -> None:
        """Give what is held, or as much of it as goes at once; after the last of it, the end."""
        if self._held:
            self._give(sink)
        if self.is_complete and not self._held:
            self._end(sink)

    def _give(self, sink: BodySink) -> None:
        held = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        piece, rest = held[: self.at_once], held[self.at_once :]
        self._held, self._held_bytes = [rest] if rest else [], len(rest)
        sink.body_arrived(piece)

    def _decode(self, data: bytes) -> bytes:
        if self._decoder is not None:
            content = self._decoder.feed(data, CHUNKS_AT_ONCE)
            if self._decoder.is_complete:
                self.is_complete = True
                self.rest, self._trailers = self._decoder.rest, self._decoder.trailers
            return content
        left = self.length - self.received
        if len(data) >= left:
            self.is_complete = True
            self.rest = data[left:]
            return data[:left] if len(data) > left else data
        return data

    def attach(self, sink: BodySink) -> None:
        """Give what is held to ``sink``, and from now on everything as it comes."""
        self._sink = sink
        self._pass_on(sink)

    def _end(self, sink: BodySink) -> None:
        trailers = self._trailers
        if trailers:
            trailers = [pair for pair in trailers if not self.withholds(pair)]
        sink.body_ended(trailers)

    def detach(self) -> None:
        """Let go of the sink; what comes is dropped."""
        self._sink = _NOWHERE
        self._held.clear()
        self._held_bytes = 0


class _Nowhere:
    """Takes a body that nobody wants any more."""

    def body_arrived(self, data: bytes) -> None:
        """Drop it."""

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """Nothing to end."""


_NOWHERE = _Nowhere()
