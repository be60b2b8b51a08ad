"""The desk of a worker: the gateway, and the clocks, logs and ids beside it."""

import asyncio
import secrets
import time
from collections.abc import Callable
from itertools import count

from pyproxy.gateway.desk import Desk
from pyproxy.gateway.gateway import Gateway
from pyproxy.limits.bans import Bans
from pyproxy.limits.occupancy import Occupancy
from pyproxy.runtime.journal import Journal
from pyproxy.telemetry.sparing import SparingLog


def new_ids() -> Callable[[], str]:
    """Makes ids that no other process makes: 16 random digits, then a count."""
    prefix, numbers = secrets.token_hex(8), count(1)
    return lambda: f"{prefix}{next(numbers):08x}"


def open_desk(
    gateway: Gateway, journal: Journal, trouble: SparingLog, under_way: Occupancy, bans: Bans
) -> Desk:
    """The desk of the worker on the running loop.

    Args:
        gateway: The first one.
        journal: The logs.
        trouble: Takes what goes wrong with others.
        under_way: Counts requests, where a route limits them.
        bans: Addresses that are shut out.
    """
    return Desk(
        gateway=gateway,
        loop=asyncio.get_running_loop(),
        now=time.monotonic,
        wall=time.time,
        new_id=new_ids(),
        audit=journal.audit,
        access=journal.access,
        report=lambda exc, request_id: journal.log.failure(
            "failure", exc, "", request_id=request_id
        ),
        trouble=trouble,
        under_way=under_way,
        bans=bans,
    )
