"""What a soak breaks and changes, and what that explains."""

import os
import signal
import threading
import time
import traceback
from dataclasses import dataclass

from bench.processes import resident_mib
from tests.endurance.stage import ROUTE, config, connections, wait_until
from tests.process.served import KEY, hashed, put

FAULT_EVERY_S = 1.5
DOWN_S = 0.7
END_S = 30.0
# Lines that a killed worker had been given and had not written yet.
UNWRITTEN_S = 1.0


@dataclass(frozen=True)
class Kill:
    """The end of a worker that nobody asked for.

    Attributes:
        at: ``time.time``; it had been stopped a moment before.
        ports: Of the clients whose connections it took with it.
    """

    at: float
    ports: frozenset[int]


@dataclass(frozen=True)
class Death:
    """The end of an upstream that nobody asked for.

    Attributes:
        upstream: As access lines name it.
        since: ``time.time``, before it was killed.
        until: Likewise, when its successor listened.
    """

    upstream: str
    since: float
    until: float


def soaked(upstreams, extra="", **parts):
    """The configuration: one upstream is never hurt, two others take turns."""
    steady, first, second, _ = upstreams
    routes = {"/steady": steady.url, "/shaky": [first.url, second.url]}
    parts["server"] = 'header_timeout = "5s"\nidle_timeout = "10s"'
    return config(routes, **parts) + extra


class Faults:
    """Breaks and changes things in turn, in a thread.

    Attributes:
        kills: Of workers.
        deaths: Of upstreams.
        done: All that was done, (``time.time``, what).
        refused: Reloads that were not taken.
        memory: Resident MiB of each worker, (``time.time``, process, MiB).
        error: What ended the thread before its time, with its traceback.
    """

    def __init__(self, gateway, folder, upstreams):
        self._gateway, self._folder, self._upstreams = gateway, folder, upstreams
        self.kills, self.deaths, self.done, self.refused, self.memory = [], [], [], [], []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.error = ""

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join(END_S)

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
        except Exception:  # noqa: BLE001 - the test tells
            self.error = traceback.format_exc()

    def look(self):
        """Take note of the memory."""
        for pid in self._gateway.workers:
            self.memory.append((time.time(), pid, resident_mib([pid])))

    def _tell(self, what):
        self.done.append((time.time(), what))

    def _die(self, upstream):
        since = time.time()
        self._tell(f"{upstream.port} is killed")
        upstream.kill()
        self._is_over.wait(DOWN_S)
        upstream.start()
        assert wait_until(upstream.is_ready)
        self.deaths.append(Death(f"127.0.0.1:{upstream.port}", since, time.time()))
        self._tell(f"{upstream.port} is back")

    def _reload(self, extra="", workers=2, listeners=""):
        self._tell(f"reload: {workers} workers")
        text = soaked(self._upstreams, extra, workers=workers, listeners=listeners)
        if not self._gateway.reload(text):
            self.refused.append(self._gateway.lines("config.reloaded")[-1])
        self._tell("reloaded")

    def _rewrite_keys(self):
        others = "".join(hashed(f"other{i}", f"pyp_other-{i}-{time.time()}") for i in range(50))
        put(self._folder.path / "keys.txt", others + hashed("alice", KEY))

    def _kill_a_worker(self):
        """Not one of the first two, whose memory is to be watched for long."""
        pid = self._gateway.workers[-1]
        # Between the look at its connections and its end it must not get another.
        os.kill(pid, signal.SIGSTOP)
        ours = [remote for local, remote, _ in connections(pid) if local == self._gateway.port]
        at = time.time()
        os.kill(pid, signal.SIGKILL)
        self.kills.append(Kill(at, frozenset(ours)))
        self._tell(f"worker {pid} is killed")


def is_of_a_killed_worker(one, kills):
    """Whether a worker took the connection of a request with it."""
    return any(one.port in each.ports and one.opened <= each.at <= one.ended for each in kills)


def met_a_death(line, ended, deaths):
    """Whether the upstream that an access line names was down at any time of its request.

    Args:
        line: The access line.
        ended: When it was written, epoch seconds.
        deaths: Of upstreams.
    """
    began = ended - line["ms"] / 1000 - 0.001
    return any(
        each.upstream == line["upstream"] and began <= each.until and each.since <= ended
        for each in deaths
    )


def lost_its_line(ended, kills):
    """Whether a worker may have been killed before it wrote of a request that it had answered."""
    return any(each.at - UNWRITTEN_S <= ended <= each.at + 2 * UNWRITTEN_S for each in kills)
