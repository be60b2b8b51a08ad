"""Everything at once for a while: full load, faults and reloads; then nothing may be left over.

PYPROXY_SOAK_S says for how many seconds; 15 unless it is set, 600 for `make soak`.
"""

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from statistics import median

import pytest

from bench.processes import resident_mib
from tests.endurance.load import Load
from tests.endurance.stage import (
    ROUTE,
    Folder,
    OriginProcess,
    config,
    connections,
    descriptors,
    wait_until,
)
from tests.process.served import KEY, free_port, hashed, put

SECONDS = float(os.environ.get("PYPROXY_SOAK_S", "15"))
SEED = int(os.environ.get("PYPROXY_SOAK_SEED", "1"))
FAULT_EVERY_S = 1.5
DOWN_S = 0.7
# What a fault explains: so long after it what it broke is noticed, on a busy machine.
AFTER_S = 2.0
# Lines that a killed worker had not written yet, and requests it was serving.
BEFORE_S = 1.0
QUIET_S = 15.0
# Python's own noise over half a minute; 1 MiB in ten minutes is the bound of a long soak.
NOISE_MIB = 8.0
# What a worker grows to in its first minute: buffers of 256 KiB a connection come and go, and
# leave holes in the heap. A leak is what comes after.
WARM_S = 60.0
MAX_MIB = 192
MIB_PER_S = 1 / 600


class Faults:
    """Breaks and changes things in turn, in a thread.

    Attributes:
        kills: When a worker was killed, ``time.time``.
        deaths: When an upstream was down, from and until.
        refused: Reloads that were not taken.
        memory: Resident MiB of each worker, by time.
    """

    def __init__(self, gateway, folder, upstreams):
        self._gateway, self._folder, self._upstreams = gateway, folder, upstreams
        self.kills, self.deaths, self.refused, self.memory = [], [], [], []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.error = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join(QUIET_S * 2)

    def _run(self):
        steady, first, second, port = self._upstreams
        extra = ROUTE.format(name="new", path="/new", upstream=f'"{steady.url}"')
        turns = [
            lambda: self._die(first),
            lambda: self._reload(extra=extra),
            lambda: self._die(second),
            lambda: self._reload(workers=3),
            self._rewrite_keys,
            self._folder.certify,
            lambda: self._die(first),
            self._kill_a_worker,
            lambda: self._reload(listeners=f'[[listeners]]\nbind = "127.0.0.1:{port}"\n'),
            lambda: self._die(second),
            lambda: self._reload(workers=2),
        ]  # fmt: skip
        at = 0
        try:
            while not self._is_over.wait(FAULT_EVERY_S):
                turns[at % len(turns)]()
                at += 1
                self.look()
        except Exception as exc:  # noqa: BLE001 - the test tells
            self.error = exc

    def look(self):
        """Take note of the memory."""
        for pid in self._gateway.workers:
            self.memory.append((time.time(), pid, resident_mib([pid])))

    def _die(self, upstream):
        since = time.time()
        upstream.kill()
        self._is_over.wait(DOWN_S)
        upstream.start()
        wait_until(upstream.is_ready)
        self.deaths.append((since, time.time()))

    def _reload(self, extra="", workers=2, listeners=""):
        text = soaked(self._upstreams, extra, workers=workers, listeners=listeners)
        if not self._gateway.reload(text):
            self.refused.append(self._gateway.lines("config.reloaded")[-1])

    def _rewrite_keys(self):
        others = "".join(hashed(f"other{i}", f"pyp_other-{i}-{time.time()}") for i in range(50))
        put(self._folder.path / "keys.txt", others + hashed("alice", KEY))

    def _kill_a_worker(self):
        self.kills.append(time.time())
        # Not the first, whose memory is to be watched for long.
        os.kill(self._gateway.workers[-1], signal.SIGKILL)


def soaked(upstreams, extra="", **parts):
    """The configuration: one upstream is never hurt, two others take turns."""
    steady, first, second, _ = upstreams
    routes = {"/steady": steady.url, "/shaky": [first.url, second.url]}
    parts["server"] = 'header_timeout = "5s"\nidle_timeout = "10s"'
    return config(routes, **parts) + extra


def is_explained(one, faults):
    """Whether something that was done to its worker or upstream explains a request's failure."""
    for at in faults.kills:
        if one.opened <= at + AFTER_S and at - BEFORE_S <= one.ended <= at + AFTER_S:
            return True
    if one.route == "shaky":
        return any(a - 0.1 <= one.ended and one.began <= b + AFTER_S for a, b in faults.deaths)
    return False


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
            with Faults(gateway, folder, upstreams) as faults:
                asyncio.run(load.run(SECONDS))
            assert faults.error is None
            assert gateway.reload(soaked(upstreams, workers=2))

            assert settled(gateway), left_over(gateway)
            have = max(len(descriptors(pid)) for pid in gateway.workers)
            pids = [gateway.pid, *gateway.workers]
            gateway.process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            assert gateway.process.wait(10) == 0
            assert time.monotonic() - told < 3.0
            judge(load.tally, faults, gateway, journal)
            assert have <= had + 2
            assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110


def left_over(gateway):
    return {pid: (connections(pid), descriptors(pid)) for pid in gateway.workers}


def settled(gateway):
    """Wait until no worker has a connection."""
    return wait_until(lambda: not any(map(connections, gateway.workers)), QUIET_S)


def judge(tally, faults, gateway, journal):
    lines = gateway.lines()
    good = tally.asked
    unexplained = [one for one in good if one.error and not is_explained(one, faults)]
    seen = Counter(
        (line["request_id"], line["status"]) for line in lines if line["event"] == "request"
    )
    by_id = Counter(line["request_id"] for line in lines if line["event"] == "request")
    posts = Counter(journal.read_text().split())
    answered = [one for one in good if one.status]
    missing = [
        one for one in answered
        if seen[one.name, one.status] != 1 and not is_explained_line(one, faults)
    ]  # fmt: skip
    print(  # noqa: T201 - what a soak is for
        f"{len(good)} requests ({dict(Counter(one.kind for one in good))}), "
        f"{tally.vanished} vanished, {sum(bool(one.error) for one in good)} failed by "
        f"{len(faults.deaths)} deaths of upstreams and {len(faults.kills)} of workers, "
        f"{len(posts)} uploads begun; {dict(Counter(one.status for one in good))}; "
        f"{rise(faults):+.2f} MiB"
    )
    assert not unexplained, (len(unexplained), unexplained[:5], faults.kills, faults.deaths)
    assert not missing, (len(missing), missing[:5], faults.kills)
    assert not faults.refused
    assert not [name for name, count in by_id.items() if count > 1]
    assert not [name for name, count in posts.items() if count > 1]
    assert not [line for line in lines if line["event"] in {"failure", ""}]
    assert not [line for line in lines if "did not end within" in str(line.get("message"))]
    assert max(mib for _, _, mib in faults.memory) < MAX_MIB
    assert rise(faults) < NOISE_MIB + SECONDS * MIB_PER_S


def is_explained_line(one, faults):
    """Whether the worker that served a request was killed before it had written of it."""
    return any(at - BEFORE_S <= one.ended <= at + AFTER_S for at in faults.kills)


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
