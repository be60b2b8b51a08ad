"""Processes that share a zone: what they count together is exact, and the dead hold nothing up."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.limits.digest import digest
from pyproxy.limits.limit import Limit
from pyproxy.limits.shared_store import STRIPES
from pyproxy.runtime.zone import Zone

NOW = 1024.0
ROUNDS = 60_000
QUOTA = 60_000
LIMIT = Limit("api", Rate(1.0, 3600.0), QUOTA - 1)

# What a worker does here: one order a line, one answer each.
WORKER = """
import sys
from pyproxy.config.quantities import Rate
from pyproxy.limits.digest import digest
from pyproxy.limits.limit import Limit
from pyproxy.limits.shared_store import STRIPES
from pyproxy.runtime.zone import Zone

zone = Zone.attach(int(sys.argv[1]))
LIMIT = Limit("api", Rate(1.0, 3600.0), int(sys.argv[2]) - 1)

def take(rounds):
    waits = [zone.store.take_nowait("k", LIMIT, 1.0, 1024.0).wait_s for _ in range(int(rounds))]
    return waits.count(0.0)

def enter(rounds):
    occupancy = zone.occupancy(int(sys.argv[3]))
    return sum(occupancy.enter("r", "alice", LIMIT.quota) for _ in range(int(rounds)))

def hold(_):
    zone.store._locks.acquire(digest("k", zone.store._key) & (STRIPES - 1))
    return "held"

def revoked(token_id):
    return zone.revocations.is_revoked(token_id)

print("ready", flush=True)
for line in sys.stdin:
    order, _, argument = line.strip().partition(" ")
    print(globals()[order](argument), flush=True)
"""


class Worker:
    """One process that has the zone's descriptor and nothing else."""

    def __init__(self, zone: Zone, slot: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(zone.fd), str(QUOTA), str(slot)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[zone.fd],
            text=True,
        )

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def order(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def zone() -> Iterator[Zone]:
    made = Zone.create()
    yield made
    made.close()


@pytest.fixture
def workers(zone: Zone) -> Iterator[list[Worker]]:
    started = [Worker(zone, slot) for slot in range(2)]
    assert [worker.answer() for worker in started] == ["ready", "ready"]
    yield started
    for worker in started:
        worker.end()


@pytest.mark.parametrize("order", ["take", "enter"])
def test_what_two_processes_admit_at_the_same_time_is_exact(order, workers):
    for worker in workers:
        worker.order(f"{order} {ROUNDS}")
    admitted = [int(worker.answer()) for worker in workers]

    assert sum(admitted) == QUOTA


def test_killed_holding_a_lock_it_holds_nobody_up(zone, workers):
    workers[0].order("hold")
    assert workers[0].answer() == "held"
    stripe = digest("k", zone.store._key) & (STRIPES - 1)
    with pytest.raises(BlockingIOError):
        fcntl.lockf(zone.fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, stripe)
    workers[1].order("take 1")  # waits for it
    workers[0].end()

    assert workers[1].answer() == "1"
    assert zone.store.take_nowait("k", LIMIT, 1.0, NOW).wait_s == 0.0


def test_killed_leaves_nothing_under_way(zone, workers):
    workers[0].order("enter 20")
    assert workers[0].answer() == "20"
    assert not zone.occupancy(2).enter("r", "alice", 20)
    workers[0].end()
    zone.free(0)

    assert zone.occupancy(2).enter("r", "alice", 1)


def test_revoked_in_one_process_is_refused_in_the_next_request_of_another(zone, workers):
    answers = []
    for number in range(20):
        zone.revocations.revoke(f"token-{number}", 1e10, 0.0)
        for worker in workers:
            worker.order(f"revoked token-{number}")
            answers.append(worker.answer())

    assert set(answers) == {"True"}
