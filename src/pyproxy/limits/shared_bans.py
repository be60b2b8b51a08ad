"""Bans in memory that several processes of one machine share."""

from collections.abc import Iterable
from typing import Final, Protocol

from pyproxy.limits.bans import CLIENT_BYTES, Ban, BanRules, in_order, stored
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.limits.shared_failures import SharedFailures, failures_bytes

_HEADER_BYTES: Final = 16
_NEWS: Final = 1024  # changes that are remembered; who has missed more reads everything
_NEWS_BYTES: Final = _NEWS * 4
_ROW_BYTES: Final = 8 + CLIENT_BYTES

# Words of the header.
_CHANGES: Final = 0  # how often a row was changed
_HELD: Final = 1  # rows that were ever used

_ENDED: Final = 0.0  # until when nobody is banned: the beginning of the clock


class Lock(Protocol):
    """One lock between processes; free when the process that held it was killed."""

    def acquire(self, number: int) -> None:
        """Wait until nobody else has it."""
        ...

    def release(self, number: int) -> None:
        """Let the next one have it."""
        ...


def bans_bytes(rows: int, counted: int) -> int:
    """The memory that a list takes; what is never written is never there.

    Args:
        rows: Bans at most.
        counted: Clients whose failures are counted; see `failures_bytes`.
    """
    return _HEADER_BYTES + _NEWS_BYTES + rows * _ROW_BYTES + failures_bytes(counted)


