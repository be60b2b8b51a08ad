"""How many failures a client may have: a bucket that only failures empty."""

from pyproxy.errors.refusal import AttemptsSpent
from pyproxy.limits.limit import Limit, bucket_key, network
from pyproxy.limits.meter import ONE, limit_fields
from pyproxy.limits.store import Store


class FailureBudget:
    """The limit ``auth`` of one client, during one request.

    Reserving takes a token before the outcome is known, which stops a hundred
    attempts that arrive together as surely as a hundred one after the other.
    Every operation is one take or give-back of the store, and as atomic.

    Args:
        store: Where the bucket is.
        limit: How many failures.
        address: The client's.
        now: Monotonic seconds; of the whole request, which is short.
    """

    __slots__ = ("_address", "_bucket_key", "_limit", "_now", "_store")

    def __init__(self, store: Store, limit: Limit, address: str, now: float) -> None:
        self._store = store
        self._limit = limit
        self._address = address
        self._bucket_key = bucket_key(limit, address, "", "")
        self._now = now

    @property
    def client(self) -> str:
        """Who is taken for one: the address, or the /64 of an IPv6 one."""
        return network(self._address)

    async def reserve(self) -> None:
        """Set one failure aside.

        Raises:
            AttemptsSpent: None is left.
            StoreUnavailable: The store is down and set to deny.
        """
        await self.spend()

    async def refund(self) -> None:
        """Put back what was reserved."""
        self._store.give_back(self._bucket_key, self._limit, ONE, self._now)

    async def spend(self) -> None:
        """Count a failure.

        Raises:
            AttemptsSpent: None was left.
            StoreUnavailable: The store is down and set to deny.
        """
        answer = self._store.take_nowait(self._bucket_key, self._limit, ONE, self._now)
        if answer is None:
            answer = await self._store.take(self._bucket_key, self._limit, ONE, self._now)
        if answer.wait_s:
            name = answer.limit.name
            raise AttemptsSpent(f"limit {name}", fields=limit_fields(answer), limit=name)
