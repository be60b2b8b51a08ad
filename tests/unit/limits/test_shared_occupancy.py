import pytest

from pyproxy.limits.digest import digest
from pyproxy.limits.shared_occupancy import STRIPES, WAYS, SharedOccupancy, occupancy_bytes
from tests.unit.killed import kill_points

KEY = b"k" * 16
ROWS = STRIPES * WAYS
SLOTS = 3


class Locks:
    def __init__(self):
        self.held = []

    def acquire(self, number):
        assert not self.held
        assert 0 <= number < STRIPES
        self.held.append(number)

    def release(self, number):
        self.held.remove(number)


def memory():
    return memoryview(bytearray(occupancy_bytes(ROWS, SLOTS)))


def column(on, slot):
    return SharedOccupancy(on, Locks(), KEY, rows=ROWS, slot=slot)


def entered(occupancy, most, route="r", user="alice"):
    """How many more come in."""
    number = 0
    while occupancy.enter(route, user, most):
        number += 1
    return number


def users_of_one_set(number):
    users = (f"u{n}" for n in range(100_000))
    return [user for user in users if digest(f"r\x1f{user}", KEY) & (ROWS // WAYS - 1) == 0][
        :number
    ]


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_there_are_so_many_slots(slot):
    with pytest.raises(ValueError, match="no slot"):
        column(memory(), slot)


def test_processes_count_together():
    shared = memory()
    one, other = column(shared, 0), column(shared, 1)

    assert one.enter("r", "alice", 3)
    assert entered(other, 3) == 2
    one.leave("r", "alice")
    assert entered(other, 3) == 1
    assert one._locks.held == other._locks.held == []


def test_leaving_without_having_come_counts_nothing():
    shared = memory()
    occupancy, other = column(shared, 0), column(shared, 1)
    other.enter("r", "alice", 2)
    for user in ("alice", "nobody"):
        occupancy.leave("r", user)

    assert [entered(occupancy, 2, user=user) for user in ("alice", "nobody")] == [1, 2]


def test_process_that_ended_leaves_the_counts_of_the_others():
    shared = memory()
    dead, alive = column(shared, 0), column(shared, 1)
    for user in ("alice", "bob", "carol"):
        entered(dead, 2, user=user)
        dead.leave("r", user)
    alive.enter("r", "alice", 2)
    column(shared, 0).free()

    assert [entered(alive, 2, user=user) for user in ("alice", "bob", "carol")] == [1, 2, 2]


def test_row_of_nobody_is_anothers_and_a_full_set_refuses():
    occupancy = column(memory(), 0)
    *users, last = users_of_one_set(WAYS + 1)

    assert all(occupancy.enter("r", user, 1) for user in users)
    assert not occupancy.enter("r", last, 1)
    occupancy.leave("r", users[3])
    assert occupancy.enter("r", last, 1)
    assert not occupancy.enter("r", users[3], 1)


def test_one_process_counts_no_further_than_its_word():
    occupancy = column(memory(), 0)

    assert entered(occupancy, 1_000_000) == 0xFFFF


@pytest.mark.parametrize("act", ["enter", "leave"])
def test_killed_at_any_moment_it_leaves_nothing(act):
    def house():
        shared = memory()
        column(shared, 0).enter("r", "alice", 9)
        column(shared, 1).enter("r", "alice", 9)
        return shared

    def once(shared):
        dying = column(shared, 0)
        if act == "enter":
            dying.enter("r", "alice", 9)
            dying.enter("r", "bob", 9)
        else:
            dying.leave("r", "alice")

    for shared in kill_points(house, once):
        alive = column(shared, 2)
        alive.enter("r", "carol", 9)
        column(shared, 0).free()

        assert entered(alive, 9) == 8
        assert entered(alive, 9, user="bob") == 9
        assert entered(alive, 9, user="carol") == 8


def test_closed_lets_go_of_the_memory():
    shared = memory()
    column(shared, 0).close()
    shared.release()
