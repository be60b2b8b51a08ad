"""What the admin listener shows, at a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pyproxy.config.settings import Settings
from pyproxy.limits.bans import Ban
from pyproxy.telemetry.report import Report

Result = Literal["ok", "failed", "none"]
"""How the last reload ended; ``none``: there was none."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker.

    Attributes:
        slot: Its place among the workers.
        pid: Of its process.
        uptime_s: Seconds since it was started.
        connections: Open ones of clients, as it said last.
        is_answering: It told of itself when it was asked.
    """

    slot: int
    pid: int
    uptime_s: float
    connections: int
    is_answering: bool


@dataclass(frozen=True, slots=True)
class Reload:
    """The last reload.

    Attributes:
        at: Epoch seconds; of the start where there was none.
        result: How it ended.
        faults: Why it changed nothing, if so; a sentence each, without any value that may be
            secret.
    """

    at: float
    result: Result = "none"
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole gateway at a moment.

    Attributes:
        wall: When, epoch seconds.
        started_at: Of the main process, epoch seconds.
        is_draining: It was told to stop.
        settings: In force.
        workers: In order.
        report: Of all workers together, those that are gone among them.
        reload: The last one.
        reloads: How many there were, by their result: ``ok`` and ``failed``.
        in_force_since: When the configuration in force was put there, epoch seconds.
    """

    wall: float
    started_at: float
    is_draining: bool
    settings: Settings
    workers: Sequence[WorkerState]
    report: Report
    reload: Reload
    reloads: Mapping[str, int]
    in_force_since: float


class Gauge(Protocol):
    """Looks at the gateway for whoever asks the admin listener."""

    def look(self) -> Snapshot:
        """What is so now, or was a moment ago; the same object as long as nothing is newer."""
        ...


class BanBook(Protocol):
    """Who is shut out, wherever that is written.

    Both raise ``NoWorker`` where none answers.
    """

    async def in_force(self) -> Sequence[Ban]:
        """All bans, the one that ends last first."""
        ...

    async def lift(self, client: str) -> bool:
        """Let a client in again; whether it was banned. Written as `limit.network` does."""
        ...
