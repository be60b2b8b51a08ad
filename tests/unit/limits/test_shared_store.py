import sys

import pytest
from hypothesis import given, strategies as st

from pyproxy.config.quantities import Rate
from pyproxy.limits.bucket import FULL, take
from pyproxy.limits.digest import digest
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.shared_store import BUCKET_BYTES, STRIPES, WAYS, SharedStore
from tests.unit.killed import kill_points

LIMIT = Limit("api", Rate(4.0, 1.0), 3)
HOURLY = Limit("hourly", Rate(1.0, 3600.0), 0)
KEY = b"k" * 16
SMALLEST = STRIPES * WAYS


class Locks:
    """Locks of one process: nobody else is there, but one at a time it is."""

    def __init__(self):
        self.held = []
        self.most = 0

    def acquire(self, number):
        assert 0 <= number < STRIPES
        self.held.append(number)
        self.most = max(self.most, len(self.held))

    def release(self, number):
        self.held.remove(number)


def memory_for(buckets=SMALLEST):
    return memoryview(bytearray(buckets * BUCKET_BYTES))


def store_on(memory=None):
    return SharedStore(memory_for() if memory is None else memory, Locks(), KEY)


def keys_of_one_set(number, sets=STRIPES):
    """Names of buckets that have to share the places of one set."""
    names = (f"{n}" for n in range(100_000))
    return [name for name in names if digest(name, KEY) & (sets - 1) == 0][:number]


