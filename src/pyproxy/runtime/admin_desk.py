"""What the admin listener works with, in the main process."""

import time
from collections.abc import Sequence

from pyproxy.admin.desk import AdminDesk
from pyproxy.limits.bans import Ban
from pyproxy.runtime.admin_listener import AdminListener
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.crew import Crew
from pyproxy.runtime.desk import new_ids
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.overview import Overview
from pyproxy.runtime.tasks import Tasks


class CrewBans:
    """Bans, as any one of the workers knows them: they share them."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def in_force(self) -> Sequence[Ban]:
        """See ``BanBook``."""
        return ()

    async def lift(self, client: str) -> bool:
        """See ``BanBook``."""
        del client
        return False


def open_admin(
    overview: Overview, bans: CrewBans, journal: Journal, tasks: Tasks, blocking: Blocking
) -> AdminListener:
    """The admin listener; it listens nowhere yet."""
    desk = AdminDesk(
        gauge=overview,
        window=overview.window,
        bans=bans,
        audit=journal.audit,
        now=time.monotonic,
        wall=time.time,
        new_id=new_ids(),
        report=lambda exc, request_id: journal.log.failure(
            "failure", exc, "admin", request_id=request_id
        ),
    )
    return AdminListener(desk, journal, tasks, blocking, overview.run)
