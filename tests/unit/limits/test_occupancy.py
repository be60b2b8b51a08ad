from pyproxy.limits.occupancy import MemoryOccupancy


def test_counts_up_to_the_most_and_back_to_nothing():
    occupancy = MemoryOccupancy()

    assert [occupancy.enter("r", "alice", 2) for _ in range(3)] == [True, True, False]
    assert len(occupancy) == 1
    for _ in range(2):
        occupancy.leave("r", "alice")
    assert len(occupancy) == 0


def test_refused_leaves_no_trace():
    occupancy = MemoryOccupancy()

    assert not occupancy.enter("r", "alice", 0)
    assert len(occupancy) == 0
