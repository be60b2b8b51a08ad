"""What is still read of a request that was answered early.

Closed at once, the connection would be reset by what the client still sends, and the
answer lost with it (RFC 9112 section 9.6).
"""

from typing import Final

# How much of it, for how long, and how long a silence ends it.
LINGER_BYTES: Final = 1024 * 1024
LINGER_S: Final = 2.0
LINGER_SILENCE_S: Final = 0.2


class Lingering:
    """Counts what is dropped.

    Args:
        now: Monotonic seconds.

    Attributes:
        until: When silence, or the time that it may take at all, will have ended it.
    """

    __slots__ = ("_dropped", "_end", "until")

    def __init__(self, now: float) -> None:
        self._dropped = 0
        self._end = now + LINGER_S
        self.until = now + LINGER_SILENCE_S

    def drop(self, count: int, now: float) -> bool:
        """Take note of bytes; whether it may go on."""
        self._dropped += count
        self.until = min(self._end, now + LINGER_SILENCE_S)
        return self._dropped <= LINGER_BYTES
