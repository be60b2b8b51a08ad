"""Whether an endpoint is well: asked for one path, again and again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pyproxy.errors.refusal import Refusal
from pyproxy.upstream.endpoint import Endpoint
from pyproxy.upstream.hearing import status_of
from pyproxy.upstream.news import Tell

# 2xx is well; 3xx is not followed, but somebody sane gave it.
_WELL: Final = range(200, 400)
# Each wait is up to a tenth shorter, so that workers and gateways do not ask in step.
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class CheckRules:
    """What is asked, and what follows from it.

    Attributes:
        request: The request line, and the fields after ``Host`` with their empty line;
            may hold the upstream's credential.
        interval_s: Seconds between two questions.
        timeout_s: Seconds that all of an answer may take, connecting included.
        unhealthy_after: Failures in a row.
        healthy_after: Successes in a row.
    """

    request: tuple[bytes, bytes] = field(repr=False)
    interval_s: float
    timeout_s: float
    unhealthy_after: int
    healthy_after: int


class HealthCheck:
    """One endpoint, asked as one route would have it.

    Args:
        endpoint: Who is asked, over a connection of its own each time.
        rules: How.
        tell: Hears of each change, once.
        chance: Gives a number from 0 to 1.

    Attributes:
        is_healthy: What is known; until the contrary is seen, it is.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        rules: CheckRules,
        tell: Tell,
        chance: Callable[[], float],
    ) -> None:
        self.endpoint = endpoint
        self.rules = rules
        self.is_healthy = True
        self._tell = tell
        self._chance = chance
        self._run = 0  # answers in a row that speak against ``is_healthy``

    async def run(self) -> None:
        """Ask until cancelled; then nothing is known any more."""
        interval_s = self.rules.interval_s
        try:
            await asyncio.sleep(self._chance() * interval_s)
            while True:
                self.take(await self._ask())
                await asyncio.sleep(interval_s * (1.0 - _JITTER * self._chance()))
        finally:
            self.is_healthy = True

    def take(self, trouble: str) -> None:
        """Count an answer.

        Args:
            trouble: What was wrong with it; ``""`` if nothing was.
        """
        if (not trouble) == self.is_healthy:
            self._run = 0
            return
        self._run += 1
        rules = self.rules
        if self._run < (rules.unhealthy_after if self.is_healthy else rules.healthy_after):
            return
        self._run = 0
        self.is_healthy = not self.is_healthy
        if self.is_healthy:
            self._tell("upstream.healthy", self.endpoint.name)
        else:
            self._tell("upstream.unhealthy", self.endpoint.name, trouble)

    async def _ask(self) -> str:
        """What is wrong; ``""`` if nothing is."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.rules.timeout_s
        try:
            connection = await self.endpoint.reach(self.rules.timeout_s)
        except Refusal as refusal:
            return refusal.detail
        line, rest = self.rules.request
        try:
            status = await status_of(connection, line + self.endpoint.host_line + rest, until)
        except TimeoutError:
            return "no whole answer in time"
        except Refusal as refusal:
            return refusal.detail
        return "" if status in _WELL else f"answered {status}"
