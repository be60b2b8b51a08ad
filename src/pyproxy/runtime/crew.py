"""All workers together: as many as configured, changed at once, replaced when they die."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from itertools import count, islice
from typing import Final

from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.local_member import LocalMember
from pyproxy.runtime.members import Lost, Member, all_of, workers_of
from pyproxy.runtime.muster import MemberReport, Muster, reports_of
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.process_member import ProcessMember
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.startup import Prepared
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.zone import Zone
from pyproxy.telemetry.report import Report

# Who lived this long did not die of its orders.
_STEADY_S: Final = 60.0
_LONGEST_WAIT_S: Final = 30.0
# Beside what may be under way, for a process to end.
_GRACE_S: Final = 2.0
_MOST_QUESTIONS: Final = 4096

# What may keep a worker from being ready; the rest would be a fault of ours.
UNREADY: Final = (ConfigurationError, Lost, OSError)


class Crew:
    """The workers, and the sockets that they share.

    With one worker there is no other process: it runs in this one.

    Args:
        journal: The logs.
        tasks: Where deaths are waited for.
        blocking: Reads files and resolves names.
        file_limit: Files that this process may have open.
        opening: Opens listeners.

    Attributes:
        loaded: In force; ``None`` before the first ``change``.
        listenings: The listeners in force.
    """

    def __init__(
        self,
        journal: Journal,
        tasks: Tasks,
        blocking: Blocking,
        file_limit: int,
        opening: Opening,
    ) -> None:
        self._opening = opening
        self._journal = journal
        self._tasks = tasks
        self._blocking = blocking
        self._asking = Blocking(timeout_s=2 * 60.0, most=_MOST_QUESTIONS)
        self._file_limit = file_limit
        self._members: list[Member] = []
        self._leaving: list[Member] = []
        self._zone: Zone | None = None
        # Guards who is a member, and what is in force: one change at a time.
        self._lock = asyncio.Lock()
        self._is_ending = False
        self._muster = Muster()
        self.loaded: Loaded | None = None
        self.listenings: tuple[Listening, ...] = ()

    @property
    def local(self) -> LocalMember | None:
        """The worker in this process, if it is the one that serves."""
        return next((each for each in self._members if isinstance(each, LocalMember)), None)

    @property
    def members(self) -> tuple[Member, ...]:
        """Who serves."""
        return tuple(self._members)

    @property
    def is_well(self) -> bool:
        """Somebody serves, and whoever does gave a sign of life in the last seconds."""
        return bool(self._members) and all(each.is_answering for each in self._members)

    def reports(self) -> tuple[MemberReport, ...]:
        """What each worker said last, also those that are about to leave; waits for nobody."""
        return reports_of((*self._members, *self._leaving))

    @property
    def retired(self) -> Report:
        """What workers counted that have ended, and this process itself; add it to ``reports``."""
        return self._muster.total_past(self._journal.lost_total)

    # A change

    async def change(self, loaded: Loaded, prepared: Prepared) -> None:
        """Have every worker serve a configuration, or change nothing.

        Args:
            loaded: The configuration.
            prepared: What its files say.

        Raises:
            ConfigurationError: It cannot be served.
            Lost: A worker ended before it was ready.
            OSError: Something is short, or a file cannot be read at the moment.
        """
        async with self._lock:
            binds = (group.bind for group in prepared.groups)
            listenings = await self._opening.listen_on_all(binds, self.listenings)
            newcomers: list[Member] = []
            kept = self._kept(loaded)
            try:
                await self._hire(loaded, len(kept), newcomers)
                await self._prepare([*kept, *newcomers], loaded, listenings, prepared)
            except BaseException:
                for each in newcomers:
                    each.kill()
                for listening in listenings:
                    if listening not in self.listenings:
                        listening.close()
                raise
            await self._commit(loaded, listenings, kept, newcomers)

    def _kept(self, loaded: Loaded) -> list[Member]:
        wanted = workers_of(loaded.settings.server)
        is_local = wanted == 1
        fit = [each for each in self._members if isinstance(each, LocalMember) == is_local]
        return fit[:wanted]

    async def _hire(self, loaded: Loaded, kept: int, newcomers: list[Member]) -> None:
        """Fill up to as many as are wanted; they are not members yet."""
        wanted = workers_of(loaded.settings.server)
        if wanted > 1 and self._zone is None:
            self._zone = Zone.create()
        taken = {each.slot for each in (*self._members, *self._leaving)}
        free = (slot for slot in count() if slot not in taken)
        for slot in islice(free, wanted - kept):
            member = await self._new_member(slot, wanted)
            newcomers.append(member)

    async def _new_member(self, slot: int, wanted: int) -> Member:
        if wanted == 1 or self._zone is None:
            return LocalMember(slot, self._journal, self._blocking, self._file_limit, self._zone)
        return await ProcessMember.spawn(slot, self._zone, self._asking)

    async def _prepare(
        self,
        members: Sequence[Member],
        loaded: Loaded,
        listenings: Sequence[Listening],
        prepared: Prepared,
    ) -> None:
        """First of two steps; any fault undoes it for all."""
        log = loaded.settings.server.log
        try:
            await self._blocking.call("logs", partial(self._journal.prepare, log))
            await all_of(each.prepare(loaded, listenings, prepared) for each in members)
        except Exception:
            self._journal.forget()
            await asyncio.gather(*(each.forget() for each in members), return_exceptions=True)
            raise

    async def _commit(
        self,
        loaded: Loaded,
        listenings: tuple[Listening, ...],
        kept: Sequence[Member],
        newcomers: Sequence[Member],
    ) -> None:
        """Second of two steps; who dies now is replaced by one that serves the same."""
        # Who died after being ready was taken off already, and must not come back.
        kept = [each for each in kept if each in self._members]
        local = self.local
        if local not in kept and local is not None and self._zone is not None:
            local.hand_over(self._zone)
        surplus = [each for each in self._members if each not in kept]
        removed = [each for each in self.listenings if each not in listenings]
        self._members = [*kept, *newcomers]
        self._leaving += surplus
        self.loaded, self.listenings = loaded, listenings
        self._journal.commit()
        self._muster.count_users(loaded.settings.metrics.users)
        for each in newcomers:
            self._tend_soon(each, 0.0)
        # The new ones first, so that there is always somebody who accepts.
        for members in (newcomers, kept):
            await self._all_even_so(each.commit() for each in members)
        for listening in removed:
            listening.close()
        seconds = loaded.settings.server.drain
        await self._all_even_so(each.leave(seconds) for each in surplus)

    async def _all_even_so(self, works: Iterable[Coroutine[object, object, None]]) -> None:
        for outcome in await asyncio.gather(*works, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, Lost):
                self._journal.report("worker", outcome)

    # Deaths

    def _tend_soon(self, member: Member, wait_s: float) -> None:
        if isinstance(member, ProcessMember):
            self._journal.log.info("worker.started", slot=member.slot, pid=member.pid)
        _ = self._tasks.start(self._tend(member, wait_s), "worker")

    async def _tend(self, member: Member, wait_s: float) -> None:
        """Wait for a worker's end, and see to a replacement if nobody asked for it.

        Args:
            member: The worker.
            wait_s: Before another is started, should this one not live long.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        how = await member.ended()
        if self._zone is not None:
            self._zone.free(member.slot)
        if self._is_ending:
            return
        # At once, and with nothing awaited until it is off the list: neither missing nor twice.
        self._muster.strike_off(member)
        if member in self._leaving:
            self._leaving.remove(member)
            return
        self._members.remove(member)
        self._muster.deaths += 1
        self._journal.log.warning(
            "worker.ended", how or "it was told to", slot=member.slot, pid=member.pid
        )
        await self._replace(0.0 if loop.time() - started >= _STEADY_S else wait_s)

    async def _replace(self, wait_s: float) -> None:
        while not self._is_ending:
            await asyncio.sleep(wait_s)
            wait_s = min(_LONGEST_WAIT_S, max(1.0, 2 * wait_s))
            try:
                await self._fill_up(wait_s)
            except UNREADY as exc:
                sentence = f"no worker could be started in place of one that ended: {exc}"
                self._journal.log.write("error", "worker.failed", sentence, {})
            else:
                return

    async def _fill_up(self, wait_s: float) -> None:
        async with self._lock:
            loaded = self.loaded
            if loaded is None or len(self._members) >= workers_of(loaded.settings.server):
                return
            newcomers: list[Member] = []
            try:
                await self._hire(loaded, len(self._members), newcomers)
                for each in newcomers:
                    await each.prepare(loaded, self.listenings, None)
                    await each.commit()
            except BaseException:
                for each in newcomers:
                    each.kill()
                raise
            self._members += newcomers
            for each in newcomers:
                self._tend_soon(each, wait_s)

    async def end(self) -> None:
        """Drain all workers, for as long as the configuration says, then cut."""
        self._is_ending = True
        for listening in self.listenings:
            listening.close()
        if self.loaded is None:
            return
        seconds = self.loaded.settings.server.drain
        everyone = [*self._members, *self._leaving]
        await asyncio.gather(*(each.end(seconds) for each in everyone))
        self._journal.log.info("worker.draining", seconds=seconds)
        ends = [asyncio.ensure_future(each.ended()) for each in everyone]
        if ends:
            _, late = await asyncio.wait(ends, timeout=seconds + _GRACE_S)
            for end in late:
                end.cancel()
        self.kill()

    def reopen(self) -> None:
        """Have every worker let go of log files that were moved away; also within a signal."""
        for each in (*self._members, *self._leaving):
            each.reopen()

    def kill(self) -> None:
        """End every worker at once."""
        for each in (*self._members, *self._leaving):
            each.kill()
