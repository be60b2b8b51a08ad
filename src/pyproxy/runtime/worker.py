"""One process that serves: loop, signals, listeners, drain."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from pyproxy.assembly.build import assemble
from pyproxy.assembly.listeners import Group
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import Loaded, load
from pyproxy.downstream.port import Port
from pyproxy.errors.fault import ConfigurationError
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.handler import Handler
from pyproxy.identity.hashing import BcryptGate
from pyproxy.runtime.acceptor import Acceptor, Admission
from pyproxy.runtime.handshake import CLIENT_LEFT, failed_because
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.loop import new_event_loop
from pyproxy.runtime.preflight import occupy_standard_descriptors, raise_file_limit
from pyproxy.runtime.reloading import Reload, Reloading, files_of
from pyproxy.runtime.remote_keys import remote_key_set
from pyproxy.runtime.room import room_for
from pyproxy.runtime.sockets import Listening, listen
from pyproxy.runtime.startup import prepare
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.tls import ServerTls
from pyproxy.runtime.watch import stamps_of
from pyproxy.telemetry.bridge import exception_handler
from pyproxy.telemetry.log import Level
from pyproxy.telemetry.sparing import SparingLog

# How long the logs may take to be written when somebody insists on an end.
_LAST_WORDS_S = 0.5
_DRAIN_LOOK_S = 0.02


def serve(loaded: Loaded) -> int:
    """Run the gateway until it is told to stop.

    Returns:
        Exit code: 0 after a drain.

    Raises:
        ConfigurationError: It cannot start, with every reason.
    """
    occupy_standard_descriptors()
    prepared = prepare(loaded, time.time())
    reload = partial(load, loaded.path, os.environ, Path.cwd())
    room = room_for(loaded.settings.server, raise_file_limit())
    journal = Journal(loaded.settings.server.log, time.time)
    try:
        listenings = _listen(prepared.groups)
        try:
            for fault in (*prepared.remarks, *room.warnings):
                journal.log.write("warning", "configuration.remark", str(fault), {})
            if room.sentence:
                journal.log.write("info", "connections.fitted", room.sentence, {})
            worker = Worker(
                loaded, prepared.groups, prepared.tls, journal, reload, room.max_connections
            )
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(worker.run(listenings))
            journal.log.info("worker.stopped")
        finally:
            for listening in listenings:
                listening.close()
    finally:
        journal.close(time.time())
    return 0


def _listen(groups: Sequence[Group]) -> list[Listening]:
    listenings: list[Listening] = []
    try:
        for group in groups:
            listenings.append(listen(group.bind))  # noqa: PERF401 - what is open is closed below
    except ConfigurationError:
        for listening in listenings:
            listening.close()
        raise
    return listenings


def new_ids() -> Callable[[], str]:
    """Makes ids that no other process makes: 16 random digits, then a count."""
    prefix, numbers = secrets.token_hex(8), count(1)
    return lambda: f"{prefix}{next(numbers):08x}"


class Worker:
    """The process while it serves.

    Args:
        loaded: The configuration.
        groups: Its listeners.
        tls: Of each group; ``None`` for plain HTTP.
        journal: The logs.
        reload: Reads the configuration again, when a secret's file changed;
            ``None``: secrets stay as they are.
        max_connections: Open at once; ``None``: as the configuration says.
    """

    def __init__(
        self,
        loaded: Loaded,
        groups: Sequence[Group],
        tls: Sequence[ServerTls | None],
        journal: Journal,
        reload: Reload | None = None,
        max_connections: int | None = None,
    ) -> None:
        self._reload = reload
        self._loaded = loaded
        self._max_connections = max_connections or loaded.settings.server.max_connections
        self._groups = groups
        self._tls = tls
        self._journal = journal
        self._trouble = SparingLog(journal.log)

    async def run(self, listenings: Sequence[Listening]) -> None:
        """Serve until SIGTERM or SIGINT, then drain.

        Raises:
            ConfigurationError: The files that the configuration names cannot be served.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(exception_handler(self._journal.log))
        resources = Resources(loop, secrets.token_bytes(32), BcryptGate())
        stop = _stop_signals(loop, self._journal)
        try:
            async with Tasks(self._journal.report) as tasks:
                desk = await self._open(loop, resources, tasks)
                ports = [self._port(desk, tasks, number) for number in range(len(self._groups))]
                accepting = self._accept(ports, listenings, tasks, loop)
                self._say_ready(listenings)
                await stop.wait()
                desk.is_draining = True
                await _stop_accepting(accepting, listenings)
                await self._drain(ports, loop)
        finally:
            await resources.close()

    async def _open(
        self, loop: asyncio.AbstractEventLoop, resources: Resources, tasks: Tasks
    ) -> Desk:
        """Build the gateway, and keep it in step with its files."""
        settings = self._loaded.settings
        journal = self._journal
        remote = remote_key_set(settings.auth.jwt, resources.key_sets, journal, loop)
        since = stamps_of(files_of(settings))
        gateway = assemble(settings, self._groups, resources, remote)
        desk = Desk(
            gateway=gateway,
            loop=loop,
            now=time.monotonic,
            wall=time.time,
            new_id=new_ids(),
            audit=journal.audit,
            access=journal.access,
            report=lambda exc, request_id: journal.log.failure(
                "failure", exc, "", request_id=request_id
            ),
            trouble=self._trouble,
        )
        if remote is not None:
            _ = tasks.start(remote.run(), "key set refresh")
        reloading = Reloading(
            desk,
            self._loaded,
            self._groups,
            resources,
            refresher=remote,
            journal=journal,
            tls=self._tls,
            since=since,
            reload=self._reload,
        )
        _ = tasks.start(reloading.run(), "file watcher")
        return desk

    def _port(self, desk: Desk, tasks: Tasks, number: int) -> Port:
        server = self._loaded.settings.server
        handler = Handler(desk, number)
        return Port(
            serve=handler.serve,
            reject=handler.reject,
            spawn=tasks.start,
            header_timeout=server.header_timeout,
            idle_timeout=server.idle_timeout,
            max_header_size=server.max_header_size,
        )

    def _accept(
        self,
        ports: Sequence[Port],
        listenings: Sequence[Listening],
        tasks: Tasks,
        loop: asyncio.AbstractEventLoop,
    ) -> list["asyncio.Task[None]"]:
        server = self._loaded.settings.server
        admission = Admission(self._max_connections, server.max_connections_per_ip)
        accepting = []
        for port, listening, tls in zip(ports, listenings, self._tls, strict=True):
            acceptor = Acceptor(
                port,
                admission,
                tasks.start,
                loop,
                tls=tls.context if tls else None,
                report=partial(self._say_exhausted, listening.spec),
                turned=partial(self._say_turned, loop, listening.spec),
            )
            accepting += [
                tasks.start(acceptor.run(each), "accepting") for each in listening.sockets
            ]
        return accepting

    def _say_exhausted(self, bind: str, error: OSError) -> None:
        reason = (error.strerror or type(error).__name__).lower()
        sentence = f"no connection can be accepted for the moment: {reason}"
        self._journal.log.write("warning", "listener.exhausted", sentence, {"bind": bind})

    def _say_turned(
        self, loop: asyncio.AbstractEventLoop, bind: str, address: str, error: OSError
    ) -> None:
        reason = failed_because(error)
        # Whoever looks whether the port is open leaves at once, a load balancer every second.
        level: Level = "debug" if reason == CLIENT_LEFT else "info"
        kind = (bind, reason)
        self._trouble.put(
            level, "handshake.failed", loop.time(), kind, bind=bind, ip=address, reason=reason
        )

    def _say_ready(self, listenings: Sequence[Listening]) -> None:
        for group, listening in zip(self._groups, listenings, strict=True):
            port = str(listening.port) if listening.port else ""
            self._journal.log.info("listener.ready", bind=group.bind, port=port, tls=group.is_tls)

    async def _drain(self, ports: Sequence[Port], loop: asyncio.AbstractEventLoop) -> None:
        """Let open requests end, up to ``drain`` seconds; then cut what is left."""
        seconds = self._loaded.settings.server.drain
        self._journal.log.info("worker.draining", seconds=seconds)
        deadline = loop.time() + seconds
        for port in ports:
            port.drain()
        while _are_busy(ports) and (left := deadline - loop.time()) > 0:  # noqa: ASYNC110 - an event would cost every connection
            await asyncio.sleep(min(_DRAIN_LOOK_S, left))
        for port in ports:
            port.abort()


