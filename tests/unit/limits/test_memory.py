import sys

import pytest
from hypothesis import given, strategies as st

from pyproxy.config.quantities import Rate
from pyproxy.limits.bucket import FULL, take
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore

LIMIT = Limit("api", Rate(4.0, 1.0), 3)
HOURLY = Limit("hourly", Rate(1.0, 3600.0), 0)


@given(
    st.sampled_from([LIMIT, HOURLY, Limit("odd", Rate(7.0, 60.0), 11)]),
    st.lists(st.tuples(st.floats(-10, 100), st.sampled_from([0.5, 1.0])), max_size=60),
)
def test_counts_as_the_bucket_does(limit, steps):
    store, now, full_at = MemoryStore(), 1000.0, FULL
    for step, cost in steps:
        now += step
        full_at, wait_s = take(full_at, now, limit.interval_s, limit.capacity_s, cost)
        taken = store.take_nowait("k", limit, cost, now)

        assert taken.wait_s == pytest.approx(wait_s, abs=1e-6)
        assert taken.reset_s == pytest.approx(max(0.0, full_at - now), abs=1e-6)


def test_million_addresses_are_held_within_the_bound():
    store = MemoryStore(capacity=1000)
    most, size = 0, 0
    for number in range(1_000_000):
        store.take_nowait(f"{number}", HOURLY, 1.0, 0.0)
        if number % 997 == 0:
            most = max(most, len(store))
            size = max(size, sys.getsizeof(store._young) + sys.getsizeof(store._old))

    assert most <= 1000
    # Two tables of at most 500: each under 50 kB, however many came by.
    assert size < 100_000


def test_limited_bucket_survives_a_flood_of_full_ones():
    store = MemoryStore(capacity=100)
    store.take_nowait("limited", HOURLY, 1.0, 0.0)
    for number in range(10_000):
        store.take_nowait(f"{number}", LIMIT, 1.0, number * 0.3)

    assert store.take_nowait("limited", HOURLY, 1.0, 3500.0).wait_s == 100.0


def test_flood_of_limited_ones_pushes_out_the_oldest_first():
    store = MemoryStore(capacity=10)
    for number in range(12):
        store.take_nowait(f"{number}", HOURLY, 1.0, 0.0)

    assert len(store) <= 10
    assert store.take_nowait("0", HOURLY, 1.0, 1.0).wait_s == 0.0
    assert store.take_nowait("11", HOURLY, 1.0, 1.0).wait_s > 0.0


def test_room_that_is_left_goes_to_the_latest_used():
    store = MemoryStore(capacity=8)
    for name in ("a", "b", "c", "d"):  # the old generation: four that stay limited
        store.take_nowait(name, HOURLY, 1.0, 0.0)
    for name, limit in (("e", HOURLY), ("f", HOURLY), ("g", LIMIT), ("h", LIMIT)):
        store.take_nowait(name, limit, 1.0, 0.0)
    store.take_nowait("i", HOURLY, 1.0, 10.0)

    assert [name for name in "abcdefgh" if name in store._old] == ["c", "d", "e", "f"]
    assert list(store._young) == ["i"]


def test_full_buckets_are_forgotten():
    store = MemoryStore(capacity=4)
    for number in range(100):
        store.take_nowait(f"{number}", LIMIT, 1.0, number * 10.0)

    assert len(store) <= 3


@pytest.mark.parametrize("name", ["young", "old"])
def test_gives_back_to_either_generation(name):
    store = MemoryStore(capacity=4)
    store.take_nowait("k", HOURLY, 1.0, 0.0)
    if name == "old":
        store._age(0.0)

    store.give_back("k", HOURLY, 1.0, 0.0)

    assert store.take_nowait("k", HOURLY, 1.0, 0.0).wait_s == 0.0


def test_forgotten_bucket_takes_nothing_back():
    store = MemoryStore()
    store.give_back("k", LIMIT, 1.0, 0.0)

    assert len(store) == 0


async def test_take_is_the_same_awaited():
    store = MemoryStore()
    await store.take("k", HOURLY, 1.0, 0.0)

    assert (await store.take("k", HOURLY, 1.0, 0.0)).wait_s == 3600.0


def test_tells_what_it_holds():
    store = MemoryStore(capacity=4)
    for number in range(3):
        store.take_nowait(f"{number}", HOURLY, 1.0, 0.0)

    assert dict(store.buckets()) == {"0": 3600.0, "1": 3600.0, "2": 3600.0}
