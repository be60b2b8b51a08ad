"""Lines on their way out: gathered by whoever writes them, written by one thread."""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from pyproxy.telemetry.outlet import Outlet

MAX_PENDING_BYTES: Final = 8 * 1024 * 1024

# After the first line of a batch others are waited for this long. Each write
# wakes a thread and costs a system call; twenty a second nobody notices.
GATHER_S: Final = 0.05
# How long a write that failed (disk full, file not writable) is left alone.
RETRY_S: Final = 1.0
CLOSE_TIMEOUT_S: Final = 2.0

# What a waiting line takes beside its characters: the string object's own.
_LINE_BYTES: Final = 64


def _to_nobody(problem: str) -> None:
    del problem


class LineSink:
    """Takes lines without ever waiting or failing, and writes them in batches.

    What cannot be written waits, up to ``max_pending_bytes``; past that, lines
    are dropped and counted, and the count is written once writing works again.
    The order of bytes is kept even over a write that stopped within a line.

    ``put`` may be called from any thread, and also while it is running already
    (a finaliser that logs, a signal): it takes no lock. The counters may therefore
    be off by a line between two threads; each batch starts them anew.

    One sink belongs to one process: make it after a fork.

    Args:
        outlet: Closed with the sink.
        report_lost: Makes the line that says how many were dropped.
        max_pending_bytes: Bound of what waits.
        gather_s: Seconds that a batch waits for further lines.
        retry_s: Seconds between attempts while writing fails.
        tell: Called by the writing thread with a problem when one begins, and with
            ``""`` when it is over.

    """

    def __init__(
        self,
        outlet: Outlet,
        report_lost: Callable[[int], str] = "log lines lost: {}".format,
        *,
        max_pending_bytes: int = MAX_PENDING_BYTES,
        gather_s: float = GATHER_S,
        retry_s: float = RETRY_S,
        tell: Callable[[str], None] = _to_nobody,
    ) -> None:
        self._outlet = outlet
        self._report_lost = report_lost
        self._max_pending_bytes = max_pending_bytes
        self._gather_s = gather_s
        self._retry_s = retry_s
        self._tell = tell
        self._lines: deque[str] = deque()
        self._pending_bytes = 0
        self._lost = 0
        self._dropped = 0
        self._left = 0
        self._unwritten = b""
        self._is_troubled = False
        self._is_reopening = False
        # SimpleQueue, because its put is the one that may interrupt itself.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._is_rung = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Have one line written, soon.

        Args:
            line: Without its line feed.
        """
        if self._pending_bytes >= self._max_pending_bytes:
            self._drop(1)
        else:
            self._lines.append(line)
            self._pending_bytes += len(line) + _LINE_BYTES
        self._ring()

    def reopen(self) -> None:
        """Have what was moved away let go of, even if there is nothing to write."""
        self._is_reopening = True
        self._ring()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> int:
        """Write what is pending; give up after ``timeout_s``. Blocks; call it last.

        Returns:
            How many lines were lost without a line that says so.
        """
        self._closing.set()
        self._bell.put(None)
        self._thread.join(timeout_s)
        self._left = self._unwritten.count(b"\n") + len(self._lines)
        return self._lost + self._left

    @property
    def lost_total(self) -> int:
        """Lines that were dropped, and those that were left when it was closed."""
        return self._dropped + self._left

    def _ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            self._bell.put(None)

    def _drop(self, count: int) -> None:
        self._lost += count
        self._dropped += count

    def _run(self) -> None:
        while not self._closing.is_set():
            self._bell.get()
            self._closing.wait(self._gather_s)
            while not self._write_batch() and not self._closing.wait(self._retry_s):
                pass
        self._write_batch()
        self._outlet.close()

    def _write_batch(self) -> bool:
        """Write all that is pending; whether it went out to the last byte."""
        self._is_rung = False
        if self._is_reopening:
            self._is_reopening = False
            self._outlet.reopen()
        if self._unwritten and not self._went_out():
            return False
        self._unwritten = self._taken()
        if not self._unwritten or self._went_out():
            return True
        self._pending_bytes += len(self._unwritten)
        return False

    def _went_out(self) -> bool:
        """Write on; whether nothing is left."""
        self._unwritten = self._unwritten[self._write(self._unwritten) :]
        return not self._unwritten

    def _write(self, data: bytes) -> int:
        """Write, and tell when that begins to fail or works again; how many bytes went out."""
        outlet = self._outlet
        written = outlet.write(data)
        refused, outlet.refused = outlet.refused, 0
        self._drop(refused)
        is_troubled = bool(outlet.problem)
        if is_troubled != self._is_troubled:
            self._is_troubled = is_troubled
            self._tell(outlet.problem)
        return written

    def _taken(self) -> bytes:
        """Every waiting line, encoded, and a word about those that were dropped."""
        self._pending_bytes = 0
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._lost:
            lost, self._lost = self._lost, 0
            lines.append(self._report_lost(lost))
        return b"".join(line.encode("utf-8", "backslashreplace") + b"\n" for line in lines)
