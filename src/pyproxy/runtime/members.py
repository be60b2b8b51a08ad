"""A worker, as the supervisor sees it, wherever it runs."""

from collections.abc import Sequence
from typing import Protocol

from pyproxy.config.load import Loaded
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.startup import Prepared


class Lost(Exception):
    """A worker that ended, or does not answer."""


class Member(Protocol):
    """A worker.

    ``prepare`` raises ``ConfigurationError`` where the orders cannot be served;
    ``prepare``, ``commit``, ``forget`` and ``leave`` raise ``Lost`` where there is no
    worker any more.

    Attributes:
        slot: Its place in the shared memory.
        pid: Of its process.
    """

    slot: int
    pid: int

    async def prepare(
        self, loaded: Loaded, listenings: Sequence[Listening], prepared: Prepared | None
    ) -> None:
        """Make everything ready, and change nothing."""

    async def commit(self) -> None:
        """Put in force what was prepared."""

    async def forget(self) -> None:
        """Give it up."""

    async def leave(self, seconds: float) -> None:
        """Have it end without haste, because others serve on; returns at once."""

    async def end(self, seconds: float) -> None:
        """Have it end because nobody serves any more; returns at once."""

    async def ended(self) -> str:
        """Wait for its end; how it ended, ``""`` for as it should."""

    def kill(self) -> None:
        """End it at once."""
