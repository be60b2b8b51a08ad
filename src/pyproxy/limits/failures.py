"""How many failures fell into the last while: the arithmetic that every list of bans counts by.

The window is cut into `SPANS` equal spans, and a counter kept for each of them and for
the one under way. So what is counted reaches back by the window, and by less than a
`SPANS`-th of it more: N failures within the window are never counted as fewer, and are
counted as N only if they fell into 8/7 of it. Two counters of which the older is weighted
would take a third of the memory, and miss nineteen failures of twenty that came just
before a change of the window.
"""

from typing import Final, Protocol

SPANS: Final = 7
COUNTERS: Final = SPANS + 1
MOST: Final = 0xFFFF  # a counter of two bytes stops here


class Counters(Protocol):
    """Numbers of two bytes: an array, or a view of memory."""

    def __getitem__(self, place: int, /) -> int:
        """One of them."""
        ...

    def __setitem__(self, place: int, number: int, /) -> None:
        """Change one of them."""
        ...


def span_of(now: float, within_s: float) -> int:
    """The number of the span that a moment is in.

    Args:
        now: Monotonic seconds.
        within_s: The window, more than 0.
    """
    return int(now * SPANS / within_s)


def count(counters: Counters, first: int, latest: int, span: int) -> int:
    """Count one failure in a ring of counters.

    A clock that went backwards counts as standing still; by more than the whole window,
    it begins anew.

    Args:
        counters: Of which `COUNTERS` from ``first`` are the ring; changed in place.
        first: Its beginning.
        latest: The span that was counted in last.
        span: The one under way.

    Returns:
        The span that was counted in, to be kept as ``latest``.
    """
    if span <= latest - COUNTERS:
        clear(counters, first)
    elif span < latest:
        span = latest
    else:
        for fresh in range(max(latest + 1, span - SPANS), span + 1):
            counters[first + fresh % COUNTERS] = 0
    place = first + span % COUNTERS
    counters[place] = min(MOST, counters[place] + 1)
    return span


def clear(counters: Counters, first: int) -> None:
    """Forget what a ring counted."""
    for place in range(first, first + COUNTERS):
        counters[place] = 0


def is_over(latest: int, span: int) -> bool:
    """Whether nothing of what was counted up to ``latest`` counts in ``span`` any more."""
    return span - latest > SPANS or latest - span >= COUNTERS
