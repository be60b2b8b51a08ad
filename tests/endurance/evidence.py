"""What was going on when a request failed: its access line, faults near it, and who had to wait."""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import datetime
from pathlib import Path

LOOK_S = 0.2
# What is said of the time around a failure.
NEAR_S = 3.0
LAG_S = 0.05
_OF_A_LINE = (
    "time", "route", "method", "status", "code", "ms", "upstream", "upstream_ms", "aborted",
)  # fmt: skip


class Waits:
    """How long processes stood in line for a CPU, and how late this process's own loop was.

    The kernel counts the first (``/proc/PID/schedstat``, field 2); no loop can be quicker than
    its process gets a CPU.

    Args:
        pids: Gives those to look at, which may change.

    Attributes:
        waited: (time, pid, seconds stood in line since the look before).
        late: (time, seconds) of this process's loop.
    """

    def __init__(self, pids):
        self._pids = pids
        self.waited, self.late = [], []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _run(self):
        before = {}
        while not self._is_over.wait(LOOK_S):
            now, after = time.time(), {}
            for pid in self._pids():
                with suppress(OSError, IndexError):
                    after[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
                    self.waited.append((now, pid, after[pid] - before.get(pid, after[pid])))
            before = after

    async def own(self):
        """Take note of the lag of the loop that this runs on, until cancelled."""
        while True:
            due = time.time() + LAG_S
            await asyncio.sleep(LAG_S)
            self.late.append((time.time(), time.time() - due))

    def around(self, since, until):
        """Longest wait for a CPU within ``LOOK_S`` of each process, and longest lag of our own."""
        most = defaultdict(float)
        for at, pid, waited in self.waited:
            if since - NEAR_S <= at <= until + NEAR_S:
                most[pid] = max(most[pid], waited)
        lag = [late for at, late in self.late if since - NEAR_S <= at <= until + NEAR_S]
        waits = {pid: round(waited, 3) for pid, waited in most.items()}
        return {"waited": waits, "our lag": round(max(lag, default=0.0), 3)}


class Book:
    """Everything that the gateway said, for questions about single requests.

    Attributes:
        answered: How often it wrote of a request that it was answered so: (id, status).
        others: All lines that are of no request.
    """

    def __init__(self, lines, wanted):
        """Read all lines once.

        Args:
            lines: What was said.
            wanted: Ids of the requests whose lines are kept.
        """
        self.answered, self.others, self._kept = Counter(), [], defaultdict(list)
        for line in lines:
            if line["event"] != "request":
                self.others.append(line)
                continue
            self.answered[line["request_id"], line["status"]] += 1
            if line["request_id"] in wanted:
                self._kept[line["request_id"]].append(line)

    def of(self, name):
        """The access lines of a request whose lines were kept."""
        return self._kept[name]

    def twice(self):
        """Requests that were written of more than once."""
        count = Counter()
        for (name, _), lines in self.answered.items():
            count[name] += lines
        return [name for name, lines in count.items() if lines > 1]


def told(one, book, faults, waits):
    """All that is known of a request that failed.

    Args:
        one: The request, ``Asked``.
        book: ``Book``.
        faults: ``Faults``.
        waits: ``Waits``.
    """
    near = [
        (round(at - one.began, 2), what)
        for at, what in faults.done
        if one.opened - NEAR_S <= at <= one.ended + NEAR_S
    ]
    ours = [{name: line.get(name) for name in _OF_A_LINE} for line in book.of(one.name)]
    around = [
        {"at": round(wall(line) - one.began, 2), **line}
        for line in book.others
        if one.opened - 1 <= wall(line) <= one.ended + 1
    ]
    return {
        "request": one.name, "kind": one.kind, "route": one.route, "status": one.status,
        "error": one.error, "opened": round(one.opened - one.began, 3),
        "took": round(one.ended - one.began, 3), "began": one.began, "lines": ours,
        "faults": near, **waits.around(one.began, one.ended), "said": around[:20],
    }  # fmt: skip


def wall(line):
    """When a line was written, epoch seconds."""
    text = line.get("time")
    return datetime.fromisoformat(text).timestamp() if text else 0.0
