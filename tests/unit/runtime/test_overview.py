import asyncio
import time

import pytest

from pyproxy.errors.fault import Fault
from pyproxy.runtime.muster import MemberReport
from pyproxy.runtime.overview import Overview
from pyproxy.telemetry.catalogue import CONNECTIONS, REQUESTS
from pyproxy.telemetry.report import Report
from tests.admin_scene import SETTINGS
from tests.waiting import turns

SERIES = REQUESTS, ("one", "GET", "2xx")


class Crew:
    """Two workers, and one that has ended."""

    def __init__(self):
        self.counts = {0: 3, 1: 4}
        self.silent = set()
        self.retired = Report(counters={SERIES: 10})
        self.looks = 0

    def reports(self):
        self.looks += 1
        return tuple(
            MemberReport(
                slot,
                100 + slot,
                time.time() - 5.0,
                slot not in self.silent,
                Report(counters={SERIES: count}, gauges={(CONNECTIONS, ()): count}),
            )
            for slot, count in self.counts.items()
        )


@pytest.fixture
def crew():
    return Crew()


@pytest.fixture
async def overview(crew):
    return Overview(crew, SETTINGS)


async def test_workers_add_up_with_those_that_are_gone(overview, crew):
    crew.silent.add(1)

    now = overview.look()
    assert now.report.counters[SERIES] == 17
    assert now.report.gauges[CONNECTIONS, ()] == 7
    assert [(each.slot, each.connections, each.is_answering) for each in now.workers] == [
        (0, 3, True),
        (1, 4, False),
    ]
    assert all(4.0 < each.uptime_s < 60.0 for each in now.workers)


async def test_who_looks_often_sees_the_same(overview, crew):
    assert overview.look() is overview.look()
    assert crew.looks == 1


async def test_the_end_is_seen_at_once(overview):
    assert not overview.look().is_draining

    overview.is_draining = True
    assert overview.look().is_draining


async def test_reloads_are_kept_in_mind(overview):
    overview.began(SETTINGS)
    assert overview.look().reload.result == "none"

    overview.reloaded(SETTINGS)
    at = overview.look().in_force_since
    overview.failed([Fault("routes[0].path", "must begin with /")])
    now = overview.look()
    assert now.reload.result == "failed"
    assert now.reload.faults == ("routes[0].path: must begin with /",)
    assert now.reloads == {"ok": 1, "failed": 1}
    assert now.in_force_since == at


async def test_samples_are_taken_for_as_long_as_it_runs(overview, crew):
    running = asyncio.ensure_future(overview.run())
    await turns()
    crew.counts[0] += 5
    running.cancel()
    await asyncio.wait([running])
    again = asyncio.ensure_future(overview.run())
    await turns()
    again.cancel()
    await asyncio.wait([again])

    assert overview.window.pace().per_second > 0
    assert overview.window.history()["per_second"][-1] > 0
