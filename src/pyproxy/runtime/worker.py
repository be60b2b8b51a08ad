"""One process's share of the serving: a gateway in force, its listeners, its files."""

import asyncio
import resource
import time
from dataclasses import replace
from functools import partial

from pyproxy.assembly.build import draft
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import Loaded
from pyproxy.config.proxy import Proxy
from pyproxy.config.settings import Settings
from pyproxy.gateway.desk import Desk
from pyproxy.identity.networks import Networks
from pyproxy.limits.bans import Bans
from pyproxy.limits.occupancy import MemoryOccupancy, Occupancy
from pyproxy.runtime.acceptor import Admission
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.desk import open_desk
from pyproxy.runtime.following import Following, RemoteKeys
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.listener import Listener, Terms
from pyproxy.runtime.orders import Orders
from pyproxy.runtime.reloading import Reloading
from pyproxy.runtime.room import room_for
from pyproxy.runtime.sharing import Sharing
from pyproxy.runtime.startup import Prepared, prepare as read_files
from pyproxy.runtime.states import report_of
from pyproxy.runtime.tasks import Tasks
from pyproxy.telemetry.report import Report
from pyproxy.telemetry.sparing import SparingLog


class Worker:
    """Serves what it is told, and goes over to something else without a gap.

    A change has two steps, so that several workers make it together or not at
    all: ``prepare`` does whatever can fail and changes nothing, ``commit`` only
    assigns. Connections, buckets and whatever is remembered stay.

    Args:
        journal: The logs.
        tasks: Ended by its owner, after ``finish``.
        resources: What outlives a change; closed by ``close``.
        blocking: Reads files.
        file_limit: Files that this process may have open.
        under_way: Counts requests, where a route limits them.
    """

    def __init__(
        self,
        journal: Journal,
        tasks: Tasks,
        resources: Resources,
        blocking: Blocking,
        *,
        file_limit: int = resource.RLIM_INFINITY,
        under_way: Occupancy | None = None,
    ) -> None:
        self._journal = journal
        self._tasks = tasks
        self._resources = resources
        self._blocking = blocking
        self._file_limit = file_limit
        self._under_way = MemoryOccupancy() if under_way is None else under_way
        self._trouble = SparingLog(journal.log)
        self._sharing = Sharing(resources, tasks, journal)
        self._admission = Admission(1, 0)
        self._desk: Desk | None = None
        self._loaded: Loaded | None = None
        self._prepared: Prepared | None = None
        self._remote: RemoteKeys | None = None
        self._next: Following | None = None
        self._listeners: dict[str, Listener] = {}
        self._retiring: set[Listener] = set()
        self._reloading: Reloading | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    # A change

    async def prepare(self, orders: Orders, prepared: Prepared | None = None) -> None:
        """Do whatever a change takes, but change nothing.

        Args:
            orders: Its sockets belong to the worker from now on.
            prepared: What the files say, if that is known.

        Raises:
            ConfigurationError: It cannot be served, with every reason.
            TimeoutError: A file cannot be read at the moment.
        """
        self.forget()
        try:
            if prepared is None:
                known = self._resources.client_tls
                read = partial(read_files, orders.loaded, time.time(), known, is_running=True)
                prepared = await self._blocking.call("configuration", read)
            settings = orders.loaded.settings
            # What is being made ready now must not be built for another configuration.
            self._stop_upkeep()
            remote = self._remote_for(settings)
            shared = self._sharing.made_for(settings.store)
            before = self._desk.gateway.authenticator if self._desk else None
            ready = draft(
                settings,
                prepared.groups,
                self._resources,
                prepared.sources,
                refresher=remote,
                authenticator=before if self._remembers_by(settings) else None,
                shared=shared,
            )
        except BaseException:
            orders.close()
            self._start_upkeep()
            raise
        self._next = Following(orders, prepared, ready, remote, shared)

    def forget(self) -> None:
        """Give up what was prepared, if anything was."""
        if self._next is not None:
            self._next.orders.close()
            self._next = None
            self._start_upkeep()

    def commit(self) -> None:
        """Put in force what was prepared."""
        following, self._next = self._next, None
        if following is None:
            raise RuntimeError("nothing was prepared")
        before = self._desk
        self._sharing.replace(following.shared)
        gateway = following.draft.put_in_force(self._resources)
        settings = following.orders.loaded.settings
        if before is None:
            desk = last = open_desk(
                gateway, self._journal, self._trouble, self._under_way, self._sharing.bans
            )
            _ = self._tasks.start(self._resources.watch(self._journal.log), "health checks")
        else:
            desk, last = before, replace(before)
            desk.gateway, desk.access = gateway, self._journal.access
            desk.bans = self._sharing.bans
        self._desk, self._loaded = desk, following.orders.loaded
        self._prepared = following.prepared
        desk.counts.count_users(settings.metrics.users)
        room = room_for(settings.server, self._file_limit)
        self._admission.resize(room.max_connections, settings.server.max_connections_per_ip)
        self._replace_listeners(following, desk, last)
        self._replace_remote(following.remote)
        self._reloading = Reloading(
            desk,
            following.orders.loaded,
            following.prepared,
            self._resources,
            self._journal,
            self._blocking,
            following.shared,
        )
        self._start_upkeep()

    # The end

    async def stop(self) -> None:
        """Accept no more; whoever else has the sockets goes on."""
        await asyncio.gather(*(each.stop() for each in self._all_listeners()))

    async def finish(self, seconds: float, *, is_hasty: bool) -> None:
        """Accept no more, and let what is under way end.

        May be called again, in haste, while it runs.

        Args:
            seconds: After these, what is left is cut.
            is_hasty: Connections without a request are closed at once, because nobody
                will serve here any more; otherwise each may ask once more.
        """
        await self.stop()
        listeners = self._all_listeners()
        if is_hasty and self._desk is not None:
            self._desk.is_draining = True
        for each in listeners:
            if is_hasty:
                each.drain()
            else:
                each.leave()
        await asyncio.gather(*(each.quiet(seconds) for each in listeners))
        for each in listeners:
            each.cut()

    def _all_listeners(self) -> list[Listener]:
        return [*self._listeners.values(), *self._retiring]

    async def close(self) -> None:
        """End what still runs; after ``finish``, and after its tasks were closed."""
        self._reloading = None
        self.forget()
        await self._resources.close()

    @property
    def bans(self) -> Bans:
        """Who is shut out."""
        return self._sharing.bans

    def report(self) -> Report:
        """What is counted, and what is so now."""
        desk, prepared = self._desk, self._prepared
        if desk is None or prepared is None:
            return Report()
        connections = sum(each.connections for each in self._all_listeners())
        refused = self._reloading.refused if self._reloading else ()
        return report_of(
            desk, prepared, self._resources, self._sharing, self._remote, connections, refused
        )

    # Parts of a change

    def _remembers_by(self, settings: Settings) -> bool:
        """Whether what was verified before would be verified now."""
        old = settings if self._loaded is None else self._loaded.settings
        is_same = old.auth.jwt == settings.auth.jwt and old.store == settings.store
        return is_same and old.auth.cache_ttl == settings.auth.cache_ttl

    def _remote_for(self, settings: Settings) -> RemoteKeys | None:
        jwt = settings.auth.jwt
        if not jwt.remote:
            return None
        if self._loaded is not None and self._loaded.settings.auth.jwt.remote == jwt.remote:
            return self._remote
        # It brings aiohttp, which is 12 MB a process, and few need it.
        from pyproxy.runtime.remote_keys import remote_key_set  # noqa: PLC0415 - see above

        return remote_key_set(
            jwt, self._resources.key_sets, self._journal, self._resources.loop, self._proxy_for
        )

    def _proxy_for(self, host: str, port: int) -> Proxy | None:
        """The way to a key set, as the configuration in force has it: the set outlives it."""
        return self._loaded.settings.egress.proxy_for(host, port) if self._loaded else None

    def _replace_listeners(self, following: Following, desk: Desk, last: Desk) -> None:
        server = following.orders.loaded.settings.server
        trusted = Networks(server.trusted_proxies)
        old, self._listeners = self._listeners, {}
        for group, tls in zip(following.prepared.groups, following.prepared.tls, strict=True):
            terms = Terms(
                server,
                tls.context if tls else None,
                trusted if group.proxy_protocol else None,
            )
            sockets = following.orders.sockets[group.bind]
            listener = old.pop(group.bind, None)
            if listener is None:
                listener = Listener(
                    group.bind, sockets, terms, desk, self._admission, self._tasks,
                    self._journal.log,
                )  # fmt: skip
                listener.start()
            else:
                listener.renew(terms)
                for each in sockets:
                    each.close()
            self._listeners[group.bind] = listener
        for listener in old.values():
            self._retiring.add(listener)
            _ = self._tasks.start(self._retire(listener, last, server.drain), "removed listener")

    async def _retire(self, listener: Listener, last: Desk, seconds: float) -> None:
        await listener.retire(last, seconds)
        self._retiring.discard(listener)

    def _replace_remote(self, remote: RemoteKeys | None) -> None:
        if remote is self._remote:
            return
        if self._refreshing is not None:
            self._refreshing.cancel()
            self._refreshing = None
        # Whom the operator trusts no more is not trusted until the new source has answered.
        self._resources.key_sets.replace_remote(None)
        self._remote = remote
        if remote is not None:
            self._refreshing = self._tasks.start(remote.run(), "key set refresh")

    def _start_upkeep(self) -> None:
        """Keep what is in force in step with its files."""
        if self._reloading is not None and self._upkeep is None:
            self._upkeep = self._tasks.start(self._reloading.run(), "file watcher")

    def _stop_upkeep(self) -> None:
        if self._upkeep is not None:
            self._upkeep.cancel()
            self._upkeep = None
