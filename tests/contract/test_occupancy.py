"""What every count of requests under way promises (`limits.occupancy.Occupancy`)."""

import pytest

from pyproxy.limits.occupancy import MemoryOccupancy
from pyproxy.runtime.zone import Zone


@pytest.fixture(params=["memory", "zone"])
def occupancy(request):
    if request.param == "memory":
        yield MemoryOccupancy()
        return
    zone = Zone.create()
    yield zone.occupancy(0)
    zone.close()


def test_so_many_come_in_and_no_more(occupancy):
    assert [occupancy.enter("r", "alice", 2) for _ in range(4)] == [True, True, False, False]


def test_who_leaves_makes_room_for_one(occupancy):
    for _ in range(2):
        occupancy.enter("r", "alice", 2)
    occupancy.leave("r", "alice")

    assert [occupancy.enter("r", "alice", 2) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("route", "user"),
    [
        pytest.param("r", "bob", id="another user"),
        pytest.param("s", "alice", id="another route"),
        pytest.param("", "ralice", id="name that looks like both"),
    ],
)
def test_users_and_routes_are_counted_apart(occupancy, route, user):
    occupancy.enter("r", "alice", 1)

    assert occupancy.enter(route, user, 1)


def test_smaller_limit_lets_nobody_in_until_enough_have_left(occupancy):
    for _ in range(3):
        occupancy.enter("r", "alice", 3)
    came_in = []
    for _ in range(3):
        occupancy.leave("r", "alice")
        came_in.append(occupancy.enter("r", "alice", 1))

    assert came_in == [False, False, True]


def test_all_that_left_left_nothing(occupancy):
    for _ in range(100):
        assert occupancy.enter("r", "alice", 1)
        occupancy.leave("r", "alice")
