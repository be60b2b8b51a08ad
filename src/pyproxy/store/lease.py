"""Tokens that a process holds of a bucket that is elsewhere, so that it need not ask for each."""

import math
from dataclasses import dataclass
from typing import Final

from pyproxy.limits.limit import Limit
from pyproxy.limits.store import Taken

# A process holds at most so much of what a bucket admits at once: what somebody else may be
# refused too early. Limits under 40 at once are never leased and stay exact.
MOST_OF_QUOTA: Final = 0.05
MOST_TOKENS: Final = 1000
# Seconds that what is fetched at once lasts, at the pace of late, which is seen over as long.
LASTING_S: Final = 0.1
# A refusal is repeated for so long without asking: a flood of refused requests costs nothing.
REFUSING_S: Final = 0.25


@dataclass(slots=True)
class Portion:
    """Tokens that were taken together.

    Attributes:
        left: How many are not spent.
        full_at: When the bucket, as it was left, would be full again; monotonic seconds.
        held_until: Until then the bucket waits for it, and it does not shrink; then it is void.
    """

    left: float = 0.0
    full_at: float = 0.0
    held_until: float = 0.0

    def usable(self, now: float, interval_s: float) -> float:
        """How many may still be spent.

        A bucket that fills up again must not have tokens outside besides. So a portion
        shrinks as the bucket fills: never do the two hold more than the bucket alone may,
        and what a portion loses in this way the bucket has got back already.
        """
        if self.held_until:
            return self.left if now < self.held_until else 0.0
        return max(0.0, min(self.left, (self.full_at - now) / interval_s))

    def returnable(self, now: float, interval_s: float) -> int:
        """How many whole tokens the bucket should get back; of what it waits for, none."""
        return 0 if self.held_until else int(self.usable(now, interval_s))


class Lease:
    """What one process knows and holds of one bucket.

    Each portion shrinks by the bucket as it was when that portion was taken. Those of
    all processes together so never exceed what the bucket lacks: the last one's view
    counts all before it, and of these each has lost what the bucket gained since.

    Attributes:
        is_asking: A take that may bring more is on its way.
        used_at: When it was last asked; monotonic seconds.
    """

    __slots__ = ("_demand", "_newer", "_older", "_refused_until", "_wait_until", "is_asking",
                 "used_at")  # fmt: skip

    def __init__(self, now: float) -> None:
        self._older = Portion()
        self._newer = Portion()
        self._demand = 0.0  # takes in the last LASTING_S or so, older ones counting less
        self._refused_until = 0.0
        self._wait_until = 0.0
        self.is_asking = False
        self.used_at = now

    def take(self, limit: Limit, cost: float, now: float) -> Taken | None:
        """Spend what is here, or repeat a refusal; ``None``: only the bucket can tell."""
        idle_s = max(0.0, now - self.used_at)
        self._demand = self._demand * math.exp(-idle_s / LASTING_S) + 1.0
        self.used_at = now
        for portion in (self._older, self._newer):
            if portion.left >= cost and portion.usable(now, limit.interval_s) >= cost:
                portion.left -= cost
                return Taken(0.0, max(0.0, self._newer.full_at - now), limit)
        if now < self._refused_until:
            wait_s = max(limit.slack_s, self._wait_until - now)
            return Taken(wait_s, max(0.0, self._newer.full_at - now), limit)
        return None

    def more(self, limit: Limit) -> int:
        """How many tokens to fetch besides the one that is needed, by the pace of late."""
        return max(0, self._wanted(limit) - 1)

    def is_low(self, limit: Limit, now: float) -> bool:
        """Whether more should be fetched before this runs out."""
        wanted = self._wanted(limit)
        return wanted > 1 and not self.is_asking and self._held(limit, now) < wanted / 2

    def _wanted(self, limit: Limit) -> int:
        return int(min(self._demand, limit.quota * MOST_OF_QUOTA, MOST_TOKENS))

    def _held(self, limit: Limit, now: float) -> float:
        interval_s = limit.interval_s
        return self._older.usable(now, interval_s) + self._newer.usable(now, interval_s)

    def add(
        self, extra: int, asked_at: float, reset_s: float, held_s: float, limit: Limit, now: float
    ) -> int:
        """Keep what a take brought.

        Args:
            extra: Tokens, maybe none.
            asked_at: Monotonic seconds, before the bucket was asked.
            reset_s: From then until the bucket is full.
            held_s: From then until what the bucket waits for is void; 0 if it does not wait.
            limit: The bucket's.
            now: Monotonic seconds.

        Returns:
            Whole tokens that there is no room for any more, to be given back.
        """
        self._refused_until = 0.0
        if not extra:
            return 0
        left_over = self._older.returnable(now, limit.interval_s)
        self._older = self._newer
        self._newer = Portion(extra, asked_at + reset_s, asked_at + held_s if held_s else 0.0)
        return left_over

    def refuse(self, asked_at: float, wait_s: float, reset_s: float) -> None:
        """Keep that the bucket has nothing for a while."""
        self._wait_until = asked_at + wait_s
        self._refused_until = asked_at + min(wait_s, REFUSING_S)
        if not self._newer.left:
            self._newer.full_at = asked_at + reset_s

    def forget_refusal(self) -> None:
        """Ask again: something was given back."""
        self._refused_until = 0.0

    def surrender(self, limit: Limit, now: float) -> int:
        """Give up what is held: how many whole tokens the bucket should get back."""
        held = sum(
            portion.returnable(now, limit.interval_s) for portion in (self._older, self._newer)
        )
        self._older, self._newer = Portion(), Portion()
        return held
