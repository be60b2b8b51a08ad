"""Where buckets live: the contract that every store keeps."""

from dataclasses import dataclass
from typing import Protocol

from pyproxy.limits.limit import Limit


@dataclass(slots=True)
class Taken:
    """What a bucket answered.

    Attributes:
        wait_s: ``0.0`` if the tokens were spent, else the seconds until they could be.
        reset_s: Seconds until the bucket is full again.
        limit: Whose bucket it is.
    """

    wait_s: float
    reset_s: float
    limit: Limit

    @property
    def remaining(self) -> int:
        """Whole tokens left, from 0 to burst + 1."""
        limit = self.limit
        left_s = limit.capacity_s - self.reset_s + limit.slack_s
        return min(limit.quota, max(0, int(left_s / limit.interval_s)))


class Store(Protocol):
    """Buckets by key, shared by whoever shares the store.

    A take reads and writes its bucket as one step: of many that take at the same
    moment, no more are admitted than the limit says. A refused take spends
    nothing. An unknown bucket is full. The store may forget a bucket that is
    full, and, when it has no room left, others; it never invents an emptier one.

    ``now`` is monotonic seconds. A store that is shared between machines uses
    its own clock instead; one clock counts for all takes of a bucket.
    """

    @property
    def kind(self) -> str:
        """``memory`` or ``redis``."""
        ...

    @property
    def is_up(self) -> bool:
        """It answers."""
        ...

    @property
    def failures(self) -> int:
        """What it was asked in vain, so far."""
        ...

    def take_nowait(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken | None:
        """Spend ``cost`` tokens if that can be decided at once.

        Never blocks and never raises.

        Args:
            bucket_key: From `limit.bucket_key`; always with the same limit.
            limit: The bucket's measure. One that has changed in a reload counts from now on.
            cost: Tokens, more than 0 and at most ``limit.quota``.
            now: Monotonic seconds.

        Returns:
            None if only `take` can decide; nothing is spent then.
        """
        ...

    async def take(self, bucket_key: str, limit: Limit, cost: float, now: float) -> Taken:
        """Spend ``cost`` tokens, or say how long to wait for them; does not wait that long.

        Cancelled, it may have spent them or not.

        Raises:
            StoreUnavailable: The far side is down and the store is set to deny.
        """
        ...

    def give_back(self, bucket_key: str, limit: Limit, cost: float, now: float) -> None:
        """Undo an admitted take of the same cost.

        Never blocks and never raises: a store with a far side does it when it
        can, and not at all if that is down. A bucket never gets more than full.
        """
        ...
