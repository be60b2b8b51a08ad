"""Work that would hold up the loop."""

from collections.abc import Callable
from typing import Protocol


class Elsewhere(Protocol):
    """Does something on another thread, so that the loop goes on; see ``runtime.blocking``."""

    async def __call__(self, name: str, work: Callable[[], bytes], /) -> bytes:
        """What ``work`` returns or raises."""
        ...
