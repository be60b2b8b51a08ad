"""Where operators ask: bound by the main process, whoever serves the clients."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from pyproxy.admin.desk import AdminDesk
from pyproxy.config.server import ServerSettings
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.acceptor import Admission
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.opening import Opening
from pyproxy.runtime.reception import Reception, Terms
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.tasks import Tasks
from pyproxy.telemetry.sparing import SparingLog

# A browser takes six, a scraper one; whatever holds more waits in the backlog.
_MOST_CONNECTIONS = 256
# Further ones of the same address are closed, so that it keeps nobody else out.
_MOST_OF_ONE = 128
# For the answers that were begun when the process ends.
_FAREWELL_S = 0.5
_PLACE = "server.admin"
_DO = "; there is no admin listener: set server.admin to another address"


@dataclass(frozen=True, slots=True)
class _Next:
    """What is ready to come into force.

    Attributes:
        server: Its settings.
        listening: Perhaps the one in force; ``None``: nobody is to listen.
    """

    server: ServerSettings
    listening: Listening | None


class AdminListener:
    """The admin listener in force, or none; goes over to another without a gap.

    As with workers a change has two steps: ``prepare`` does whatever can fail.

    Args:
        desk: What its handler works with.
        journal: The logs.
        tasks: Where it serves.
        opening: Opens listeners.
        upkeep: Runs for as long as anybody listens.
    """

    def __init__(
        self,
        desk: AdminDesk,
        journal: Journal,
        tasks: Tasks,
        opening: Opening,
        upkeep: Callable[[], Coroutine[object, object, None]],
    ) -> None:
        self._desk = desk
        self._journal = journal
        self._tasks = tasks
        self._opening = opening
        self._admission = Admission(_MOST_CONNECTIONS, _MOST_OF_ONE)
        self._trouble = SparingLog(journal.log)
        self._listening: Listening | None = None
        self._reception: Reception | None = None
        self._departing: set[Reception] = set()
        self._next: _Next | None = None
        self._upkeep = upkeep
        self._keeping: asyncio.Task[None] | None = None

    @property
    def listenings(self) -> tuple[Listening, ...]:
        """The one in force, or none."""
        return () if self._listening is None else (self._listening,)

    async def prepare(self, settings: Settings) -> tuple[Fault, ...]:
        """Listen where ``settings`` say, but change nothing yet.

        An address that nobody asked for, since it is the default, may be taken: who runs
        a second gateway on a machine need not know of it before that one serves.

        Returns:
            What is to be remarked on.

        Raises:
            ConfigurationError: The address cannot be listened on.
            TimeoutError: Its name cannot be resolved at the moment.
        """
        self.forget()
        server = settings.server
        remarks: tuple[Fault, ...] = ()
        try:
            listening = await self._listen(settings)
        except ConfigurationError as exc:
            if server.is_admin_written:
                raise
            listening, remarks = None, tuple(Fault(f.path, f.problem + _DO) for f in exc.faults)
        self._next = _Next(server, listening)
        return remarks

    async def _listen(self, settings: Settings) -> Listening | None:
        """The listener in force, if it is to stay, or another."""
        spec = settings.server.admin
        if not spec:
            return None
        if self._listening is not None and self._listening.spec == spec:
            return self._listening
        if settings.is_admin_met:  # which would listen there next, and find it taken
            raise ConfigurationError(Fault(_PLACE, f"{spec} is the address of a listener too"))
        try:
            return await self._opening.listen(spec)
        except ConfigurationError as exc:
            raise ConfigurationError(
                *(Fault(_PLACE, f"{spec} {each.problem}") for each in exc.faults)
            ) from exc

    def forget(self) -> None:
        """Give up what was prepared, if anything was."""
        following, self._next = self._next, None
        if following and following.listening and following.listening is not self._listening:
            following.listening.close()

    def commit(self) -> None:
        """Put in force what was prepared."""
        following, self._next = self._next, None
        if following is None:
            raise RuntimeError("nothing was prepared")
        self._desk.guard.renew(following.server.admin_token)
        terms = Terms(following.server, None, None)
        if following.listening is self._listening:
            if self._reception is not None:
                self._reception.renew(terms)
            return
        self._leave(following.server.drain)
        self._listening = following.listening
        if following.listening is None:
            self._stop_upkeep()
        else:
            self._serve(following.listening, terms)

    async def end(self) -> None:
        """Accept no more, and close; an answer that was begun has a moment to end."""
        self.forget()
        self._stop_upkeep()
        if self._listening is not None:
            self._listening.close()
        receptions = tuple(self._departing)
        if self._reception is not None:
            receptions += (self._reception,)
        for each in receptions:
            await each.stop()
            each.drain()
        await asyncio.gather(*(each.quiet(_FAREWELL_S) for each in receptions))
        for each in receptions:
            each.cut()

    def _serve(self, listening: Listening, terms: Terms) -> None:
        # It brings prometheus-client, which takes 30 ms that other commands need not wait.
        from pyproxy.admin.handler import AdminHandler  # noqa: PLC0415 - see above

        self._reception = Reception(
            listening.spec,
            tuple(each.dup() for each in listening.sockets),
            terms,
            AdminHandler(self._desk),
            self._admission,
            self._tasks,
            self._journal.log,
            self._trouble,
        )
        self._reception.start()
        if self._keeping is None:
            self._keeping = self._tasks.start(self._upkeep(), "overview")
        port = str(listening.port) if listening.port else ""
        self._journal.log.info("admin.ready", bind=listening.spec, port=port)

    def _leave(self, seconds: float) -> None:
        """Let whoever asks at the old address have his answer."""
        if self._reception is not None and self._listening is not None:
            self._listening.close()
            self._journal.log.info("admin.closed", bind=self._listening.spec)
            self._departing.add(self._reception)
            departure = self._depart(self._reception, seconds)
            _ = self._tasks.start(departure, "removed admin listener")
        self._reception = None

    async def _depart(self, reception: Reception, seconds: float) -> None:
        await reception.depart(seconds)
        self._departing.discard(reception)

    def _stop_upkeep(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
