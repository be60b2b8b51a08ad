"""A worker, as the supervisor sees it, wherever it runs."""

import asyncio
import os
from collections.abc import Coroutine, Iterable, Sequence
from typing import Protocol

from pyproxy.config.load import Loaded
from pyproxy.config.server import AUTO, ServerSettings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.limits.bans import Ban
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.startup import Prepared
from pyproxy.telemetry.report import Report


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
        since: Epoch seconds of its start.
    """

    slot: int
    pid: int
    since: float

    @property
    def is_answering(self) -> bool:
        """It gave a sign of life in the last seconds."""
        ...

    def report(self) -> Report:
        """What it counted and sees, at most a second old while it is answering; never waits.

        After its end, what it last said: all that it counted, unless it was killed.
        """
        ...

    async def prepare(
        self, loaded: Loaded, listenings: Sequence[Listening], prepared: Prepared | None
    ) -> None:
        """Make everything ready, and change nothing."""

    async def commit(self) -> None:
        """Put in force what was prepared."""

    async def forget(self) -> None:
        """Give it up."""

    async def bans(self) -> tuple[Ban, ...]:
        """Who is shut out: all workers know the same; raises ``Lost`` too."""
        ...

    async def lift(self, client: str) -> bool:
        """Let a client in again, for all workers; whether it was banned. Raises ``Lost`` too."""
        ...

    async def leave(self, seconds: float) -> None:
        """Have it end without haste, because others serve on; returns at once."""

    async def end(self, seconds: float) -> None:
        """Have it end because nobody serves any more; returns at once."""

    async def ended(self) -> str:
        """Wait for its end; how it ended, ``""`` for as it should."""

    def kill(self) -> None:
        """End it at once."""

    def reopen(self) -> None:
        """Have it let go of log files that were moved away; also within a signal."""


def workers_of(server: ServerSettings) -> int:
    """How many processes serve: ``auto`` is one for each CPU that this process may use."""
    return len(os.sched_getaffinity(0)) if server.workers == AUTO else int(server.workers)


async def all_of(works: Iterable[Coroutine[object, object, None]]) -> None:
    """Wait for all; raise what the first that failed did, faults of several joined."""
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    failed = [each for each in outcomes if isinstance(each, BaseException)]
    faults = [
        fault for each in failed if isinstance(each, ConfigurationError) for fault in each.faults
    ]
    if faults:
        raise ConfigurationError(*dict.fromkeys(faults))
    for each in failed:
        raise each
