"""How slowly a request's body may come."""

from typing import Final

# Slower than this over a whole body is an attack: 100 MB would take five days
# (R-U-Dead-Yet). Counted anew after each time that we ourselves held the body back.
MIN_BODY_BYTES_PER_S: Final = 240.0


class Pace:
    """Since when a body is expected, and from which byte on.

    Args:
        now: Monotonic seconds.
        received: Bytes of content that had come by then.
    """

    __slots__ = ("_received", "_since")

    def __init__(self, now: float, received: int) -> None:
        self._since = now
        self._received = received

    def until(self, now: float, received: int, patience_s: float) -> float:
        """When to give the body up: one that stalls, and one that drips.

        Args:
            now: Monotonic seconds.
            received: Bytes of content by now.
            patience_s: The longest silence.
        """
        slowest = self._since + patience_s + (received - self._received) / MIN_BODY_BYTES_PER_S
        return min(now + patience_s, slowest)
