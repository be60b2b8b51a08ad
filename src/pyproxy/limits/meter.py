"""Every limit that one request must pass, taken together."""

import math
from collections.abc import Sequence

from pyproxy.errors.refusal import Field, RateLimited
from pyproxy.limits.limit import Limit, bucket_key
from pyproxy.limits.store import Store, Taken

ONE = 1.0  # token a request
MAX_RETRY_AFTER_S = 60  # SDKs give up when told to wait longer


class Meter:
    """The limits of a route, compiled.

    All or nothing: when a limit refuses, what was taken from the others is given
    back, so that a refused request costs nobody anything. Between the two, other
    requests may see those buckets emptier than they turn out to be.

    Args:
        store: Where the buckets are.
        limits: Taken in this order.
    """

    __slots__ = ("_limits", "_store")

    def __init__(self, store: Store, limits: Sequence[Limit]) -> None:
        self._store = store
        self._limits = tuple(limits)

    def charge_nowait(
        self, address: str, user: str, route: str, now: float, own: Limit | None = None
    ) -> bool:
        """Take a token of every limit, if the store can decide at once.

        Args:
            address: The client's.
            user: The principal's name; empty without one.
            route: The route's name.
            now: Monotonic seconds.
            own: A limit of the principal's own, besides the route's.

        Returns:
            False if nothing was taken and `charge` must be awaited.

        Raises:
            RateLimited: A limit refuses; says which and for how long.
        """
        taken: list[tuple[str, Limit]] = []
        for limit in self._limits if own is None else (*self._limits, own):
            key = bucket_key(limit, address, user, route)
            answer = self._store.take_nowait(key, limit, ONE, now)
            if answer is None or answer.wait_s:
                self._undo(taken, now)
                if answer is None:
                    return False
                raise refused(answer)
            taken.append((key, limit))
        return True

    async def charge(
        self, address: str, user: str, route: str, now: float, own: Limit | None = None
    ) -> None:
        """Take a token of every limit, awaiting the store.

        Raises:
            RateLimited: A limit refuses; says which and for how long.
            StoreUnavailable: The store is down and set to deny.
        """
        taken: list[tuple[str, Limit]] = []
        is_charged = False
        try:
            for limit in self._limits if own is None else (*self._limits, own):
                key = bucket_key(limit, address, user, route)
                answer = await self._store.take(key, limit, ONE, now)
                if answer.wait_s:
                    raise refused(answer)
                taken.append((key, limit))
            is_charged = True
        finally:
            if not is_charged:
                self._undo(taken, now)

    def _undo(self, taken: list[tuple[str, Limit]], now: float) -> None:
        for key, limit in taken:
            self._store.give_back(key, limit, ONE, now)


def refused(answer: Taken) -> RateLimited:
    """The refusal of a request for which ``answer`` has no token."""
    name = answer.limit.name
    return RateLimited(f"limit {name}", fields=limit_fields(answer), limit=name)


def limit_fields(answer: Taken) -> tuple[Field, ...]:
    """What a refused client is told: when to come back, and what its bucket holds.

    Whole seconds, rounded up: a client that comes back then is not refused again
    for having come a moment early.
    """
    retry_after = min(MAX_RETRY_AFTER_S, max(1, math.ceil(answer.wait_s)))
    return (
        (b"Retry-After", b"%d" % retry_after),
        (b"RateLimit-Limit", b"%d" % answer.limit.quota),
        (b"RateLimit-Remaining", b"%d" % answer.remaining),
        (b"RateLimit-Reset", b"%d" % math.ceil(answer.reset_s)),
    )
