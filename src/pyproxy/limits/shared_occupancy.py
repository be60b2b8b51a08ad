"""Requests under way, counted by several processes of one machine together."""

from pyproxy.limits.digest import digest
from pyproxy.limits.shared_store import Locks

WAYS = 8  # rows that a pair of route and user may be in
STRIPES = 16  # locks; a power of two
_ROW_BYTES = 16  # a digest and a total
_COUNT_BYTES = 2
_MOST_OF_ONE = 0xFFFF  # requests of one pair that one process can count
_SEPARATOR = "\x1f"  # no route's name holds it


def occupancy_bytes(rows: int, slots: int) -> int:
    """The memory that a table takes; most of it is never touched.

    Args:
        rows: Pairs of route and user at a time; `STRIPES * WAYS` times a power of two.
        slots: Processes at a time.
    """
    return rows * (_ROW_BYTES + slots * _COUNT_BYTES)


class SharedOccupancy:
    """A table of pairs of route and user: a total each, and what each process has in it.

    A process writes its own column alone, so what it counted can be taken off
    when it was killed: the total is made anew from the columns of the others. A
    row whose total is 0 is free. Where all rows of a pair's set are taken, the
    request is refused (of 16,384 rows, with 4,000 pairs under way: one in 5,000).

    Args:
        memory: Zeroed when it was made; of `occupancy_bytes`. Released by `close`.
        locks: `STRIPES` of them.
        key: Of the digests; the same in all processes, and secret.
        rows: As the memory was measured.
        slot: This process's column.
    """

    __slots__ = ("_counts", "_digests", "_key", "_locks", "_set_mask", "_slot", "_slots", "_totals")

    def __init__(
        self, memory: memoryview, locks: Locks, key: bytes, *, rows: int, slot: int
    ) -> None:
        self._digests = memory[: rows * 8].cast("Q")
        self._totals = memory[rows * 8 : rows * _ROW_BYTES].cast("Q")
        self._counts = memory[rows * _ROW_BYTES :].cast("H")
        self._slots = len(self._counts) // rows
        if not 0 <= slot < self._slots:
            raise ValueError(f"there is no slot {slot}")
        self._set_mask = rows // WAYS - 1
        self._slot = slot
        self._locks = locks
        self._key = key

    def enter(self, route: str, user: str, most: int) -> bool:
        """Count one more, unless there are ``most``, or no row is left."""
        mark = digest(f"{route}{_SEPARATOR}{user}", self._key)
        stripe = mark & (STRIPES - 1)
        self._locks.acquire(stripe)
        try:
            row = self._find(mark)
            if row is None:
                row = self._claim(mark)
            if row is None or self._totals[row] >= most:
                return False
            own = row * self._slots + self._slot
            if self._counts[own] == _MOST_OF_ONE:
                return False
            self._counts[own] += 1
            self._totals[row] += 1
            return True
        finally:
            self._locks.release(stripe)

    def leave(self, route: str, user: str) -> None:
        """Count one less."""
        mark = digest(f"{route}{_SEPARATOR}{user}", self._key)
        stripe = mark & (STRIPES - 1)
        self._locks.acquire(stripe)
        try:
            row = self._find(mark)
            if row is None:
                return
            own = row * self._slots + self._slot
            if self._counts[own]:
                self._counts[own] -= 1
                self._totals[row] -= 1
        finally:
            self._locks.release(stripe)

    def free(self) -> None:
        """Take off all that this column counted; its process has ended."""
        for row, mark in enumerate(self._digests.tolist()):
            if not mark:
                continue
            stripe = row // WAYS & (STRIPES - 1)
            self._locks.acquire(stripe)
            try:
                first = row * self._slots
                self._counts[first + self._slot] = 0
                # Not by subtraction: it may have been killed between its count and the total.
                self._totals[row] = sum(self._counts[first : first + self._slots].tolist())
            finally:
                self._locks.release(stripe)

    def close(self) -> None:
        """Let go of the memory."""
        for part in (self._digests, self._totals, self._counts):
            part.release()

    def _find(self, mark: int) -> int | None:
        first = (mark & self._set_mask) * WAYS
        marks = self._digests[first : first + WAYS].tolist()
        return first + marks.index(mark) if mark in marks else None

    def _claim(self, mark: int) -> int | None:
        """A free row, made the pair's; its digest first, by which `free` finds it."""
        first = (mark & self._set_mask) * WAYS
        totals = self._totals[first : first + WAYS].tolist()
        if 0 not in totals:
            return None
        row = first + totals.index(0)
        self._digests[row] = mark
        return row
