"""The whole gateway at a moment, for whoever asks the admin listener."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from pyproxy.admin.snapshot import Reload, Snapshot, WorkerState
from pyproxy.admin.window import STEP_S, Sample, Window
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import Fault
from pyproxy.runtime.crew import Crew
from pyproxy.telemetry.catalogue import CONNECTIONS
from pyproxy.telemetry.totals import merge

# Who looks more often sees the same: a hundred scrapes a second cost as much as two.
_KEPT_S = 0.5


class Overview:
    """What all workers said last, added up, and what only the main process knows.

    Args:
        crew: The workers.
        settings: The first that are to be in force.

    Attributes:
        window: The last minute.
        is_draining: The gateway was told to stop.
    """

    def __init__(self, crew: Crew, settings: Settings) -> None:
        self._crew = crew
        self._settings = settings
        self.window = Window()
        self.is_draining = False
        self._started_at = self._in_force_since = time.time()
        self._reload = Reload(self._started_at)
        self._reloads = Counter(ok=0, failed=0)
        self._kept: Snapshot | None = None
        self._kept_until = 0.0

    def look(self) -> Snapshot:
        """See ``Gauge``; waits for nobody."""
        is_new = self._kept is None or self._kept.is_draining != self.is_draining
        now = asyncio.get_running_loop().time()
        if self._kept is None or is_new or now >= self._kept_until:
            self._kept, self._kept_until = self._look(), now + _KEPT_S
        return self._kept

    async def run(self) -> None:
        """Take a sample each second until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._kept = None
            self.window.add(Sample.of(self.look().report, loop.time()))
            # After a pause of the whole machine the steps that were missed are gone.
            due = max(due + STEP_S, loop.time())
            await asyncio.sleep(due - loop.time())

    def began(self, settings: Settings) -> None:
        """The first configuration is in force."""
        self._adopt(settings)

    def reloaded(self, settings: Settings) -> None:
        """Another one is."""
        self._adopt(settings)
        self._reload = Reload(self._in_force_since, "ok")
        self._reloads["ok"] += 1

    def failed(self, faults: Sequence[Fault]) -> None:
        """Another one was read and is not."""
        self._reload = Reload(time.time(), "failed", tuple(map(str, faults)))
        self._reloads["failed"] += 1
        self._kept = None

    def _adopt(self, settings: Settings) -> None:
        self._settings, self._in_force_since, self._kept = settings, time.time(), None

    def _look(self) -> Snapshot:
        wall, members = time.time(), self._crew.reports()
        return Snapshot(
            wall=wall,
            started_at=self._started_at,
            is_draining=self.is_draining,
            settings=self._settings,
            workers=[
                WorkerState(
                    each.slot,
                    each.pid,
                    max(0.0, wall - each.since),
                    int(each.report.gauges.get((CONNECTIONS, ()), 0)),
                    each.is_answering,
                )
                for each in members
            ],
            report=merge((*(each.report for each in members), self._crew.retired)),
            reload=self._reload,
            reloads=dict(self._reloads),
            in_force_since=self._in_force_since,
        )
