"""Buckets in the memory of one process."""

from collections.abc import Iterator
from itertools import chain, islice

from pyproxy.limits.bucket import FULL, give_back
from pyproxy.limits.limit import Limit
from pyproxy.limits.store import Taken

DEFAULT_CAPACITY = 100_000  # buckets; about 200 bytes each with its key, 20 MB when full


class MemoryStore:
    """A bounded table of buckets, each one float: when it will be full.

    Two generations. A bucket that is taken from is in the young one; when that
    has half of the capacity it becomes the old one, and takes along what is not
    full yet of the one before, the latest used first, while there is room. So a
    full bucket is forgotten, which changes nothing, and one that limits somebody
    stays while it does, unless more than half the capacity of others do so too.
    A million addresses that come once each cost their look-up and no memory.

    Args:
        capacity: Buckets at most, in both generations together; at least 2.
    """

    __slots__ = ("_half", "_old", "_young")

    kind = "memory"
    is_up = True
    failures = 0

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._half = max(1, capacity // 2)
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}

    def __len__(self) -> int:
        """Buckets held."""
        return len(self._young) + len(self._old)

    def take_nowait(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken:
        """Spend ``cost`` tokens, or say how long to wait; always decides."""
        # The arithmetic of bucket.take, in place: this runs several times a request, and
        # a call with its tuple costs as much as all the rest (tests hold them together).
        full_at = self._young.get(bucket_key)
        if full_at is None:
            full_at = self._admit(bucket_key, now)
        capacity_s = limit.capacity_s
        ahead_s = full_at - now
        if ahead_s < 0.0:
            ahead_s = 0.0
        elif ahead_s > capacity_s:  # the clock went backwards, or the limit is a smaller one now
            ahead_s = capacity_s
            self._young[bucket_key] = now + capacity_s
        after_s = ahead_s + cost * limit.interval_s
        if after_s - capacity_s > limit.slack_s:
            return Taken(after_s - capacity_s, ahead_s, limit)
        self._young[bucket_key] = now + after_s
        return Taken(0.0, after_s, limit)

    async def take(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken:
        """Spend ``cost`` tokens, or say how long to wait; never awaits."""
        return self.take_nowait(bucket_key, limit, cost, now)

    def give_back(self, bucket_key: str, limit: Limit, cost: float, now: float) -> None:
        """Undo an admitted take; nothing to do if the bucket was forgotten."""
        for generation in (self._young, self._old):
            full_at = generation.get(bucket_key)
            if full_at is not None and full_at > now:
                generation[bucket_key] = give_back(full_at, limit.interval_s, cost)

    def buckets(self) -> Iterator[tuple[str, float]]:
        """What is held: each bucket's key, and when it is full again."""
        return chain(self._old.items(), self._young.items())

    def _admit(self, bucket_key: str, now: float) -> float:
        """The bucket of a key that the young generation does not have, moved there."""
        full_at = self._old.pop(bucket_key, FULL)
        if len(self._young) >= self._half:
            self._age(now)
        self._young[bucket_key] = full_at
        return full_at

    def _age(self, now: float) -> None:
        """Make the young generation the old one, without the buckets that are full."""
        young = {name: full_at for name, full_at in self._young.items() if full_at > now}
        latest_first = ((name, self._old[name]) for name in reversed(self._old))
        limited = ((name, full_at) for name, full_at in latest_first if full_at > now)
        kept = list(islice(limited, self._half - len(young)))
        kept.reverse()
        self._old = dict(kept) | young
        self._young = {}