@pytest.mark.parametrize("buckets", [0, 1, SMALLEST // 2, SMALLEST * 3, SMALLEST + 1])
def test_table_of_an_odd_size_is_refused(buckets):
    with pytest.raises(ValueError, match="power of two"):
        store_on(memory_for(buckets))


@given(
    st.sampled_from([LIMIT, HOURLY, Limit("odd", Rate(7.0, 60.0), 11)]),
    st.lists(st.tuples(st.floats(-10, 100), st.sampled_from([0.5, 1.0])), max_size=60),
)
def test_counts_as_the_bucket_does(limit, steps):
    store, now, full_at = store_on(), 1000.0, FULL
    for step, cost in steps:
        now += step
        full_at, wait_s = take(full_at, now, limit.interval_s, limit.capacity_s, cost)
        taken = store.take_nowait("k", limit, cost, now)

        assert taken.wait_s == pytest.approx(wait_s, abs=1e-6)
        assert taken.reset_s == pytest.approx(max(0.0, full_at - now), abs=1e-6)


def test_two_on_the_same_memory_share_their_buckets():
    memory = memory_for()
    one, other = store_on(memory), store_on(memory)
    waits = [store.take_nowait("k", LIMIT, 1.0, 8.0).wait_s for store in (one, other) * 3]

    assert waits == [0.0, 0.0, 0.0, 0.0, 0.25, 0.25]
    other.give_back("k", LIMIT, 1.0, 8.0)
    assert one.take_nowait("k", LIMIT, 1.0, 8.0).wait_s == 0.0


def test_locks_are_held_one_at_a_time_and_let_go():
    store = store_on()
    store.take_nowait("k", HOURLY, 1.0, 8.0)
    store.take_nowait("k", HOURLY, 1.0, 8.0)
    store.give_back("k", HOURLY, 1.0, 8.0)

    assert (store._locks.held, store._locks.most) == ([], 1)


def test_lock_is_let_go_whatever_happens():
    store = store_on()
    with pytest.raises(TypeError):
        store.take_nowait("k", LIMIT, None, 8.0)

    assert store._locks.held == []


def test_full_set_forgets_what_is_full_again_soonest():
    store = store_on()
    *names, last = keys_of_one_set(WAYS + 1)
    for number, name in enumerate(names):
        store.take_nowait(name, HOURLY, 1.0, 100.0 - number)
    store.take_nowait(last, HOURLY, 1.0, 100.0)
    held = [name for name in (*names, last) if store._find(digest(name, KEY)) is not None]

    assert held == [*names[:-1], last]
    assert store.take_nowait(names[-1], HOURLY, 1.0, 100.0).wait_s == 0.0  # full, for being new


def test_limited_bucket_survives_a_flood_of_others():
    store = store_on()
    store.take_nowait("limited", HOURLY, 1.0, 1.0)
    for number in range(20_000):
        store.take_nowait(f"{number}", LIMIT, 1.0, 1.0)

    assert store.take_nowait("limited", HOURLY, 1.0, 3501.0).wait_s == 100.0


def test_addresses_that_come_once_cost_no_memory():
    store = store_on()
    most = 0
    for number in range(200_000):
        store.take_nowait(f"{number}", HOURLY, 1.0, 1.0)
        if number % 997 == 0:
            most = max(most, sys.getsizeof(store._places))

    assert most < 500_000  # 8,192 places


def test_remembered_place_that_another_has_now_is_looked_for_anew():
    memory = memory_for()
    one, other = store_on(memory), store_on(memory)
    name, *names = keys_of_one_set(WAYS + 1)
    one.take_nowait(name, LIMIT, 1.0, 1.0)
    for flood in names:
        other.take_nowait(flood, HOURLY, 1.0, 1.0)

    assert one.take_nowait(name, HOURLY, 1.0, 1.0).wait_s == 0.0
    assert one.take_nowait(name, HOURLY, 1.0, 1.0).wait_s == 3600.0


def test_forgotten_bucket_takes_nothing_back():
    store = store_on()
    store.give_back("k", LIMIT, 1.0, 8.0)

    assert not any(store._digests.tolist())


def test_giving_back_goes_not_below_the_beginning_of_the_clock():
    store = store_on()
    store.take_nowait("k", HOURLY, 1.0, 1.0)
    store.give_back("k", Limit("h", Rate(1.0, 7200.0), 0), 1.0, 1.0)

    assert min(store._full_at.tolist()) == 0.0


def test_adopts_the_buckets_of_one_process():
    before, store = MemoryStore(), store_on()
    for _ in range(4):
        before.take_nowait("k", LIMIT, 1.0, 8.0)
    before.take_nowait("seen", LIMIT, 1.0, 8.0)
    before.give_back("seen", LIMIT, 1.0, 8.0)
    store.take_nowait("k", LIMIT, 1.0, 8.0)
    before._young["new"] = FULL
    store.adopt(before)

    assert store.take_nowait("k", LIMIT, 1.0, 8.0).wait_s == 0.25
    assert store.take_nowait("seen", LIMIT, 1.0, 8.0).remaining == 3
    assert store._find(digest("new", KEY)) is None


def test_adopting_makes_no_bucket_fuller():
    before, store = MemoryStore(), store_on()
    before.take_nowait("k", LIMIT, 1.0, 8.0)
    for _ in range(4):
        store.take_nowait("k", LIMIT, 1.0, 8.0)
    store.adopt(before)

    assert store.take_nowait("k", LIMIT, 1.0, 8.0).wait_s == 0.25


async def test_take_is_the_same_awaited():
    store = store_on()
    await store.take("k", HOURLY, 1.0, 8.0)

    assert (await store.take("k", HOURLY, 1.0, 8.0)).wait_s == 3600.0


def test_killed_at_any_moment_nobody_pays_for_another():
    *names, last = keys_of_one_set(WAYS + 1)
    full = memory_for()
    store = store_on(full)
    for name in names:
        store.take_nowait(name, HOURLY, 1.0, 8.0)

    def take_one(memory):
        store_on(memory).take_nowait(last, LIMIT, 1.0, 8.0)

    resets = set()
    for memory in kill_points(lambda: memoryview(bytearray(full)), take_one):
        store = store_on(memory)
        resets.add(store.take_nowait(last, LIMIT, 1.0, 8.0).reset_s)
        kept = [store._find(digest(name, KEY)) is not None for name in names]
        assert kept.count(False) <= 1

    assert resets == {0.25, 0.5}  # one token gone, or two: never an hour


def test_closed_lets_go_of_the_memory():
    memory = memory_for()
    store_on(memory).close()
    memory.release()
