"""What several workers counted, added up: exact, and never less than it was.

The supervisor runs in this process, where its books can be looked into; its workers
are processes of their own.
"""

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pyproxy.config.load import load
from pyproxy.runtime.startup import prepare
from pyproxy.runtime.supervisor import SETTINGS, Supervisor
from pyproxy.telemetry.catalogue import (
    CONNECTIONS,
    DURATION,
    IN_FLIGHT,
    LINES_LOST,
    REQUESTS,
    USER_REQUESTS,
    WORKER_DEATHS,
)
from pyproxy.telemetry.report import Series
from pyproxy.telemetry.totals import merge
from tests.functional.test_supervisor import Journal
from tests.process.crowd import Crowd
from tests.process.served import PATIENCE_S, Upstream
from tests.process.test_workers import config

GOT = (REQUESTS, ("all", "GET", "2xx"))
USERS = "[metrics]\nusers = true\n"
QUIET = 'level = "error"\naccess = false\naudit = "audit.log"'
# Reports come every second, and nobody is told.
LOOK_S = 0.01


async def ready(journal):
    """The port, once all workers are there: processes take longer than what is tested in one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(TimeoutError):
                return int((await journal.next("listener.ready"))["port"])


@dataclass
class Gateway:
    """A supervisor and its workers, looked into.

    Attributes:
        supervisor: Of the workers.
        journal: What it wrote.
        folder: Where its configuration is.
        upstream: Where all routes lead.
        port: Of its listener.
        least: What each count was at the last look; it may never be less.
        forgets: The family whose series may go.
    """

    supervisor: Supervisor
    journal: Journal
    folder: Path
    upstream: Upstream
    port: int
    least: dict[Series, float] = field(default_factory=dict)
    forgets: str = ""

    def look(self):
        """The report of all workers together."""
        crew = self.supervisor._crew
        total = merge((crew.retired, *(each.report for each in crew.reports())))
        now = {of: float(sum(each.counts)) for of, each in total.histograms.items()}
        now |= total.counters
        shrunk = [series for series, before in self.least.items() if now.get(series, 0) < before]
        assert not [series for series in shrunk if series[0] != self.forgets]
        self.least = now
        return total

    async def until(self, is_so):
        """Look, again and again, until what is seen is so."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if is_so(total := self.look()):
                    return total
                await asyncio.sleep(LOOK_S)

    async def counted(self, series, count):
        """Wait until so much is counted, and see that it is no more a second later."""
        await self.until(lambda total: total.counters.get(series, 0) >= count)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            assert self.look().counters[series] == count
            await asyncio.sleep(LOOK_S)

    async def reload(self, workers, more=""):
        """Go over to so many workers."""
        done = len(self.journal.of("config.reloaded", result="ok"))
        write(self.folder, self.upstream, workers, more)
        self.supervisor.ask(SETTINGS)
        while len(self.journal.of("config.reloaded", result="ok")) == done:
            self.look()
            await asyncio.sleep(LOOK_S)

    async def one_left(self):
        """Wait until none is left but those that serve."""
        crew = self.supervisor._crew
        await self.until(lambda _: not crew._leaving)

    @property
    def pids(self):
        return [each.pid for each in self.supervisor._crew.reports()]


def write(folder, upstream, workers, more):
    text = config(upstream, workers).replace('audit = "stdout"', QUIET)
    (folder / "pyproxy.toml").write_text(f"{text}\n{more}")


@asynccontextmanager
async def gateway_of(folder, upstream, workers, more=""):
    write(folder, upstream, workers, more)
    read = partial(load, folder / "pyproxy.toml", {}, folder)
    loaded, journal = read(), Journal()
    supervisor = Supervisor(loaded, journal, read, 1 << 20)
    running = asyncio.ensure_future(supervisor.run(prepare(loaded, time.time())))
    try:
        yield Gateway(supervisor, journal, folder, upstream, await ready(journal))
    finally:
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def crowd_at(gateway, **options):
    """Clients that ask on a thread of their own while the block runs."""
    loop = asyncio.get_running_loop()
    crowd = Crowd(gateway.port, **options)
    crowd.__enter__()
    try:
        yield crowd
    finally:
        await loop.run_in_executor(None, crowd.__exit__)


async def answered(gateway, crowd, count):
    """Look on until so many more were answered."""
    count += crowd.counts.answered
    await gateway.until(lambda _: crowd.counts.answered >= count)


