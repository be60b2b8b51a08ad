"""The main process while the gateway serves: what makes it change, and what ends it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from pyproxy.assembly.upstream_tls import TlsKey
from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.admin_desk import CrewBans, open_admin
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.clock_watch import watch_clock
from pyproxy.runtime.crew import Crew
from pyproxy.runtime.inherited import Inherited
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.members import Lost
from pyproxy.runtime.news import tell_done, tell_failed, tell_remarks
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.overview import Overview
from pyproxy.runtime.room import room_for
from pyproxy.runtime.service_manager import NOBODY, ServiceManager
from pyproxy.runtime.signals import Signals
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.startup import Prepared, exposed_while_running, prepare
from pyproxy.runtime.tasks import Tasks, unless
from pyproxy.runtime.watch import FileWatcher, Stamps, stamps_of
from pyproxy.telemetry.bridge import exception_handler
from pyproxy.upstream.tls import ClientTls

Reload = Callable[[], Loaded]
"""Reads the configuration again; blocks, and raises ``ConfigurationError``."""

SETTINGS: Final = "settings"
SECRETS: Final = "secrets"

# How long the logs may take to be written when somebody insists on an end.
_LAST_WORDS_S: Final = 0.5
_NOTHING_IN_FORCE: Mapping[TlsKey, ClientTls] = {}


class Supervisor:
    """Serves a configuration, and whatever it becomes, until told to stop.

    Args:
        loaded: The configuration.
        journal: The logs.
        reload: Reads the configuration again.
        file_limit: Files that a process may have open.
        inherited: Sockets that are there already.
        manager: Told how the gateway fares.
    """

    def __init__(
        self,
        loaded: Loaded,
        journal: Journal,
        reload: Reload,
        file_limit: int,
        inherited: Inherited | None = None,
        manager: ServiceManager = NOBODY,
    ) -> None:
        self._inherited = inherited or Inherited()
        self._manager = manager
        self._loaded = loaded
        self._journal = journal
        self._reload = reload
        self._file_limit = file_limit
        self._blocking = Blocking()
        self._tasks = Tasks(journal.report)
        opening = Opening(self._blocking, self._inherited)
        self._crew = Crew(journal, self._tasks, self._blocking, file_limit, opening)
        self._overview = Overview(self._crew, loaded.settings)
        self._admin = open_admin(
            self._overview, CrewBans(self._crew), journal, self._tasks, self._blocking, opening
        )
        self._asked = asyncio.Event()
        self._asked_for = SECRETS
        self._since: Stamps = {}
        self._remarks: tuple[Fault, ...] = ()
        self._exposed: frozenset[Fault] = frozenset()
        self._watching: asyncio.Task[None] | None = None
        self._watching_clock: asyncio.Task[None] | None = None

    async def run(self, prepared: Prepared) -> None:
        """Serve until SIGTERM or SIGINT, then drain.

        Args:
            prepared: What the configuration's files say.

        Raises:
            ConfigurationError: It cannot be served.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(exception_handler(self._journal.log))
        stop = Signals(loop, self._hurry, partial(self.ask, SETTINGS), self._reopen).stop
        async with self._tasks:
            clock = watch_clock(time.time, time.monotonic, self._tell_step)
            self._watching_clock = self._tasks.start(clock, "clock")
            try:
                if await unless(stop, self._start(prepared)):
                    await unless(stop, self._reload_for_ever())
            finally:
                # Until all are gone it says that they are going.
                self._overview.is_draining = True
                self._inherited.close()
                # Beside the drain, which waits for no service manager.
                farewell = self._manager.stopping(self._loaded.settings.server.drain)
                _ = self._tasks.start(farewell, "service manager")
                await self._crew.end()
                await self._admin.end()

    def ask(self, what: str) -> None:
        """Ask for a reload; one that is under way is followed by one more."""
        if what == SETTINGS or not self._asked.is_set():
            self._asked_for = what
        self._asked.set()

    def _reopen(self) -> None:
        self._journal.reopen()
        self._crew.reopen()

    def _hurry(self) -> None:
        sentence = "told twice to stop: requests are cut"
        self._journal.log.write("warning", "worker.stopped", sentence, {})
        self._crew.kill()
        self._journal.close(time.time(), _LAST_WORDS_S)

    def _tell_step(self, sentence: str, values: Mapping[str, float]) -> None:
        self._journal.log.write("warning", "clock.stepped", sentence, values)

    async def _start(self, prepared: Prepared) -> None:
        try:
            remarks = await self._change(self._loaded, prepared)
        except (Lost, OSError) as exc:
            raise ConfigurationError(Fault("", str(exc))) from exc
        self._overview.began(self._loaded.settings)
        self._in_force(self._loaded, prepared, (), remarks)
        await self._manager.serving(self._status)
        _ = self._tasks.start(self._manager.watch(lambda: self._crew.is_well), "watchdog")

    @property
    def _status(self) -> str:
        binds = ", ".join(each.spec for each in self._crew.listenings)
        workers = len(self._crew.members)
        return f"Serving {binds} with {workers} worker{'s' if workers > 1 else ''}"

    async def _change(self, loaded: Loaded, prepared: Prepared) -> tuple[Fault, ...]:
        """Have the workers and the admin listener serve a configuration, or change nothing.

        Returns:
            What is to be remarked on.

        Raises:
            ConfigurationError: It cannot be served.
            Lost: A worker ended before it was ready.
            OSError: Something is short, or a file cannot be read at the moment.
        """
        remarks = await self._admin.prepare(loaded.settings)
        try:
            await self._crew.change(loaded, prepared)
        except BaseException:
            self._admin.forget()
            raise
        self._admin.commit()
        return remarks

    # A reload

    async def _reload_for_ever(self) -> None:
        while True:
            await self._asked.wait()
            what = self._asked_for
            self._asked.clear()
            if what == SECRETS:
                _ = await self._try_reload(what)
                continue
            await self._manager.reloading()
            problem = await self._try_reload(what)
            await self._manager.serving(f"{self._status}{problem}")

    async def _try_reload(self, what: str) -> str:
        """What came of it, for a person; empty for what was asked for."""
        faults: Sequence[Fault] = ()
        try:
            await self._reload_once(what)
        except ConfigurationError as exc:
            faults = exc.faults
        except (Lost, OSError) as exc:
            faults = (Fault("", str(exc)),)
        except Exception as exc:  # noqa: BLE001 - a fault of ours must not end the gateway
            self._journal.report("reload", exc)
            faults = (Fault("", f"a fault of ours: {type(exc).__name__}"),)
        if not faults:
            return ""
        return self._failed(what, faults)

    async def _reload_once(self, what: str) -> None:
        loaded = await self._load()
        if what == SECRETS and loaded.settings == self._loaded.settings:
            # The same text again: nothing changes but, perhaps, who may read it.
            await self._remark_exposed(loaded)
            return
        local = self._crew.local
        known = local.resources.client_tls if local else _NOTHING_IN_FORCE
        read = partial(prepare, loaded, time.time(), known, is_running=True)
        prepared = await self._blocking.call("configuration", read)
        before = self._crew.listenings
        remarks = await self._change(loaded, prepared)
        self._overview.reloaded(loaded.settings)
        self._in_force(loaded, prepared, before, remarks)
        tell_done(self._journal, "config.reloaded", {"what": what})

    async def _load(self) -> Loaded:
        def read() -> tuple[Stamps, Loaded]:
            return stamps_of(self._loaded.watched), self._reload()

        self._since, loaded = await self._blocking.call("configuration", read)
        return loaded

    def _failed(self, what: str, faults: Sequence[Fault]) -> str:
        # Those that were looked for in vain are watched as before.
        stays = "the old secrets stay" if what == SECRETS else "the old configuration stays"
        self._overview.failed(faults)
        tell_failed(self._journal, "config.reloaded", stays, faults, {"what": what})
        return f"; {stays} in force: {'; '.join(map(str, faults))}"

    def _in_force(
        self,
        loaded: Loaded,
        prepared: Prepared,
        before: Sequence[Listening],
        remarks: Sequence[Fault],
    ) -> None:
        """Say what is new, and watch the files that secrets are read from."""
        self._loaded, self._exposed = loaded, prepared.exposed
        room = room_for(loaded.settings.server, self._file_limit)
        inherited = self._inherited.settle(self._crew.listenings, self._admin.listenings)
        self._remark((*prepared.remarks, *remarks, *room.warnings, *inherited))
        if room.sentence and not before:
            self._journal.log.write("info", "connections.fitted", room.sentence, {})
        after = self._crew.listenings
        is_tls = {group.bind: group.is_tls for group in prepared.groups}
        for each in after:
            if each not in before:
                port = str(each.port) if each.port else ""
                self._journal.log.info(
                    "listener.ready",
                    bind=each.spec,
                    port=port,
                    tls=is_tls[each.spec],
                    inherited=not each.bound,
                )
        for each in before:
            if each not in after:
                self._journal.log.info("listener.closed", bind=each.spec)
        self._watch()

    def _remark(self, remarks: Iterable[Fault]) -> None:
        """Say what is unwise, but for what was said already and has been so ever since."""
        now = tuple(remarks)
        tell_remarks(self._journal, [each for each in now if each not in self._remarks])
        self._remarks = now

    async def _remark_exposed(self, loaded: Loaded) -> None:
        watched = frozenset(map(str, loaded.watched))
        look = partial(exposed_while_running, loaded.settings)
        exposed = await self._blocking.call("permissions", look)
        # Of other files those tell that read them again.
        ours = [each for each in exposed if each.path in watched]
        others = [
            each for each in self._remarks if each not in self._exposed or each.path not in watched
        ]
        self._exposed = frozenset(exposed)
        self._remark((*others, *ours))

    def _watch(self) -> None:
        """Look at the files of the secrets in force, and at no others any more."""
        if self._watching is not None:
            self._watching.cancel()
        watcher = FileWatcher(self._journal.report, self._blocking)
        # Before the start they were read before anybody could look at their state, so
        # they are read once more; the same text changes nothing and is not told.
        watcher.watch("secrets", self._loaded.watched, self._changed, since=self._since)
        self._watching = self._tasks.start(watcher.run(), "secrets watcher")

    async def _changed(self) -> None:
        self.ask(SECRETS)
