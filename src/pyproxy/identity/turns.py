"""Whose turn it is, when many clients want the same thing and one of them wants it often."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class Turns(Generic[Item]):
    """A line for each client; the first of each line in turn.

    A client that comes newly has its turn after one of each that wait already,
    however long their lines are; and before who just had one.

    Args:
        each: Items in a client's line at most.
    """

    __slots__ = ("_each", "_latest", "_lines")

    def __init__(self, each: int) -> None:
        self._each = each
        self._latest = ""  # who had the last turn
        # Clients in the order of their turns; a line holds its items in their order.
        self._lines: dict[str, dict[Item, None]] = {}

    def __len__(self) -> int:
        """Items in all lines."""
        return sum(map(len, self._lines.values()))

    def try_add(self, client: str, item: Item) -> bool:
        """Put an item at the end of its client's line; False if that is full."""
        line = self._lines.get(client, {})
        if item not in line and len(line) >= self._each:
            return False
        line[item] = None
        self._lines[client] = line
        return True

    def take(self) -> Item | None:
        """The item whose turn it is, out of all lines; None if nobody waits."""
        if not self._lines:
            return None
        client = next((name for name in self._lines if name != self._latest), self._latest)
        self._latest = client
        line = self._lines.pop(client)
        self._lines[client] = line  # its next turn comes after everybody's
        item = next(iter(line))
        self.remove(item)
        return item

    def crowding(self, client: str) -> Item | None:
        """The last item of the longest line, if that is the longer one with the client's next."""
        longest = max(self._lines.values(), key=len, default={})
        if len(longest) <= len(self._lines.get(client, ())) + 1:
            return None
        return next(reversed(longest))

    def remove(self, item: Item) -> None:
        """Take an item out of every line that it is in."""
        for client, line in tuple(self._lines.items()):
            line.pop(item, None)
            if not line:
                del self._lines[client]
