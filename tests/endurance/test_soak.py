"""Everything at once for a while: full load, faults and reloads; then nothing may be left over.

PYPROXY_SOAK_S says for how many seconds; 15 unless it is set, 600 for `make soak`.
"""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from statistics import median

import pytest

from tests.endurance.evidence import LOOK_S, Book, Waits, told, wall
from tests.endurance.faults import (
    Faults,
    is_of_a_killed_worker,
    lost_its_line,
    met_a_death,
    soaked,
)
from tests.endurance.load import Load
from tests.endurance.stage import (
    Folder,
    OriginProcess,
    connections,
    descriptors,
    wait_until,
)
from tests.process.served import KEY, free_port

SECONDS = float(os.environ.get("PYPROXY_SOAK_S", "15"))
SEED = int(os.environ.get("PYPROXY_SOAK_SEED", "1"))
QUIET_S = 15.0
# Of holes in the heap, where one burst more was at its height; 1 MiB in ten minutes is the
# bound of a long soak.
NOISE_MIB = 6.0
# The heap grows to the greatest burst that it has seen, which takes the longer the slower the
# machine is. A leak is what comes after, in the workers that live all the while.
WARM_S = min(600.0, max(60.0, SECONDS / 3))
MAX_MIB = 128
MIB_PER_S = 1 / 600


def token(gateway, trust):
    import http.client  # noqa: PLC0415 - not worth a line above

    connection = http.client.HTTPSConnection("localhost", gateway.port, context=trust)
    connection.request("POST", "/token", headers={"Authorization": f"Bearer {KEY}"})
    text = connection.getresponse().read().decode()
    connection.close()
    return text.partition('"token":')[2].split('"')[1]


@pytest.mark.timeout(SECONDS + 120)
# The load's own: it drops connections at any moment, those of half a handshake too.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_lost_and_nothing_stays(tmp_path):
    folder = Folder(tmp_path)
    journal = tmp_path / "journal"
    with (
        OriginProcess(journal) as steady,
        OriginProcess(journal) as first,
        OriginProcess(journal) as second,
    ):
        upstreams = (steady, first, second, free_port())
        with folder.gateway(soaked(upstreams, workers=2)) as gateway:
            load = Load(gateway.port, folder.trust, [token(gateway, folder.trust)], SEED)
            asyncio.run(load.run(2.0))  # until what is made once is made
            assert settled(gateway), left_over(gateway)
            had = max(len(descriptors(pid)) for pid in gateway.workers)
            with (
                Waits(lambda: gateway.workers) as waits,
                Faults(gateway, folder, upstreams) as faults,
            ):
                asyncio.run(watched(load, waits))
            assert not faults.error
            assert gateway.reload(soaked(upstreams, workers=2))

            assert settled(gateway), left_over(gateway)
            have = max(len(descriptors(pid)) for pid in gateway.workers)
            pids = [gateway.pid, *gateway.workers]
            gateway.process.send_signal(signal.SIGTERM)
            since = time.monotonic()
            assert gateway.process.wait(10) == 0
            assert time.monotonic() - since < 3.0
            judge(load.tally, faults, gateway, journal, waits)
            assert have <= had + 2
            assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110


def left_over(gateway):
    return {pid: (connections(pid), descriptors(pid)) for pid in gateway.workers}


def settled(gateway):
    """Wait until no worker has a connection."""
    return wait_until(lambda: not any(map(connections, gateway.workers)), QUIET_S)


async def watched(load, waits):
    """Load, and how late this loop was meanwhile."""
    watching = asyncio.ensure_future(waits.own())
    await load.run(SECONDS)
    watching.cancel()


def judge(tally, faults, gateway, journal, waits):
    book = Book(gateway.every(), {one.name for one in tally.failed})
    unexplained = [
        told(one, book, faults, waits)
        for one in (*tally.failed, *tally.unmet)
        if not is_explained(one, book, faults)
    ]
    posts = Counter(journal.read_text().split())
    missing = [
        (name, status, ended)
        for name, status, ended in tally.answered
        if book.answered[name, status] != 1 and not lost_its_line(ended, faults.kills)
    ]
    late = max((late for _, late in waits.late), default=0.0)
    waited = max((waited for _, _, waited in waits.waited), default=0.0)
    print(  # noqa: T201 - what a soak is for
        f"{sum(tally.kinds.values())} requests ({dict(tally.kinds)}), "
        f"{tally.vanished} vanished, {len(tally.failed)} failed and {len(tally.unmet)} found no "
        f"connection by {len(faults.deaths)} deaths of upstreams and {len(faults.kills)} of "
        f"workers, {len(posts)} uploads begun; "
        f"{dict(Counter(status for _, status, _ in tally.answered))}; {rise(faults):+.2f} MiB; "
        f"clients {late:.2f} s late at most, workers waited {waited:.2f} s of {LOOK_S} s for a CPU"
    )
    print(f"MiB by minute: {curve(faults.memory)}")  # noqa: T201 - likewise
    for each in unexplained:
        print(json.dumps(each))  # noqa: T201 - likewise
    assert not unexplained, len(unexplained)
    assert not missing, (len(missing), missing[:5], faults.kills)
    assert not tally.open
    assert not faults.refused
    assert not book.twice()
    assert not [name for name, count in posts.items() if count > 1]
    assert not [line for line in book.others if line["event"] in {"failure", ""}]
    assert not [line for line in book.others if "did not end within" in line.get("message", "")]
    assert max(mib for _, _, mib in faults.memory) < MAX_MIB
    assert rise(faults) < NOISE_MIB + SECONDS * MIB_PER_S


def is_explained(one, book, faults):
    """Whether something that was done to its own worker or upstream explains a failure.

    Not that something was done at about the time: on a busy machine something always was.
    """
    if is_of_a_killed_worker(one, faults.kills):
        return True
    lines = book.of(one.name)
    return len(lines) == 1 and met_a_death(lines[0], wall(lines[0]), faults.deaths)


def curve(memory):
    """Resident MiB of the workers that were watched for more than a minute, minute by minute."""
    start, by_pid = memory[0][0], {}
    for at, pid, mib in memory:
        by_pid.setdefault(pid, {}).setdefault(int((at - start) // 60), round(mib))
    return {pid: list(found.values()) for pid, found in by_pid.items() if len(found) > 1}


def rise(faults):
    """How much a worker that was there for long grew from the first third to the last."""
    by_pid, started = {}, {}
    for at, pid, mib in faults.memory:
        if at - started.setdefault(pid, at) > WARM_S and mib:
            by_pid.setdefault(pid, []).append((at, mib))
    grown = [
        median(mib for _, mib in looks[-(len(looks) // 3) :])
        - median(mib for _, mib in looks[: len(looks) // 3])
        for looks in by_pid.values()
        if len(looks) >= 6
    ]
    return max(grown, default=0.0)
