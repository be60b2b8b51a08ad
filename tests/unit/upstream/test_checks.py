"""The health checks that are running."""

import asyncio

import pytest

from pyproxy.upstream.checks import Checks
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.news import silent as tell_nobody
from tests.unit.upstream.asked import HOST, UNWELL, Server, Told, rules
from tests.unit.upstream.reached import PATIENCE_S
from tests.waiting import turns


@pytest.fixture
async def server():
    async with Server() as server:
        yield server


@pytest.fixture
async def checks():
    checks = Checks(tell_nobody)
    running = asyncio.ensure_future(checks.run())
    yield checks
    running.cancel()
    await asyncio.wait({running})


def test_check_is_shared_by_all_who_ask_the_same():
    checks = Checks(tell_nobody)
    endpoint = Endpoint(Address(HOST, 80), None)
    first, again = (checks.check(endpoint, rules()) for _ in range(2))

    assert first is again
    assert checks.check(endpoint, rules(interval_s=9.0)) is not first


async def test_check_runs_once_it_is_in_force(server, checks):
    check = checks.check(server.endpoint, rules())
    await turns()
    before = len(server.asked)
    checks.replace([check, check])
    await server.asked_again(2)

    assert before == 0


async def test_check_that_stays_in_force_runs_on(server, checks):
    server.answer = UNWELL
    told = Told()
    checks._tell = told
    check = checks.check(server.endpoint, rules())
    checks.replace([check])
    await told.next(1)
    async with Server() as other:
        same = checks.check(server.endpoint, rules())
        checks.replace([same, checks.check(other.endpoint, rules())])
        await other.asked_again()

    assert same is check
    assert not check.is_healthy
    assert told.news[:1] == [("unhealthy", "answered 503")]


async def test_check_that_is_in_force_no_more_ends(server, checks):
    check = checks.check(server.endpoint, rules())
    checks.replace([check])
    await server.asked_again()
    (task,) = checks._running.values()
    checks.replace([])
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait({task})

    assert task.cancelled()
    assert checks.check(server.endpoint, rules()) is not check
