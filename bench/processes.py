"""CPU time and memory of processes with all their descendants, read from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat after the name, which may hold spaces (proc(5)): utime and stime.
_UTIME, _STIME = 11, 12


def family(pids: Iterable[int]) -> list[int]:
    """``pids`` and every living descendant of theirs."""
    found: list[int] = []
    queue = list(pids)
    while queue:
        pid = queue.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            queue += map(int, _read(children).split())
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far, in seconds; the kernel counts in steps of 10 ms."""
    ticks = 0
    for pid in family(pids):
        fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
        if fields:
            ticks += int(fields[_UTIME]) + int(fields[_STIME])
    return ticks / _TICKS_PER_S


def resident_mib(pids: Iterable[int]) -> float:
    """Resident memory in MiB; shared pages count in each process."""
    pages = 0
    for pid in family(pids):
        fields = _read(Path(f"/proc/{pid}/statm")).split()
        pages += int(fields[1]) if fields else 0
    return pages * _PAGE_BYTES / 2**20


def proportional_mib(pids: Iterable[int]) -> float:
    """Memory in MiB, a page that several processes share being divided among them."""
    kib = 0
    for pid in family(pids):
        for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
            if line.startswith("Pss:"):
                kib += int(line.split()[1])
    return kib / 1024


def _read(path: Path) -> str:
    """A file's text; empty if its process has ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""
