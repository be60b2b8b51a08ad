"""When to ask for a remote key set again, and how long to trust what there is."""

import math
from typing import Final

# The contract: an unknown kid asks at most this often, whoever sends it.
_FORCED_EVERY_S: Final = 30.0
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 60.0
# 2**16 s are far beyond the last retry: the power need not grow for ever.
_MAX_DOUBLINGS: Final = 16


class Freshness:
    """The age of a key set that is fetched again and again.

    All times are monotonic seconds; a clock that went backwards makes a set
    younger, never trusted without a fetch.
    """

    __slots__ = ("_failures", "_fetched_at", "_forced_at", "_max_age_s", "_ttl_s")

    def __init__(self, ttl_s: float, max_age_s: float) -> None:
        """Nothing has been fetched yet.

        Args:
            ttl_s: Seconds between fetches while they succeed.
            max_age_s: Seconds since the last good one for which its keys count.
        """
        self._ttl_s = ttl_s
        self._max_age_s = max_age_s
        self._fetched_at = -math.inf
        self._forced_at = -math.inf
        self._failures = 0

    @property
    def failures(self) -> int:
        """Fetches that failed since the last good one."""
        return self._failures

    def age_s(self, now: float) -> float:
        """Seconds since the set was last known to be its source's; without end before that."""
        return now - self._fetched_at

    def succeeded(self, now: float) -> None:
        """The set was fetched, or the source said that it has not changed."""
        self._fetched_at = now
        self._failures = 0

    def failed(self) -> None:
        """A fetch brought nothing that can be used."""
        self._failures += 1

    def is_trusted(self, now: float) -> bool:
        """Whether the keys last fetched still count."""
        return now - self._fetched_at < self._max_age_s

    def wait_s(self, now: float) -> float:
        """Seconds until the next fetch: the ttl, or after failures 1, 2, 4 ... 60.

        Never past the moment when trust ends, so that a last attempt is made then.
        """
        if not self._failures:
            return min(self._ttl_s, self._max_age_s)
        wait_s = min(_FIRST_RETRY_S * 2.0 ** min(self._failures - 1, _MAX_DOUBLINGS), _LAST_RETRY_S)
        left_s = self._fetched_at + self._max_age_s - now
        return min(wait_s, left_s) if left_s > 0.0 else wait_s

    def try_force(self, now: float) -> bool:
        """Take the one unscheduled fetch that is allowed in 30 s, if it is there."""
        if now - self._forced_at < _FORCED_EVERY_S:
            return False
        self._forced_at = now
        return True
