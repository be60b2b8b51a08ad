"""What there is to tell of an upstream, beside the fate of a request."""

from typing import Final, Literal, Protocol

Event = Literal[
    "upstream.ejected",
    "upstream.recovered",
    "upstream.unhealthy",
    "upstream.healthy",
    "upstream.name_failed",
    "upstream.name_found",
]
BAD_NEWS: Final = frozenset({"upstream.ejected", "upstream.unhealthy", "upstream.name_failed"})


class Tell(Protocol):
    """Hears of a change, once; may not block or raise."""

    def __call__(self, event: Event, upstream: str, reason: str = "") -> None:
        """Take note.

        Args:
            event: What changed.
            upstream: The endpoint's name.
            reason: In an operator's words, nothing of it sent by the other side.
        """


def silent(event: Event, upstream: str, reason: str = "") -> None:
    """Tell nobody."""
