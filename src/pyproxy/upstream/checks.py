"""The health checks that are running."""

import asyncio
import secrets
from collections.abc import Iterable

from pyproxy.upstream.endpoint import Endpoint
from pyproxy.upstream.health import CheckRules, HealthCheck
from pyproxy.upstream.news import Tell


class Checks:
    """Health checks of the gateway in force; those that a reload does not change run on.

    Args:
        tell: Hears what they find.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._chance = secrets.SystemRandom().random
        self._known: dict[tuple[Endpoint, CheckRules], HealthCheck] = {}
        self._in_force: frozenset[HealthCheck] = frozenset()
        self._running: dict[HealthCheck, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    def check(self, endpoint: Endpoint, rules: CheckRules) -> HealthCheck:
        """The check of an endpoint by these rules, the same one for all who ask for it.

        It is not run before ``replace``.
        """
        found = self._known.get((endpoint, rules))
        if found is None:
            found = HealthCheck(endpoint, rules, self._tell, self._chance)
            self._known[endpoint, rules] = found
        return found

    def replace(self, used: Iterable[HealthCheck]) -> None:
        """Put these in force, and no others."""
        self._in_force = frozenset(used)
        self._known = {(check.endpoint, check.rules): check for check in self._in_force}
        self._changed.set()

    async def run(self) -> None:
        """Run those that are in force, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._changed.clear()
                    self._adjust(tasks)
                    await self._changed.wait()
        finally:
            self._running.clear()

    def _adjust(self, tasks: asyncio.TaskGroup) -> None:
        for check in self._running.keys() - self._in_force:
            self._running.pop(check).cancel()
        for check in self._in_force - self._running.keys():
            name = f"health of {check.endpoint.name}"
            self._running[check] = tasks.create_task(check.run(), name=name)
