import pytest
from hypothesis import given, strategies as st

from pyproxy.limits.bans import BanRules
from pyproxy.limits.digest import digest
from pyproxy.limits.failures import COUNTERS, MOST, SPANS, span_of
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.limits.shared_failures import WAYS, SharedFailures, failures_bytes
from tests.unit.killed import kill_points

KEY = b"k" * 16
NOW = 1024.0
WITHIN_S = 56.0


def memory_for(rows=64):
    return memoryview(bytearray(failures_bytes(rows)))


def table(memory=None):
    return SharedFailures(memory_for() if memory is None else memory, KEY)


def clients_of_one_set(number, rows=64):
    names = (f"{n}" for n in range(100_000))
    mask = rows // WAYS - 1
    return [name for name in names if digest(name, KEY) & mask == 0][:number]


@pytest.mark.parametrize("size", [0, 39, failures_bytes(24), failures_bytes(64) + 1])
def test_table_of_an_odd_size_is_refused(size):
    with pytest.raises(ValueError, match="power of two"):
        SharedFailures(memoryview(bytearray(size)), KEY)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-20, 100)), max_size=80))
def test_counts_as_one_process_does(steps):
    shared, memory, now = table(), MemoryBans(), NOW
    for client, step in steps:
        now = max(0.0, now + step)
        memory.failed(client, BanRules(1000, WITHIN_S, 1.0), now)

        assert shared.add(client, WITHIN_S, now) == dict(memory.counted())[client].total


def test_two_on_the_same_memory_count_together():
    memory = memory_for()
    one, other = table(memory), table(memory)

    assert [each.add("a", WITHIN_S, NOW) for each in (one, other, one)] == [1, 2, 3]
    other.forget("a")
    assert one.add("a", WITHIN_S, NOW) == 1


def test_forgetting_somebody_who_is_not_there_is_harmless():
    failures = table()
    failures.forget("nobody")

    assert not any(failures._digests.tolist())


def test_in_a_full_set_the_one_with_the_fewest_makes_room():
    failures = table()
    *names, last = clients_of_one_set(WAYS + 1)
    for number, name in enumerate(names):
        for _ in range(2 if number == 5 else 3):
            failures.add(name, WITHIN_S, NOW)
    failures.add(last, WITHIN_S, NOW)
    left = [name for name in names if failures.add(name, WITHIN_S, NOW) == 4]

    assert left == [name for number, name in enumerate(names) if number != 5][: len(left)]
    assert len(left) == WAYS - 1


def test_what_is_over_makes_room_however_much_it_was():
    failures = table()
    *names, last = clients_of_one_set(WAYS + 1)
    for _ in range(9):
        failures.add(names[3], WITHIN_S, NOW)
    late = NOW + 100.0
    for name in names[:3] + names[4:]:
        failures.add(name, WITHIN_S, late)
    failures.add(last, WITHIN_S, late)

    assert failures._find(digest(names[3], KEY)) is None


def test_of_as_many_the_oldest_makes_room():
    failures = table()
    *names, last = clients_of_one_set(WAYS + 1)
    for number, name in enumerate(names):
        at = NOW + 8.0 * number
        failures.add(name, WITHIN_S, at)
        failures.add(name, WITHIN_S, at)
    late = NOW + 8.0 * (WAYS - 1)
    failures.add(last, WITHIN_S, late)

    assert failures.add(names[1], WITHIN_S, late) == 3
    assert failures._find(digest(names[0], KEY)) is None


def test_newcomer_inherits_nothing_of_whom_it_replaces():
    failures = table()
    *names, last = clients_of_one_set(WAYS + 1)
    for name in names:
        for _ in range(5):
            failures.add(name, WITHIN_S, NOW)

    assert failures.add(last, WITHIN_S, NOW) == 1


def test_counters_that_are_full_stay_full():
    failures = table()
    failures.add("a", WITHIN_S, NOW)
    failures.adopt("a", WITHIN_S, span_of(NOW, WITHIN_S), [MOST] * COUNTERS)

    assert failures.add("a", WITHIN_S, NOW) == MOST * COUNTERS


def test_adopted_while_the_set_is_full_of_others_it_takes_one_place():
    failures = table()
    *names, last = clients_of_one_set(WAYS + 1)
    for name in names:
        failures.add(name, WITHIN_S, NOW)
    failures.adopt(last, WITHIN_S, span_of(NOW, WITHIN_S), [1] * COUNTERS)

    assert failures.add(last, WITHIN_S, NOW) == COUNTERS + 1
    assert sum(failures._find(digest(name, KEY)) is not None for name in names) == WAYS - 1


def test_killed_at_any_moment_nobody_has_failed_more_often_than_he_has():
    *names, last = clients_of_one_set(WAYS + 1)

    def full():
        memory = memory_for()
        for name in names:
            for _ in range(9):
                table(memory).add(name, WITHIN_S, NOW)
        return memory

    def add(memory):
        table(memory).add(last, WITHIN_S, NOW + WITHIN_S / SPANS)

    for memory in kill_points(full, add):
        at = NOW + WITHIN_S / SPANS
        assert table(memory).add(last, WITHIN_S, at) <= 2
        assert all(table(memory).add(name, WITHIN_S, at) <= 10 for name in names)


def test_closed_lets_go_of_the_memory():
    memory = memory_for()
    table(memory).close()
    memory.release()
