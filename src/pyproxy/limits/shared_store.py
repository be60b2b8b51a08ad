"""Buckets in memory that several processes of one machine share."""

from typing import Protocol

from pyproxy.limits.bucket import FULL, give_back
from pyproxy.limits.digest import digest
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.store import Taken

BUCKET_BYTES = 16  # a digest, and when the bucket is full again
WAYS = 8  # places that a bucket may be in: one line of the processor's cache
STRIPES = 64  # locks; a power of two
_MEMO = 8192  # bucket keys whose place is remembered; about 2 MB
_NOTHING = 0.0  # full again at the beginning of the clock, so a free place


class Locks(Protocol):
    """Numbered locks between processes.

    One at a time is held, for a few microseconds and never over an await. One
    that a process held when it was killed is free. Within one process they keep
    nobody apart: what they guard belongs to one of its threads.
    """

    def acquire(self, number: int) -> None:
        """Wait until nobody else has it."""
        ...

    def release(self, number: int) -> None:
        """Let the next one have it."""
        ...


class SharedStore:
    """A table of fixed size of buckets; each is found by a digest of its key.

    A digest leads to a set of `WAYS` places. A bucket that is full again leaves
    its place to the next; where none is full, the one that is full soonest goes,
    so that who is limited for longest stays so, whatever comes by. A million
    addresses that come once each cost their look-up and no memory.

    Every take is one step under its set's lock. What is stored is stored word by
    word and in such an order that a process killed in between leaves a bucket
    that is full, or one as it was: never one that is emptier than it should be.

    Args:
        memory: Zeroed when it was made, `BUCKET_BYTES` a bucket; `STRIPES` sets
            times a power of two. Released by `close`.
        locks: `STRIPES` of them.
        key: Of the digests; the same in all processes, and secret.
    """

    __slots__ = ("_digests", "_full_at", "_key", "_locks", "_places", "_set_mask")

    kind = "memory"
    is_up = True
    failures = 0

    def __init__(self, memory: memoryview, locks: Locks, key: bytes) -> None:
        half = len(memory) // 2
        sets = half // (8 * WAYS)
        if sets < STRIPES or sets & (sets - 1) or len(memory) != sets * WAYS * BUCKET_BYTES:
            raise ValueError("the table's size is not a power of two")
        self._digests = memory[:half].cast("Q")
        self._full_at = memory[half:].cast("d")
        self._set_mask = sets - 1
        self._locks = locks
        self._key = key
        self._places: dict[str, tuple[int, int]] = {}

    def take_nowait(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken:
        """Spend ``cost`` tokens, or say how long to wait; always decides."""
        place = self._places.get(bucket_key)
        mark, slot = self._place(bucket_key) if place is None else place
        times, locks, stripe = self._full_at, self._locks, mark & (STRIPES - 1)
        capacity_s = limit.capacity_s
        locks.acquire(stripe)
        try:
            if self._digests[slot] != mark:
                slot = self._admit(bucket_key, mark)
            # The arithmetic of bucket.take, in place: what is done under the lock is short.
            ahead_s = times[slot] - now
            if ahead_s < 0.0:
                ahead_s = 0.0
            elif ahead_s > capacity_s:  # the clock went backwards, or the limit is a smaller one
                ahead_s = capacity_s
                times[slot] = now + capacity_s
            after_s = ahead_s + cost * limit.interval_s
            wait_s = after_s - capacity_s
            if wait_s <= limit.slack_s:
                times[slot] = now + after_s
                return Taken(0.0, after_s, limit)
        finally:
            locks.release(stripe)
        return Taken(wait_s, ahead_s, limit)

    async def take(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken:
        """Spend ``cost`` tokens, or say how long to wait; never awaits."""
        return self.take_nowait(bucket_key, limit, cost, now)

    def give_back(self, bucket_key: str, limit: Limit, cost: float, now: float) -> None:
        """Undo an admitted take; nothing to do if the bucket was forgotten."""
        mark, _ = self._place(bucket_key)
        stripe = mark & (STRIPES - 1)
        self._locks.acquire(stripe)
        try:
            slot = self._find(mark)
            if slot is not None and self._full_at[slot] > now:
                full_at = give_back(self._full_at[slot], limit.interval_s, cost)
                self._full_at[slot] = max(_NOTHING, full_at)
        finally:
            self._locks.release(stripe)

    def adopt(self, store: MemoryStore) -> None:
        """Take over the buckets of one process; of two of a name the emptier counts."""
        for bucket_key, full_at in store.buckets():
            if full_at == FULL:
                continue
            mark, _ = self._place(bucket_key)
            stripe = mark & (STRIPES - 1)
            self._locks.acquire(stripe)
            try:
                slot = self._admit(bucket_key, mark)
                self._full_at[slot] = max(full_at, self._full_at[slot])
            finally:
                self._locks.release(stripe)

    def close(self) -> None:
        """Let go of the memory."""
        self._digests.release()
        self._full_at.release()

    def _place(self, bucket_key: str) -> tuple[int, int]:
        """The digest of a key, and the place where its bucket may be."""
        mark = digest(bucket_key, self._key)
        return mark, (mark & self._set_mask) * WAYS

    def _find(self, mark: int) -> int | None:
        first = (mark & self._set_mask) * WAYS
        marks = self._digests[first : first + WAYS].tolist()
        return first + marks.index(mark) if mark in marks else None

    def _admit(self, bucket_key: str, mark: int) -> int:
        """The place of a bucket, which it gets now if it had none; the lock is held."""
        slot = self._find(mark)
        if slot is None:
            first = (mark & self._set_mask) * WAYS
            times = self._full_at[first : first + WAYS].tolist()
            slot = first + times.index(min(times))
            self._full_at[slot] = _NOTHING  # before it is another's: it must not inherit
            self._digests[slot] = mark
        if len(self._places) >= _MEMO:
            self._places.clear()
        self._places[bucket_key] = mark, slot
        return slot
