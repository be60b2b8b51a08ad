"""What the handler needs beside the gateway, and what outlives every reload."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pyproxy.gateway.gateway import Gateway
from pyproxy.limits.bans import Bans
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.limits.occupancy import MemoryOccupancy, Occupancy
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.counts import Counts
from pyproxy.telemetry.sparing import SparingLog


@dataclass(slots=True)
class Desk:
    """The worker's side of the gateway.

    Attributes:
        gateway: In force; replaced by one assignment.
        loop: The worker's.
        now: Monotonic seconds, finer than the loop's.
        wall: Epoch seconds.
        new_id: Makes request ids and token ids, never the same twice.
        audit: Takes security events.
        access: Takes a record a request; ``None`` where no access log is wanted.
        report: Takes an exception that is a fault of ours, with its request id.
        trouble: Takes what goes wrong with others; ``None``: nobody wants to know.
        is_draining: The worker is about to stop.
        under_way: Requests under way by user and route, where a route limits them.
        counts: What is counted of all requests.
        bans: Addresses that are shut out.
    """

    gateway: Gateway
    loop: asyncio.AbstractEventLoop
    now: Callable[[], float]
    wall: Callable[[], float]
    new_id: Callable[[], str]
    audit: AuditLog
    access: AccessLog | None
    report: Callable[[BaseException, str], None]
    trouble: SparingLog | None = None
    is_draining: bool = False
    under_way: Occupancy = field(default_factory=MemoryOccupancy)
    counts: Counts = field(default_factory=Counts)
    bans: Bans = field(default_factory=MemoryBans)
