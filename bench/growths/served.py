"""What open connections and workers cost: real processes, sockets and TLS.

pyproxy serves from a CPU of its own, and from all of them where it has several workers; load
and origin have the last CPU. So more workers than CPUs but one take from what loads them, and
their rate says less than it could.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contenders import pyproxy
from bench.contenders.contender import Contender, Setting
from bench.credentials import PLAIN_KEY
from bench.growths.effort import Effort
from bench.load import Failed, Figures, Load
from bench.processes import proportional_mib
from bench.scenarios import CONNECTIONS
from bench.series import Series
from bench.stage import NotStarted, Stage, free_port

_CONNECTIONS = (1, 1_000, 4_000)
_WORKERS = (1, 2, 4)
_SPARE_FILES = 200  # what a process opens besides its connections
_HOLDER = "holder"
_MEMORY = "memory, MiB"
_CPU = "CPU per request, \N{MICRO SIGN}s"


def connections(effort: Effort) -> list[Series]:
    """Beside so many that are open and silent: a request's CPU time, and all memory.

    Raises:
        NotStarted: The gateway does not serve.
        Failed: A request was refused, or an open connection was lost.
    """
    cpu: dict[int, float] = {}
    memory: dict[int, float] = {}
    for number in _CONNECTIONS:
        if number + _SPARE_FILES > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
            print(f"{number:,} connections are left out: 'ulimit -n' allows fewer files")
            continue
        with _served(effort.program, 1) as (load, contender):
            _hold(load, contender, number)
            memory[number] = _memory_mib(load, contender)
            cpu[number] = _load(load, contender, effort.seconds)["cpu_us_per_request"]
            if not load.stage.runs(_HOLDER):
                raise Failed(f"one of {number:,} open connections was lost")
    name = "open, idle connections"
    return [Series(name, _CPU, cpu), Series(name, _MEMORY, memory)]


def workers(effort: Effort) -> list[Series]:
    """With so many workers: requests a second, a request's CPU time, and memory.

    Raises:
        NotStarted: Not even one worker serves.
        Failed: A request was refused.
    """
    rate: dict[int, float] = {}
    cpu: dict[int, float] = {}
    memory: dict[int, float] = {}
    for number in _WORKERS:
        if number > len(os.sched_getaffinity(0)):
            print(f"{number} workers are left out: there are fewer CPUs")
            continue
        try:
            with _served(effort.program, number) as (load, contender):
                figures = _load(load, contender, effort.seconds)
                rate[number] = figures["requests_per_s"]
                cpu[number] = figures["cpu_us_per_request"]
                memory[number] = _memory_mib(load, contender)
        except NotStarted as exc:
            if number == 1:
                raise
            print(f"{number} workers are left out: {exc}")
    found = {"requests/s": rate, _CPU: cpu, _MEMORY: memory}
    return [Series("workers", figure, points) for figure, points in found.items()]


@contextmanager
def _served(program: Path, number: int) -> Iterator[tuple[Load, Contender]]:
    """A gateway of its own with so many workers, and what loads it."""
    with Stage() as stage:
        setting = Setting.make(stage, Path())
        yield Load(stage, setting.credentials), pyproxy.start(setting, program, number)


def _load(load: Load, contender: Contender, seconds: int) -> Figures:
    load.settle([contender])
    figures = load.requests(contender, PLAIN_KEY, CONNECTIONS, seconds)
    if figures["failed"]:
        raise Failed(f"{figures['failed']:g} requests failed")
    return figures


def _hold(load: Load, contender: Contender, number: int) -> None:
    ready = free_port()
    command = [
        sys.executable, "-m", "bench.holder", "--port", str(contender.port),
        "--authority", str(load.credentials.certificate), "--key", PLAIN_KEY,
        "--connections", str(number), "--ready", str(ready),
    ]  # fmt: skip
    load.stage.start(_HOLDER, command, ready, load.stage.load_cpu)


def _memory_mib(load: Load, contender: Contender) -> float:
    return proportional_mib(load.stage.pids(contender.processes))
