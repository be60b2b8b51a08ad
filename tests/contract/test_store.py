"""What every store promises (`limits.store.Store`), put to each of them."""

import asyncio

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.runtime.zone import Zone
from tests.redis_server import flush
from tests.shared_store import SteppedStore, shared_store, url_of

# Four a second with a burst of three: all numbers exact in binary.
LIMIT = Limit("api", Rate(4.0, 1.0), 3)
NOW = 1024.0


@pytest.fixture(params=["memory", "zone", "redis", "cluster"])
async def store(request):
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "zone":
        zone = Zone.create()
        yield zone.store
        zone.close()
    else:
        servers = request.getfixturevalue({"redis": "one_redis"}.get(request.param, "cluster"))
        flush(servers)
        # Its clock is the test's, by the one line of the scripts that reads the server's.
        async with shared_store(url_of(servers), kind=SteppedStore) as shared:
            yield shared


async def take(store, key="k", cost=1.0, now=NOW, limit=LIMIT):
    """As a caller does: at once if possible, else by waiting for the store."""
    answer = store.take_nowait(key, limit, cost, now)
    return await store.take(key, limit, cost, now) if answer is None else answer


async def test_unknown_bucket_is_full(store):
    taken = await take(store)

    assert (taken.wait_s, taken.remaining, taken.reset_s) == (0.0, 3, 0.25)


async def test_burst_and_one_pass_at_once_and_the_next_waits_an_interval(store):
    waits = [(await take(store)).wait_s for _ in range(6)]

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.25, 0.25]


async def test_refusal_says_what_the_bucket_holds(store):
    for _ in range(4):
        await take(store)
    refused = await take(store, now=NOW + 0.125)

    assert (refused.wait_s, refused.remaining, refused.reset_s) == (0.125, 0, 0.875)
    assert refused.limit is LIMIT


async def test_after_the_burst_one_each_interval(store):
    for _ in range(4):
        await take(store)

    assert [(await take(store, now=NOW + 0.25)).wait_s for _ in range(2)] == [0.0, 0.25]
    assert [(await take(store, now=NOW + 0.75)).wait_s for _ in range(3)] == [0.0, 0.0, 0.25]


async def test_who_keeps_to_the_rate_does_not_wait_for_a_rounding_error(store):
    tenths = Limit("api", Rate(10.0, 1.0), 0)
    inexact = 12345.678
    waits = [(await take(store, now=inexact + k / 10, limit=tenths)).wait_s for k in range(100)]

    assert waits == [0.0] * 100


async def test_idle_bucket_is_full_again_and_no_fuller(store):
    for _ in range(4):
        await take(store)

    assert [(await take(store, now=NOW + 9.0)).wait_s for _ in range(5)] == [0, 0, 0, 0, 0.25]


async def test_buckets_do_not_touch_each_other(store):
    for _ in range(4):
        await take(store, "one")

    assert (await take(store, "two")).remaining == 3


async def test_cost_counts(store):
    assert (await take(store, cost=4.0)).wait_s == 0.0
    assert (await take(store, cost=0.5)).wait_s == 0.125


async def test_given_back_is_there_again(store):
    for _ in range(4):
        await take(store)
    store.give_back("k", LIMIT, 1.0, NOW)

    assert [(await take(store)).wait_s for _ in range(2)] == [0.0, 0.25]


async def test_giving_back_makes_no_bucket_more_than_full(store):
    await take(store)
    for _ in range(9):
        store.give_back("k", LIMIT, 1.0, NOW)

    assert [(await take(store)).wait_s for _ in range(5)] == [0, 0, 0, 0, 0.25]


async def test_giving_back_to_a_bucket_that_is_not_there_is_harmless(store):
    store.give_back("nobody", LIMIT, 1.0, NOW)

    assert (await take(store, "nobody")).remaining == 3


async def test_clock_that_went_backwards_costs_a_bucket_at_most(store):
    for _ in range(4):
        await take(store)
    earlier = NOW - 512.0

    assert (await take(store, now=earlier)).wait_s == 0.25
    assert (await take(store, now=earlier + 0.25)).wait_s == 0.0
    assert (await take(store, now=earlier + 9.0)).remaining == 3


async def test_limit_made_smaller_counts_from_now_on(store):
    for _ in range(4):
        await take(store)
    smaller = Limit("api", Rate(4.0, 1.0), 0)

    assert (await take(store, limit=smaller)).wait_s == 0.25
    assert (await take(store, limit=smaller, now=NOW + 0.25)).wait_s == 0.0


async def test_of_many_at_the_same_time_no_more_are_admitted_than_fit(store):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.take("k", LIMIT, 1.0, NOW)) for _ in range(50)]

    assert sum(task.result().wait_s == 0.0 for task in tasks) == 4
