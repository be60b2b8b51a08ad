"""The shared store of a worker: made for a configuration, run while that is in force."""

import asyncio
import time
from typing import Final, Literal

from pyproxy.assembly.resources import Resources
from pyproxy.assembly.shared import Shared, share
from pyproxy.config.store import StoreSettings
from pyproxy.limits.bans import BanRules, Bans
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.tasks import Tasks

# Requests that began by the configuration before may still ask the store of that one.
_LINGER_S: Final = 5.0
_AGAIN_S: Final = 1.0


class Sharing:
    """What this worker shares with other machines, through all changes of configuration.

    Args:
        resources: What it has of its own.
        tasks: Runs the store's task.
        journal: Hears of the store's ups and downs, and of bans.

    Attributes:
        shared: In force; ``None``: nothing is shared.
        bans_begun: Bans that began by what all machines counted together, and this one heard.
    """

    def __init__(self, resources: Resources, tasks: Tasks, journal: Journal) -> None:
        self._resources = resources
        self._tasks = tasks
        self._journal = journal
        self._running: asyncio.Task[None] | None = None
        self.shared: Shared | None = None
        self.bans_begun = 0

    def made_for(self, settings: StoreSettings) -> Shared | None:
        """What these settings ask for: what is in force if it was made of the same."""
        if self.shared is not None and self.shared.settings == settings:
            return self.shared
        return share(
            settings,
            self._resources,
            time.monotonic,
            time.time,
            self._tell,
            self._begun,
            self.shared,
        )

    @property
    def bans(self) -> Bans:
        """The list in force."""
        return self._resources.bans if self.shared is None else self.shared.bans

    def replace(self, shared: Shared | None) -> None:
        """Put in force what was made."""
        if shared is self.shared:
            return
        if self._running is not None:
            _ = self._tasks.start(_end_later(self._running), "store before")
        self.shared = shared
        self._running = None if shared is None else self._tasks.start(self._keep(shared), "store")

    async def _keep(self, shared: Shared) -> None:
        """Run a store, and again after a fault of ours: without it, it counts as down for good."""
        while True:
            try:
                await shared.run()
            except Exception as exc:  # noqa: BLE001 - around a background task
                self._journal.report("store", exc)
            await asyncio.sleep(_AGAIN_S)

    def _tell(self, event: Literal["store.up", "store.down"], reason: str) -> None:
        values = {"reason": reason} if reason else {}
        self._journal.log.write("warning" if event == "store.down" else "info", event, "", values)

    def _begun(self, client: str, rules: BanRules) -> None:
        self.bans_begun += 1
        details: dict[str, str | int | float] = {
            "client": client,
            "failures": rules.after,
            "within_s": rules.within_s,
            "lasting_s": rules.lasting_s,
        }
        self._journal.audit.put(
            "auth.banned", time.time(), ip=client, result="banned", details=details
        )


async def _end_later(running: asyncio.Task[None]) -> None:
    await asyncio.sleep(_LINGER_S)
    running.cancel()
