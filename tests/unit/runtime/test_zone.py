import fcntl
import os
import resource
import struct
from pathlib import Path

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.identity.revocations import Revocations
from pyproxy.limits.bans import BanRules
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.runtime.zone import SLOTS, Zone

TWICE = BanRules(2, 600.0, 900.0)
HOURLY = Limit("hourly", Rate(1.0, 3600.0), 0)
NOW = 1024.0


@pytest.fixture
def zone():
    made = Zone.create()
    yield made
    made.close()


@pytest.fixture
def twin(zone):
    """The same memory, mapped once more."""
    made = Zone.attach(os.dup(zone.fd))
    yield made
    made.close()


@pytest.fixture
def memfd():
    fd = os.memfd_create("foreign")
    yield fd
    os.close(fd)


def descriptors():
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_all_of_it_is_shared(zone, twin):
    zone.store.take_nowait("k", HOURLY, 1.0, NOW)
    zone.revocations.revoke("token", 100.0, 0.0)
    zone.occupancy(0).enter("r", "alice", 1)
    zone.bans.failed("192.0.2.2", TWICE, NOW)
    zone.bans.ban("192.0.2.1", 60.0, NOW)

    assert twin.store.take_nowait("k", HOURLY, 1.0, NOW).wait_s == 3600.0
    assert twin.revocations.is_revoked("token")
    assert not twin.occupancy(1).enter("r", "alice", 1)
    assert twin.bans.failed("192.0.2.2", TWICE, NOW)
    assert [ban.client for ban in zone.bans.in_force(NOW)] == ["192.0.2.2", "192.0.2.1"]


def test_two_zones_share_nothing(zone):
    other = Zone.create()
    zone.revocations.revoke("token", 100.0, 0.0)

    assert not other.revocations.is_revoked("token")
    assert other.store._key != zone.store._key
    other.close()


def test_parts_do_not_touch_each_other(zone):
    header = bytes(zone._memory[:4096])
    zone.revocations.revoke("token", 100.0, 0.0)
    for number in range(1000):
        zone.occupancy(number % SLOTS).enter("r", f"{number}", 9)
        zone.bans.ban(f"{number}", 60.0, NOW)
        zone.bans.failed(f"f{number}", TWICE, NOW)

    assert not any(zone.store._digests)
    assert not any(zone.store._full_at)
    for number in range(1000):
        zone.store.take_nowait(f"{number}", HOURLY, 1.0, NOW)
    assert len(zone.revocations) == 1
    assert not any(zone.occupancy(0).enter("r", f"{number}", 1) for number in range(1000))
    assert len(zone.bans.in_force(NOW)) == 1000
    assert all(zone.bans.failed(f"f{number}", TWICE, NOW) for number in range(1000))
    assert bytes(zone._memory[:4096]) == header


def test_slot_is_counted_in_by_the_one_who_has_it(zone):
    assert zone.occupancy(3) is zone.occupancy(3)
    with pytest.raises(ValueError, match="no slot"):
        zone.occupancy(SLOTS)


def test_freed_slot_has_nothing_under_way(zone, twin):
    for slot in (0, 1):
        twin.occupancy(slot).enter("r", "alice", 2)
    zone.free(0)

    assert [zone.occupancy(2).enter("r", "alice", 2) for _ in range(2)] == [True, False]


def test_freeing_a_slot_leaves_the_others_alone(zone, twin):
    zone.occupancy(0).enter("r", "alice", 2)
    twin.occupancy(1).enter("r", "alice", 2)
    zone.free(1)

    assert zone.occupancy(0).enter("r", "alice", 2)
    assert not zone.occupancy(0).enter("r", "alice", 2)
    zone.free(0)
    assert twin.occupancy(1).enter("r", "alice", 1)


def test_goes_on_from_one_process(zone):
    store, revocations, bans = MemoryStore(), Revocations(), MemoryBans()
    store.take_nowait("k", HOURLY, 1.0, NOW)
    revocations.revoke("token", 100.0, 0.0)
    bans.ban("192.0.2.1", 60.0, NOW)
    bans.failed("192.0.2.2", TWICE, NOW)
    zone.adopt(store, revocations, bans)

    assert zone.store.take_nowait("k", HOURLY, 1.0, NOW).wait_s == 3600.0
    assert zone.revocations.is_revoked("token")
    assert zone.bans.left_s("192.0.2.1", NOW) == 60.0
    assert zone.bans.failed("192.0.2.2", TWICE, NOW)


@pytest.mark.parametrize(
    ("size", "header", "problem"),
    [
        pytest.param(0, b"", "another size", id="empty"),
        pytest.param(4096, b"pyproxy\0", "another size", id="shorter"),
        pytest.param(None, b"something else", "another header", id="foreign"),
        pytest.param(None, struct.pack("<8sI", b"pyproxy\0", 999), "another header", id="version"),
    ],
)
def test_foreign_memory_is_refused_and_left_open(zone, memfd, size, header, problem):
    os.ftruncate(memfd, os.fstat(zone.fd).st_size if size is None else size)
    os.pwrite(memfd, header, 0)

    with pytest.raises(ValueError, match=problem):
        Zone.attach(memfd)
    os.fstat(memfd)


def test_without_memory_for_it_nothing_stays_open():
    before = descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            Zone.create()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert descriptors() == before


def test_nobody_can_cut_it_off(zone):
    with pytest.raises(PermissionError):
        os.ftruncate(zone.fd, 4096)


def test_what_is_not_used_takes_no_memory(zone):
    zone.store.take_nowait("k", HOURLY, 1.0, NOW)
    zone.occupancy(5).enter("r", "alice", 2)
    zone.bans.failed("192.0.2.2", TWICE, NOW)
    zone.bans.ban("192.0.2.1", 60.0, NOW)

    assert os.fstat(zone.fd).st_blocks * 512 < 256 * 1024


def test_does_not_outlive_the_processes_that_were_not_given_it(zone):
    assert fcntl.fcntl(zone.fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def test_closed_is_closed():
    zone = Zone.create()
    zone.occupancy(1)
    zone.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(zone.fd)