async def _stop_accepting(
    accepting: Sequence["asyncio.Task[None]"], listenings: Sequence[Listening]
) -> None:
    """Refuse connections from now on: who comes while we drain is to try elsewhere."""
    for task in accepting:
        task.cancel()
    await asyncio.gather(*accepting, return_exceptions=True)
    for listening in listenings:
        listening.close()


def _are_busy(ports: Sequence[Port]) -> bool:
    """Whether a request is under way, or an answer not sent in full.

    Connections that only wait for the other side's farewell are not waited for.
    """
    return any(not connection.is_done for port in ports for connection in port.connections)


def _stop_signals(loop: asyncio.AbstractEventLoop, journal: Journal) -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second ends the process at once."""
    stop = asyncio.Event()

    def asked(number: signal.Signals) -> None:
        if stop.is_set():
            # Not a clean exit, requests are cut: who waits for us is to see that.
            sentence = "told twice to stop: requests are cut"
            journal.log.write("warning", "worker.stopped", sentence, {})
            journal.close(time.time(), _LAST_WORDS_S)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)
    # Its default would end the process and cut every stream.
    loop.add_signal_handler(
        signal.SIGHUP,
        journal.log.warning,
        "signal.ignored",
        "SIGHUP does nothing in this version: changed keys, certificates and secrets are noticed",
    )
    return stop
