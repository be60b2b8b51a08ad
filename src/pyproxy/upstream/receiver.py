"""Who an upstream's answer is for."""

from typing import Protocol

from pyproxy.errors.refusal import Refusal
from pyproxy.wire.head import FieldLine, ResponseHead
from pyproxy.wire.upgrade import Protocols


class Switch(Protocol):
    """Takes over when an upstream changes protocol as it was asked to.

    Attributes:
        protocols: What it was asked for.
    """

    protocols: Protocols

    def switched(self, head: ResponseHead, protocols: Protocols, rest: bytes) -> None:
        """Take the 101, what it changes to, and bytes that came after it already."""


class Receiver(Protocol):
    """Takes one answer, piece by piece, from within the loop's read callback.

    The order is: any number of ``interim``, one ``head``, any number of ``body``,
    one ``end``; ``flush`` after each read; ``failed`` at any time instead of the
    rest. Nothing here may block or raise.
    """

    def interim_arrived(self, head: ResponseHead) -> None:
        """Take a 1xx answer."""

    def head_arrived(self, head: ResponseHead, length: int) -> None:
        """Take the final answer's head, and its body's length (see ``wire.framing``)."""

    def body_arrived(self, data: bytes) -> None:
        """Take bytes of the body, at least one."""

    def chunk_arrived(self, data: bytes, size: int) -> None:
        """Take ``size`` bytes of the body as the chunk that they came in."""

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """Take note that the answer is complete."""

    def flush(self) -> None:
        """Pass on what has come so far."""

    def failed(self, refusal: Refusal) -> None:
        """Take note that no more will come."""

    def upload_blocked(self) -> None:
        """Take note that the upstream reads slower than the body comes."""

    def upload_unblocked(self) -> None:
        """Take note that the upstream caught up."""
