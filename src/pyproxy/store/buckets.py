"""Buckets in Redis, shared by machines; near at hand as far as they are leased."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyproxy.config.store import OnFailure
from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.limits.limit import Limit
from pyproxy.limits.store import Store, Taken
from pyproxy.store.lease import Lease
from pyproxy.store.line import Line, Question, Value
from pyproxy.store.scripts import BucketScripts, key_of

_Numbers = tuple[int, int, int, int]
_US: Final = 1e6  # microseconds a second: what the scripts count in
MOST_LEASES: Final = 8192  # buckets that this process remembers; about 4 MB
# What nobody wanted for so long goes back.
_IDLE_S: Final = 0.5
_TAKEN: Final = 4  # numbers in the answer to a take


@dataclass(frozen=True, slots=True)
class Failing:
    """What happens to takes while the store is down.

    Attributes:
        policy: As configured.
        local: Limits meanwhile, where that is the policy.
    """

    policy: OnFailure
    local: Store

    def decide(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken | None:
        """Without the store; ``None``: it must be refused."""
        if self.policy == "local":
            return self.local.take_nowait(bucket_key, limit, cost, now)
        return Taken(0.0, 0.0, limit) if self.policy == "allow" else None


class RedisStore:
    """The shared store (`limits.store.Store`).

    A bucket is one key, changed by one script at Redis's own time. Of limits that admit
    40 or more at once a process that is asked often holds a lease (`store.lease`): it
    answers at once and never lets in more than the limit, but what it holds is refused to
    the others until it is used, has gone back, or has become void by the bucket's filling.

    Args:
        line: To Redis.
        failing: What to do while it is down.
        prefix: Of the keys.
        clock: Monotonic seconds.
        scripts: Those of the server's own time, unless a test steps through time.
    """

    def __init__(
        self,
        line: Line,
        failing: Failing,
        prefix: str,
        clock: Callable[[], float],
        scripts: BucketScripts | None = None,
    ) -> None:
        self._line = line
        self._failing = failing
        self._prefix = prefix
        self._clock = clock
        self._scripts = scripts or BucketScripts.timed_by()
        self._leases: dict[str, tuple[Lease, Limit]] = {}

    @property
    def kind(self) -> str:
        """Where buckets are."""
        return "redis"

    @property
    def is_up(self) -> bool:
        """It answers, as far as is known."""
        return self._line.is_up

    @property
    def failures(self) -> int:
        """Faults of the line, failed probes included."""
        return self._line.failures

    def take_nowait(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken | None:
        """Spend of the lease, or repeat a refusal; ``None`` if there is neither."""
        if not self._line.is_up:
            return self._failing.decide(bucket_key, limit, cost, now)
        found = self._leases.get(bucket_key)
        if found is None or found[1] is not limit:
            return None
        lease = found[0]
        taken = lease.take(limit, cost, now)
        if taken is not None and not taken.wait_s and lease.is_low(limit, now):
            self._renew(bucket_key, lease, limit, now)
        return taken

    async def take(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken:
        """Spend ``cost`` tokens, or say how long to wait for them.

        Raises:
            StoreUnavailable: The store is down and the policy is to deny.
        """
        lease = self._lease(bucket_key, limit, now)
        more = self._begin(lease, limit)
        try:
            answer = await self._ask(bucket_key, limit, cost, more, now)
        finally:
            if more:
                lease.is_asking = False
        taken = self._taken(answer, bucket_key, lease, limit, now)
        if taken is None:
            taken = self._failing.decide(bucket_key, limit, cost, now)
        if taken is None:
            raise StoreUnavailable("the store is down")
        return taken

    def give_back(self, bucket_key: str, limit: Limit, cost: float, now: float) -> None:
        """Undo an admitted take, when it can; not at all if the store is down."""
        if not self._line.is_up:
            if self._failing.policy == "local":
                self._failing.local.give_back(bucket_key, limit, cost, now)
            return
        found = self._leases.get(bucket_key)
        if found is not None:
            found[0].forget_refusal()
        self._return(bucket_key, limit, cost)

    async def run(self) -> None:
        """Give back what nobody uses, until cancelled."""
        while True:
            await asyncio.sleep(_IDLE_S / 2)
            self.sweep(self._clock())

    def sweep(self, now: float) -> None:
        """Give back, and forget, what was not used for a while."""
        idle = [key for key, (lease, _) in self._leases.items() if now - lease.used_at > _IDLE_S]
        for bucket_key in idle:
            lease, limit = self._leases.pop(bucket_key)
            if held := lease.surrender(limit, now):
                self._return(bucket_key, limit, held)

    def _lease(self, bucket_key: str, limit: Limit, now: float) -> Lease:
        found = self._leases.get(bucket_key)
        if found is not None and found[1] is limit:
            return found[0]
        lease = Lease(now)
        _ = lease.take(limit, 1.0, now)  # counts as asked
        if found is not None and (held := found[0].surrender(found[1], now)):
            self._return(bucket_key, found[1], held)  # the limit has changed in a reload
        if found is not None or len(self._leases) < MOST_LEASES:
            self._leases[bucket_key] = lease, limit
        return lease

    def _begin(self, lease: Lease, limit: Limit) -> int:
        """How many more to ask for; one take at a time asks for more."""
        more = 0 if lease.is_asking else lease.more(limit)
        if more:
            lease.is_asking = True
        return more

    def _renew(self, bucket_key: str, lease: Lease, limit: Limit, now: float) -> None:
        """Fetch more before a lease runs out; nobody waits for it."""
        more = self._begin(lease, limit)
        if not more:
            return

        def keep(answered: "asyncio.Future[object]") -> None:
            lease.is_asking = False
            if answered.cancelled() or answered.result() is None:
                return
            numbers = _numbers(answered.result())
            if numbers is None:
                self._line.fault("an answer that makes no sense")
                return
            if numbers[0] > 0:
                self._add(bucket_key, lease, limit, now, numbers)

        # What is asked for by itself is given up with it: only what is extra may be held.
        self._ask(bucket_key, limit, 0.0, more, now).add_done_callback(keep)

    def _ask(
        self, bucket_key: str, limit: Limit, cost: float, more: int, now: float
    ) -> "asyncio.Future[object]":
        key = key_of(self._prefix, bucket_key)
        return self._line.ask(self._scripts.take, (key,), self._values(limit, cost, more, now))

    def _values(self, limit: Limit, cost: float, more: int, now: float) -> tuple[Value, ...]:
        """The script's arguments; the time is the server's, not ``now``."""
        del now
        return (limit.interval_s * _US, limit.capacity_s * _US, limit.slack_s * _US, cost, more)

    def _taken(
        self, answer: object, bucket_key: str, lease: Lease, limit: Limit, now: float
    ) -> Taken | None:
        """What a take came to; ``None``: nothing that can be relied on."""
        if answer is None:
            return None
        numbers = _numbers(answer)
        if numbers is None:
            self._line.fault("an answer that makes no sense")
            return None
        extra, wait_us, reset_us, _ = numbers
        reset_s = reset_us / _US
        if extra < 0:
            lease.refuse(now, wait_us / _US, reset_s)
            return Taken(max(wait_us / _US, limit.slack_s), reset_s, limit)
        self._add(bucket_key, lease, limit, now, numbers)
        return Taken(0.0, reset_s, limit)

    def _add(
        self, bucket_key: str, lease: Lease, limit: Limit, asked_at: float, numbers: _Numbers
    ) -> None:
        """Keep what came for a lease; what does not fit goes back, or all if the lease is gone."""
        extra, _, reset_us, held_us = numbers
        if self._leases.get(bucket_key, (None,))[0] is not lease:
            over = 0 if held_us else extra
        else:
            over = lease.add(extra, asked_at, reset_us / _US, held_us / _US, limit, self._clock())
        if over:
            self._return(bucket_key, limit, over)

    def _return(self, bucket_key: str, limit: Limit, tokens: float) -> None:
        key = key_of(self._prefix, bucket_key)
        self._line.tell(self._scripts.give_back, (key,), (tokens, limit.interval_s * _US))


def probe_of(scripts: BucketScripts, prefix: str) -> tuple[Question, ...]:
    """What a store of buckets that is well can do: both scripts, on a bucket of nobody's."""
    key = key_of(prefix, "probe")
    return (
        Question(scripts.take, (key,), (_US, _US, 1.0, 1.0, 0), None),
        Question(scripts.give_back, (key,), (1.0, _US), None),
    )


def _numbers(answer: object) -> _Numbers | None:
    """The numbers of a take; ``None`` if that is no such answer."""
    if not isinstance(answer, list) or len(answer) != _TAKEN:
        return None
    if not all(isinstance(number, int) for number in answer):
        return None
    extra, wait_us, reset_us, held_us = answer
    return extra, wait_us, reset_us, held_us
