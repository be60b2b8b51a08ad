"""A worker in the main process: the only one."""

import asyncio
import os
import secrets
import time
from collections.abc import Sequence

from pyproxy.assembly.resources import Resources
from pyproxy.config.load import Loaded
from pyproxy.identity.hashing import BcryptGate
from pyproxy.identity.revocations import Revocations
from pyproxy.limits.bans import Ban
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.courtesy import stand_back
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.orders import Orders
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.startup import Prepared
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.worker import Worker
from pyproxy.runtime.zone import Zone
from pyproxy.telemetry.report import Report


class LocalMember:
    """A worker in this process: the only one.

    Args:
        slot: Its place in the shared memory, if there is one.
        journal: The logs.
        blocking: Reads files.
        file_limit: Files that this process may have open.
        zone: Where limits are counted; ``None``: in this process's own memory.
    """

    def __init__(
        self, slot: int, journal: Journal, blocking: Blocking, file_limit: int, zone: Zone | None
    ) -> None:
        self.slot = slot
        self.pid = os.getpid()
        self.since = time.time()
        self._tasks = Tasks(journal.report)
        self.resources = resources_for(zone)
        self._worker = Worker(
            journal,
            self._tasks,
            self.resources,
            blocking,
            file_limit=file_limit,
            under_way=zone.occupancy(slot) if zone else None,
        )
        self._finishing: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    @property
    def is_answering(self) -> bool:
        """See ``Member``; who would hear that it is not?"""
        return True

    def report(self) -> Report:
        """See ``Member``; it is of this moment."""
        return self._worker.report()

    async def prepare(
        self, loaded: Loaded, listenings: Sequence[Listening], prepared: Prepared | None
    ) -> None:
        """See ``Member``."""
        await self._worker.prepare(Orders.of(loaded, listenings), prepared)

    async def commit(self) -> None:
        """See ``Member``."""
        self._worker.commit()

    async def forget(self) -> None:
        """See ``Member``."""
        self._worker.forget()

    async def bans(self) -> tuple[Ban, ...]:
        """See ``Member``."""
        return self._worker.bans.in_force(time.monotonic())

    async def lift(self, client: str) -> bool:
        """See ``Member``."""
        return self._worker.bans.lift(client, time.monotonic())

    async def leave(self, seconds: float) -> None:
        """See ``Member``."""
        await self._worker.stop()
        self._finish_soon(seconds, is_hasty=False)

    async def end(self, seconds: float) -> None:
        """See ``Member``."""
        await self._worker.stop()
        self._finish_soon(seconds, is_hasty=True)

    def _finish_soon(self, seconds: float, *, is_hasty: bool) -> None:
        work = self._finish(seconds, is_hasty=is_hasty)
        self._finishing.add(asyncio.get_running_loop().create_task(work, name="draining"))

    async def _finish(self, seconds: float, *, is_hasty: bool) -> None:
        try:
            await self._worker.finish(seconds, is_hasty=is_hasty)
        finally:
            await self._tasks.close()
            await self._worker.close()
            self._over.set()

    async def ended(self) -> str:
        """See ``Member``."""
        await self._over.wait()
        return ""

    def kill(self) -> None:
        """See ``Member``; in this process there is nothing to kill."""

    def reopen(self) -> None:
        """See ``Member``; it writes to the logs of this process."""

    def hand_over(self, zone: Zone) -> None:
        """Let others go on from what this worker counted, revoked and banned by itself."""
        store, revocations = self.resources.store, self.resources.revocations
        bans = self.resources.bans
        if (
            isinstance(store, MemoryStore)
            and isinstance(revocations, Revocations)
            and isinstance(bans, MemoryBans)
        ):
            zone.adopt(store, revocations, bans)


def resources_for(zone: Zone | None) -> Resources:
    """What a worker on the running loop works with."""
    loop, secret = asyncio.get_running_loop(), secrets.token_bytes(32)
    gate = BcryptGate(begin=stand_back)
    if zone is None:
        return Resources(loop, secret, gate)
    return Resources(
        loop, secret, gate, store=zone.store, revocations=zone.revocations, bans=zone.bans
    )
