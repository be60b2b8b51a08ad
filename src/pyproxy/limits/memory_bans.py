"""Bans in the memory of one process."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pyproxy.limits.bans import Ban, BanRules, in_order, stored
from pyproxy.limits.failures import COUNTERS, count, is_over, span_of

MOST_BANS = 16_384  # some 150 bytes each, 2.5 MB when full
MOST_COUNTED = 65_536  # clients that failed; some 400 bytes each, 26 MB when full


@dataclass(slots=True)
class Failures:
    """What a client failed at.

    Attributes:
        within_s: The window that the spans are cut from.
        latest: The span that was counted in last.
        total: Sum of the counters.
        counters: A ring of them; see ``limits.failures``.
    """

    within_s: float
    latest: int
    total: int = 0
    counters: "array[int]" = field(default_factory=lambda: array("H", bytes(2 * COUNTERS)))


class MemoryBans:
    """Two bounded tables: bans by client, and failures by client.

    A million clients that fail once cost their look-up and no memory: where too many
    failures are counted, those of clients who have the fewest are forgotten, so that
    strangers who come by never help one who keeps failing.

    Args:
        most_bans: Bans at most.
        most_counted: Clients whose failures are counted at most.
    """

    __slots__ = ("_failures", "_last_end", "_most_bans", "_most_counted", "_until")

    def __init__(self, most_bans: int = MOST_BANS, most_counted: int = MOST_COUNTED) -> None:
        self._most_bans = most_bans
        self._most_counted = most_counted
        self._until: dict[str, float] = {}
        self._last_end = 0.0  # no ban ends later
        self._failures: dict[str, Failures] = {}  # who failed last is the last

    def __len__(self) -> int:
        """Clients whose failures are counted."""
        return len(self._failures)

    def left_s(self, client: str, now: float) -> float:
        """Seconds that a client is still banned for; ``0.0`` if it is not."""
        if now >= self._last_end:
            return 0.0
        until = self._until.get(client, 0.0)
        return until - now if until > now else 0.0

    def failed(self, client: str, rules: BanRules, now: float) -> bool:
        """Count a failed authentication; whether it was the one that began a ban."""
        if not rules.after or not client or self.left_s(client, now):
            return False
        span = span_of(now, rules.within_s)
        failures = self._failures.pop(client, None)
        if failures is None or failures.within_s != rules.within_s:
            self._make_room(now)
            failures = Failures(rules.within_s, span)
        failures.latest = count(failures.counters, 0, failures.latest, span)
        failures.total = sum(failures.counters)
        if failures.total < rules.after:
            self._failures[client] = failures
            return False
        self.ban(client, rules.lasting_s, now)
        return True

    def ban(self, client: str, lasting_s: float, now: float) -> None:
        """Ban a client for so long from now on, or for what is left if that is more."""
        stored(client)
        self._failures.pop(client, None)
        until = max(now + lasting_s, self._until.get(client, 0.0))
        if client not in self._until and len(self._until) >= self._most_bans:
            soonest = min(self._until, key=self._until.__getitem__)
            if self._until[soonest] > until:
                return
            del self._until[soonest]
        self._until[client] = until
        self._last_end = max(self._last_end, until)

    def lift(self, client: str, now: float) -> bool:
        """Let a client in again, and forget its failures; whether it was banned."""
        self._failures.pop(client, None)
        return self._until.pop(client, 0.0) > now

    def in_force(self, now: float) -> tuple[Ban, ...]:
        """All bans, the one that ends last first."""
        return in_order(self._until.items(), now)

    def count(self, now: float) -> int:
        """How many there are."""
        return sum([until > now for until in self._until.values()])

    def banned(self) -> Iterator[tuple[str, float]]:
        """What is held: each client, and until when (monotonic seconds)."""
        return iter(self._until.items())

    def counted(self) -> Iterator[tuple[str, Failures]]:
        """Each client that failed, and what was counted."""
        return iter(self._failures.items())

    def _make_room(self, now: float) -> None:
        """At the bound, forget a quarter: what is over, and then the fewest and the oldest."""
        if len(self._failures) < self._most_counted:
            return
        kept = {
            client: each
            for client, each in self._failures.items()
            if not is_over(each.latest, span_of(now, each.within_s))
        }
        excess = len(kept) - self._most_counted * 3 // 4
        if excess > 0:
            fewest_first = sorted(kept, key=lambda client: kept[client].total)  # stable: oldest
            for client in islice(fewest_first, excess):
                del kept[client]
        self._failures = kept
