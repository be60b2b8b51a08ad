"""A temporary folder, and the processes that run on it for as long as a measurement takes."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

START_S = 60.0
STOP_S = 10.0
ROOT = Path(__file__).resolve().parent.parent


class NotStarted(Exception):
    """A process did not come to listen; holds the end of what it said."""


class Stage:
    """Starts processes on loopback, and ends each of them by its id.

    What is measured has one CPU to itself; load and origin share another, so that
    they cannot take from what is measured. On a machine with one CPU all share it.

    Attributes:
        folder: Readable by its owner alone; removed at the end.
        measured_cpu: Of what is measured; as taskset takes it, like the others.
        load_cpu: Of what loads it, and of what it stands in front of.
        all_cpus: For what is measured and has several workers.
    """

    def __init__(self) -> None:
        cpus = sorted(os.sched_getaffinity(0))
        self.measured_cpu, self.load_cpu = str(cpus[0]), str(cpus[-1])
        self.all_cpus = ",".join(map(str, cpus))
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Use until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what runs and remove the folder."""
        with ExitStack() as ending:
            ending.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for process in self._processes.values():
                ending.callback(_wait, process)
            for process in self._processes.values():
                ending.callback(_signal, process, signal.SIGTERM)

    def start(
        self,
        name: str,
        command: Sequence[str],
        port: int,
        cpus: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a process and wait until it listens.

        Raises:
            NotStarted: It does not.
        """
        file = self.folder / f"{name}.log"
        with file.open("wb") as log:
            self._processes[name] = process = subprocess.Popen(
                pinned(cpus, command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=os.environ | dict(environment or {}),
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                said = file.read_text(errors="replace")[-2000:]
                raise NotStarted(f"{name} does not listen on port {port}:\n{said}")
            time.sleep(0.05)

    def stop(self, name: str) -> None:
        """End a process before the others, and wait until it is gone."""
        process = self._processes.pop(name)
        _signal(process, signal.SIGTERM)
        _wait(process)

    def runs(self, name: str) -> bool:
        """Whether a process that was started has not ended by itself."""
        return self._processes[name].poll() is None

    def pids(self, names: Sequence[str]) -> list[int]:
        """Ids of processes that were started, by name."""
        return [self._processes[name].pid for name in names]


def pinned(cpus: str, command: Sequence[str]) -> list[str]:
    """A command that runs on these CPUs alone."""
    return ["taskset", "-c", cpus, *command]


def free_port() -> int:
    """A port on loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # Its group, which it leads since it began a session: nginx's workers are in it too.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait(STOP_S)
