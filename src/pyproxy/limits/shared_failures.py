"""Failures by client, in memory that several processes of one machine share."""

from collections.abc import Sequence

from pyproxy.limits.digest import digest
from pyproxy.limits.failures import COUNTERS, SPANS, clear, count, is_over, span_of

WAYS = 8  # rows that a client's failures may be in
_ROW_BYTES = 40  # a digest, the window, the span that was counted in last, and the counters
_NOBODY = 0


def failures_bytes(rows: int) -> int:
    """The memory that a table takes; what is never written is never there.

    Args:
        rows: Clients at most; `WAYS` times a power of two.
    """
    return rows * _ROW_BYTES


class SharedFailures:
    """A table of fixed size: a ring of counters for each client, found by its digest.

    A digest leads to a set of `WAYS` rows. A row whose failures are over is free; where
    none is, the one with the fewest makes room, so that strangers who come by never help
    one who keeps failing. Not locked: its owner does that.

    A process killed between two stores leaves counters that are too low, and never one
    client's failures with another's digest.

    Args:
        memory: Zeroed when it was made, of `failures_bytes`. Released by `close`.
        key: Of the digests; the same in all processes, and secret.
    """

    __slots__ = ("_counters", "_digests", "_key", "_latest", "_set_mask", "_windows")

    def __init__(self, memory: memoryview, key: bytes) -> None:
        rows = len(memory) // _ROW_BYTES
        sets = rows // WAYS
        if not sets or sets & (sets - 1) or len(memory) != sets * WAYS * _ROW_BYTES:
            raise ValueError("the table's size is not a power of two")
        self._digests = memory[: rows * 8].cast("Q")
        self._windows = memory[rows * 8 : rows * 16].cast("d")
        self._latest = memory[rows * 16 : rows * 24].cast("q")
        self._counters = memory[rows * 24 :].cast("H")
        self._set_mask = sets - 1
        self._key = key

    def add(self, client: str, within_s: float, now: float) -> int:
        """Count one failure more; how many there were within the window, this one included."""
        mark = digest(client, self._key)
        row = self._find(mark)
        if row is None:
            row = self._claim(mark, now)
        first = row * COUNTERS
        if self._windows[row] != within_s:
            clear(self._counters, first)
            self._windows[row] = within_s
            self._latest[row] = span_of(now, within_s)
        span = span_of(now, within_s)
        self._latest[row] = count(self._counters, first, self._latest[row], span)
        return self._total(row)

    def adopt(self, client: str, within_s: float, latest: int, counters: Sequence[int]) -> None:
        """Take over what one process counted of a client."""
        now = latest * within_s / SPANS
        mark = digest(client, self._key)
        row = self._find(mark)
        if row is None:
            row = self._claim(mark, now)
        first = row * COUNTERS
        self._windows[row], self._latest[row] = within_s, latest
        for place, failures in enumerate(counters, first):
            self._counters[place] = failures

    def forget(self, client: str) -> None:
        """Count what the client failed at no more."""
        row = self._find(digest(client, self._key))
        if row is not None:
            clear(self._counters, row * COUNTERS)
            self._digests[row] = _NOBODY

    def close(self) -> None:
        """Let go of the memory."""
        for part in (self._digests, self._windows, self._latest, self._counters):
            part.release()

    def _find(self, mark: int) -> int | None:
        first = (mark & self._set_mask) * WAYS
        marks = self._digests[first : first + WAYS].tolist()
        return first + marks.index(mark) if mark in marks else None

    def _claim(self, mark: int, now: float) -> int:
        """The row that can best be spared, with nothing counted in it."""
        first = (mark & self._set_mask) * WAYS
        marks = self._digests[first : first + WAYS].tolist()
        if _NOBODY in marks:
            row = first + marks.index(_NOBODY)
        else:
            row = min(range(first, first + WAYS), key=lambda row: self._worth(row, now))
        # First nobody's and then empty, before it is another's: it must not inherit.
        self._digests[row] = _NOBODY
        clear(self._counters, row * COUNTERS)
        self._windows[row] = 0.0
        self._digests[row] = mark
        return row

    def _worth(self, row: int, now: float) -> tuple[int, float]:
        """What would be lost with a row: failures, and of as many the later ones."""
        window = self._windows[row]
        latest = self._latest[row]
        if not window or is_over(latest, span_of(now, window)):
            return 0, 0.0
        return self._total(row), latest * window

    def _total(self, row: int) -> int:
        first = row * COUNTERS
        return sum(self._counters[first : first + COUNTERS].tolist())
