"""How many requests of a user are under way, where a route limits them."""

from collections import Counter
from typing import Protocol


class Occupancy(Protocol):
    """Counts of requests under way, by route and user.

    Entering looks and counts as one step, over all who share the counts: never
    are more under way than ``most``. Never blocks and never raises.
    """

    def enter(self, route: str, user: str, most: int) -> bool:
        """Count one more, unless there are ``most``; False if it may not come in."""
        ...

    def leave(self, route: str, user: str) -> None:
        """Count one less; once for each that came in."""
        ...


class MemoryOccupancy:
    """The counts of one process."""

    __slots__ = ("_under_way",)

    def __init__(self) -> None:
        self._under_way: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        """Pairs of route and user with requests under way."""
        return len(self._under_way)

    def enter(self, route: str, user: str, most: int) -> bool:
        """Count one more, unless there are ``most``."""
        if self._under_way[route, user] >= most:
            return False
        self._under_way[route, user] += 1
        return True

    def leave(self, route: str, user: str) -> None:
        """Count one less."""
        self._under_way[route, user] -= 1
        if not self._under_way[route, user]:
            del self._under_way[route, user]