class SharedBans:
    """A list of bans, what this process has read of it, and a table of failures.

    Which row changes is written down and counted before it is changed, all of it under
    the lock. Whoever finds the count changed reads those rows under the lock; so a ban
    is in force everywhere once `ban` has returned, and a look costs one word as long as
    nothing has changed. At the bound the row that ends first makes room.

    A row is a client and until when: it is ended before its client is replaced, so that
    a process killed in between leaves nobody banned in another's place.

    Args:
        memory: Zeroed when it was made, of `bans_bytes`. Released by `close`.
        lock: Its number 0 is used.
        key: Of the digests; the same in all processes, and secret.
        counted: As the memory was measured.
    """

    __slots__ = (
        "_client_of",
        "_clients",
        "_ends",
        "_failures",
        "_last_end",
        "_lock",
        "_news",
        "_row_of",
        "_seen",
        "_until",
        "_words",
    )

    def __init__(self, memory: memoryview, lock: Lock, key: bytes, *, counted: int) -> None:
        news_end = _HEADER_BYTES + _NEWS_BYTES
        rows_end = len(memory) - failures_bytes(counted)
        clients_at = news_end + (rows_end - news_end) // _ROW_BYTES * 8
        self._words = memory[:_HEADER_BYTES].cast("Q")
        self._news = memory[_HEADER_BYTES:news_end].cast("I")
        self._ends = memory[news_end:clients_at].cast("d")
        self._clients = memory[clients_at:rows_end]
        self._failures = SharedFailures(memory[rows_end:], key)
        self._lock = lock
        # What was read:
        self._seen = 0  # changes
        self._client_of: dict[int, str] = {}
        self._row_of: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._last_end = 0.0  # no ban ends later

    def left_s(self, client: str, now: float) -> float:
        """Seconds that a client is still banned for; ``0.0`` if it is not."""
        if self._words[_CHANGES] != self._seen:
            self._catch_up()
        if now >= self._last_end:
            return 0.0
        until = self._until.get(client, 0.0)
        return until - now if until > now else 0.0

    def failed(self, client: str, rules: BanRules, now: float) -> bool:
        """Count a failed authentication; whether it was the one that began a ban."""
        if not rules.after or not client:
            return False
        self._lock.acquire(0)
        try:
            self._read_on()
            if self._until.get(client, 0.0) > now:
                return False
            if self._failures.add(client, rules.within_s, now) < rules.after:
                return False
            self._ban(client, now + rules.lasting_s)
            return True
        finally:
            self._lock.release(0)

    def ban(self, client: str, lasting_s: float, now: float) -> None:
        """Ban a client for so long from now on, or for what is left if that is more."""
        self._lock.acquire(0)
        try:
            self._read_on()
            self._ban(client, now + lasting_s)
        finally:
            self._lock.release(0)

    def lift(self, client: str, now: float) -> bool:
        """Let a client in again, and forget its failures; whether it was banned."""
        self._lock.acquire(0)
        try:
            self._read_on()
            was_banned = self._until.get(client, 0.0) > now
            self._failures.forget(client)
            row = self._row_of.get(client)
            if row is not None:
                self._announce(row)
                self._ends[row] = _ENDED
                self._read_on()
            return was_banned
        finally:
            self._lock.release(0)

    def in_force(self, now: float) -> tuple[Ban, ...]:
        """All bans, the one that ends last first."""
        if self._words[_CHANGES] != self._seen:
            self._catch_up()
        return in_order(self._until.items(), now)

    def count(self, now: float) -> int:
        """How many there are."""
        if self._words[_CHANGES] != self._seen:
            self._catch_up()
        return sum([until > now for until in self._until.values()])

    def adopt(self, bans: MemoryBans) -> None:
        """Go on from what one process counted and banned by itself."""
        self._lock.acquire(0)
        try:
            self._read_on()
            for client, until in bans.banned():
                self._ban(client, until)
            for client, counted in bans.counted():
                self._failures.adopt(client, counted.within_s, counted.latest, counted.counters)
        finally:
            self._lock.release(0)

    def close(self) -> None:
        """Let go of the memory."""
        self._failures.close()
        for part in (self._words, self._news, self._ends, self._clients):
            part.release()

    def _catch_up(self) -> None:
        self._lock.acquire(0)
        try:
            self._read_on()
        finally:
            self._lock.release(0)

    # The rest runs under the lock.

    def _read_on(self) -> None:
        """Take in the rows that have changed, or all if too many have to know which."""
        changes = self._words[_CHANGES]
        if changes == self._seen:
            return
        if changes - self._seen > _NEWS:
            rows: Iterable[int] = range(self._words[_HELD])
        else:
            rows = [self._news[change % _NEWS] for change in range(self._seen, changes)]
        for row in rows:
            self._read(row)
        self._seen = changes
        self._last_end = max(self._until.values(), default=0.0)

    def _read(self, row: int) -> None:
        before = self._client_of.pop(row, None)
        # Another row may hold that client by now, and have been read already.
        if before is not None and self._row_of.get(before) == row:
            del self._row_of[before], self._until[before]
        until = self._ends[row]
        if until == _ENDED:
            return
        first = row * CLIENT_BYTES
        client = bytes(self._clients[first : first + CLIENT_BYTES]).rstrip(b"\0").decode()
        self._client_of[row] = client
        self._row_of[client], self._until[client] = row, until

    def _ban(self, client: str, until: float) -> None:
        text = stored(client)
        self._failures.forget(client)
        row = self._row_of.get(client)
        if row is not None:
            if until > self._ends[row]:
                self._announce(row)
                self._ends[row] = until
        elif (row := self._row_for(until)) is not None:
            self._announce(row)
            self._ends[row] = _ENDED
            first = row * CLIENT_BYTES
            self._clients[first : first + CLIENT_BYTES] = text.ljust(CLIENT_BYTES, b"\0")
            self._ends[row] = until
        self._read_on()

    def _row_for(self, until: float) -> int | None:
        """A new row, or the one that ends first; none if that ends after this ban."""
        held = self._words[_HELD]
        if held < len(self._ends):
            self._words[_HELD] = held + 1
            return held
        ends = self._ends.tolist()
        soonest = min(ends)
        return None if soonest > until else ends.index(soonest)

    def _announce(self, row: int) -> None:
        """Say which row is about to change."""
        changes = self._words[_CHANGES]
        self._news[changes % _NEWS] = row
        self._words[_CHANGES] = changes + 1
