"""What the admin listener works with, in the main process."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TypeVar

from pyproxy.admin.desk import AdminDesk
from pyproxy.errors.refusal import NoWorker
from pyproxy.limits.bans import Ban
from pyproxy.runtime.admin_listener import AdminListener
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.crew import Crew
from pyproxy.runtime.desk import new_ids
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.members import Lost, Member
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.overview import Overview
from pyproxy.runtime.tasks import Tasks

# A worker answers at once, or something holds it up; another may be asked then.
_PATIENCE_S = 5.0
T = TypeVar("T")


class CrewBans:
    """Bans, as any one of the workers knows them: they share them.

    A worker that does not answer in time is not asked again before it has: its answer
    will come, and must not be taken for that to another question.

    Args:
        crew: The workers.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._asking: set[asyncio.Task[object]] = set()
        self._late: set[Member] = set()

    async def in_force(self) -> Sequence[Ban]:
        """See ``BanBook``."""
        return await self._ask(lambda member: member.bans())

    async def lift(self, client: str) -> bool:
        """See ``BanBook``."""
        return await self._ask(lambda member: member.lift(client))

    async def _ask(self, question: Callable[[Member], Coroutine[object, object, T]]) -> T:
        # Of who is silent an answer is hoped for only where nobody else gives one.
        for member in sorted(self._crew.members, key=lambda each: not each.is_answering):
            if member not in self._late:
                asking = asyncio.get_running_loop().create_task(question(member))
                self._asking.add(asking)
                asking.add_done_callback(partial(self._answered, member))
                # Neither a client that leaves nor impatience ends it.
                await asyncio.wait({asking}, timeout=_PATIENCE_S)
                if not asking.done():
                    self._late.add(member)
                elif asking.exception() is None:
                    return asking.result()
        raise NoWorker

    def _answered(self, member: Member, asking: "asyncio.Task[object]") -> None:
        self._asking.discard(asking)
        self._late.discard(member)
        error = None if asking.cancelled() else asking.exception()
        if error is not None and not isinstance(error, Lost | OSError):
            raise error


def open_admin(
    overview: Overview,
    bans: CrewBans,
    journal: Journal,
    tasks: Tasks,
    blocking: Blocking,
    opening: Opening,
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
        elsewhere=blocking.call,
        report=lambda exc, request_id: journal.log.failure(
            "failure", exc, "admin", request_id=request_id
        ),
    )
    return AdminListener(desk, journal, tasks, opening, overview.run)