async def test_totals_are_exact_over_all_workers(folder, upstream):
    async with gateway_of(folder, upstream, 3, USERS) as gateway:
        async with crowd_at(gateway, kept=3, fresh=6) as crowd:
            await answered(gateway, crowd, 300)
        assert crowd.counts.failed == []
        await gateway.counted(GOT, crowd.counts.answered)
        total = gateway.look()
        shares = [r.report.counters.get(GOT, 0) for r in gateway.supervisor._crew.reports()]

    assert sum(shares) == crowd.counts.answered
    assert len([share for share in shares if share]) > 1
    assert total.counters[USER_REQUESTS, ("alice", "all", "2xx")] == crowd.counts.answered
    assert sum(total.histograms[DURATION, ("all",)].counts) == crowd.counts.answered
    assert total.gauges[IN_FLIGHT, ()] == total.gauges[CONNECTIONS, ()] == 0
    assert total.counters[LINES_LOST, ()] == total.counters[WORKER_DEATHS, ()] == 0


async def test_no_count_is_lost_over_reloads_and_other_numbers_of_workers(folder, upstream):
    async with gateway_of(folder, upstream, 3) as gateway:
        async with crowd_at(gateway) as crowd:
            for workers in (3, 1, 1, 2, 3):
                await answered(gateway, crowd, 50)
                await gateway.reload(workers)
            await answered(gateway, crowd, 50)
        assert crowd.counts.failed == []
        await gateway.one_left()
        await gateway.counted(GOT, crowd.counts.answered)

    assert gateway.look().counters[WORKER_DEATHS, ()] == 0


async def test_a_worker_told_to_end_takes_no_count_with_it(folder, upstream):
    async with gateway_of(folder, upstream, 3) as gateway:
        async with crowd_at(gateway) as crowd:
            await answered(gateway, crowd, 50)
            os.kill(gateway.pids[0], signal.SIGTERM)
            await gateway.until(lambda total: total.counters[WORKER_DEATHS, ()] == 1)
            await answered(gateway, crowd, 50)
        assert crowd.counts.failed == []
        await gateway.counted(GOT, crowd.counts.answered)


async def test_a_killed_worker_takes_with_it_a_second_of_its_counts_at_most(folder, upstream):
    async with gateway_of(folder, upstream, 3) as gateway:
        async with crowd_at(gateway, fresh=6) as crowd:
            await answered(gateway, crowd, 100)
        await gateway.counted(GOT, crowd.counts.answered)
        for pid in gateway.pids:
            os.kill(pid, signal.SIGKILL)
        await gateway.until(lambda total: total.counters[WORKER_DEATHS, ()] == 3)

        # What was reported before they died is there for good.
        assert gateway.look().counters[GOT] == crowd.counts.answered
        await gateway.until(lambda _: len(gateway.pids) == 3)
        async with crowd_at(gateway) as more:
            await answered(gateway, more, 50)
        await gateway.counted(GOT, crowd.counts.answered + more.counts.answered)


async def test_a_stopped_worker_holds_up_nobody_and_is_not_killed_for_it(folder, upstream):
    async with gateway_of(folder, upstream, 3) as gateway:
        crew = gateway.supervisor._crew
        await gateway.until(lambda total: total.counters.get((LINES_LOST, ())) == 0)
        stopped, *others = gateway.pids
        os.kill(stopped, signal.SIGSTOP)
        member = next(each for each in crew._members if each.pid == stopped)
        heard_at = {each: each._reports.heard_at for each in crew._members if each is not member}
        await gateway.until(lambda _: all(m._reports.heard_at > at for m, at in heard_at.items()))
        member._reports.heard_at -= 10.0  # as if it had been silent for as long
        answering = [each.is_answering for each in crew.reports()]
        os.kill(stopped, signal.SIGCONT)
        await gateway.until(lambda _: member.is_answering)

        assert answering == [False, True, True]
        assert gateway.pids == [stopped, *others]


async def test_users_are_forgotten_when_nobody_wants_them_counted_any_more(folder, upstream):
    async with gateway_of(folder, upstream, 2, USERS) as gateway:
        async with crowd_at(gateway) as crowd:
            await answered(gateway, crowd, 20)
            await gateway.reload(1, USERS)
            await answered(gateway, crowd, 20)
        await gateway.one_left()
        await gateway.counted(GOT, crowd.counts.answered)
        users = {series for series in gateway.look().counters if series[0] == USER_REQUESTS}
        gateway.forgets = USER_REQUESTS
        await gateway.reload(1)
        after = {series for series in gateway.look().counters if series[0] == USER_REQUESTS}

    assert users == {(USER_REQUESTS, ("alice", "all", "2xx"))}
    assert after == set()
