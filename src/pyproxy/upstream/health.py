"""Whether an endpoint is well: asked for one path, again and again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pyproxy.errors.refusal import Refusal
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.upstream.endpoint import Endpoint
from pyproxy.upstream.news import Tell
from pyproxy.wire.head import FieldLine, ResponseHead

# An answer that is longer tells no more; its connection is broken off.
_LONGEST_ANSWER: Final = 64 * 1024
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
        hearing = _Hearing(loop)
        try:
            async with asyncio.timeout_at(until):
                self._send(connection, hearing)
                return await hearing.verdict
        except TimeoutError:
            return "no whole answer in time"
        finally:
            if not hearing.is_over:
                connection.abort()

    def _send(self, connection: UpstreamConnection, hearing: "_Hearing") -> None:
        line, rest = self.rules.request
        connection.request(
            line + self.endpoint.host_line + rest,
            b"GET",
            is_chunked=False,
            receiver=hearing,
            read_timeout=self.rules.timeout_s,
        )
        connection.body_ended([])
        connection.flush_request()


class _Hearing:
    """Takes the answer to a check.

    Attributes:
        verdict: What is wrong, once it is known.
        is_over: The connection needs no end: it has one, or is somebody else's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.verdict: asyncio.Future[str] = loop.create_future()
        self.is_over = False
        self._trouble = ""
        self._length = 0

    def interim_arrived(self, head: ResponseHead) -> None:
        """It works on it."""

    def head_arrived(self, head: ResponseHead, length: int) -> None:
        """The status tells all."""
        del length
        self._trouble = "" if head.status in _WELL else f"answered {head.status}"

    def chunk_arrived(self, data: bytes, size: int) -> None:
        """Count it."""
        del size
        self.body_arrived(data)

    def body_arrived(self, data: bytes) -> None:
        """Count it; nobody reads it."""
        self._length += len(data)
        if self._length > _LONGEST_ANSWER:
            self._decide(self._trouble)

    def body_ended(self, trailers: list[FieldLine]) -> None:
        """The answer is whole."""
        del trailers
        self.is_over = True
        self._decide(self._trouble)

    def flush(self) -> None:
        """Nothing is passed on."""

    def failed(self, refusal: Refusal) -> None:
        """There is no answer, or no whole one."""
        self.is_over = True
        self._decide(refusal.detail)

    def upload_blocked(self) -> None:
        """There is no body."""

    def upload_unblocked(self) -> None:
        """There is no body."""

    def _decide(self, trouble: str) -> None:
        if not self.verdict.done():
            self.verdict.set_result(trouble)
