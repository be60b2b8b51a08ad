"""One process that serves: loop, signals, listeners, drain."""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from pyproxy.assembly.build import assemble
from pyproxy.assembly.listeners import Group, group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import Loaded
from pyproxy.downstream.connection import Port
from pyproxy.errors.fault import ConfigurationError
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.handler import Handler
from pyproxy.identity.hashing import BcryptGate
from pyproxy.runtime.acceptor import Acceptor, Admission
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.loop import new_event_loop
from pyproxy.runtime.preflight import Ground, raise_file_limit, too_few_files, weak_ground
from pyproxy.runtime.reloading import Reloading
from pyproxy.runtime.remote_keys import remote_key_set
from pyproxy.runtime.sockets import Listening, listen
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.tls import CertificateFiles, ServerTls, TlsRules
from pyproxy.telemetry.bridge import exception_handler

_GRACE_S = 1.0  # for connections to notice that they were aborted


def serve(loaded: Loaded) -> int:
    """Run the gateway until it is told to stop.

    Returns:
        Exit code: 0 after a drain.

    Raises:
        ConfigurationError: It cannot start, with every reason.
    """
    faults = weak_ground(Ground.current())
    if faults:
        raise ConfigurationError(*faults)
    groups = group_listeners(loaded.settings.listeners)
    tls = [_server_tls(group) for group in groups]
    remark = too_few_files(raise_file_limit(), loaded.settings.server.max_connections)
    journal = Journal(loaded.settings.server.log, time.time)
    try:
        listenings = _listen(groups)
        try:
            for fault in loaded.remarks + ((remark,) if remark else ()):
                journal.log.warning("configuration.remark", str(fault))
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(Worker(loaded, groups, tls, journal).run(listenings))
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


def _server_tls(group: Group) -> ServerTls | None:
    if not group.is_tls:
        return None
    first = group.listeners[0]
    files = [
        CertificateFiles(Path(each.certificate), Path(each.private_key)) for each in group.listeners
    ]
    client_ca = Path(first.client_ca) if first.client_ca else None
    return ServerTls.load(files, TlsRules(first.min_version, client_ca))


def new_ids() -> Callable[[], str]:
    """Makes ids that no other process makes: 16 random digits, then a count."""
    prefix, numbers = secrets.token_hex(8), count(1)
    return lambda: f"{prefix}{next(numbers):08x}"


class Worker:
    """The process while it serves."""

    def __init__(
        self,
        loaded: Loaded,
        groups: Sequence[Group],
        tls: Sequence[ServerTls | None],
        journal: Journal,
    ) -> None:
        self._loaded = loaded
        self._groups = groups
        self._tls = tls
        self._journal = journal

    async def run(self, listenings: Sequence[Listening]) -> None:
        """Serve until SIGTERM or SIGINT, then drain.

        Raises:
            ConfigurationError: The files that the configuration names cannot be served.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(exception_handler(self._journal.log))
        resources = Resources(loop, secrets.token_bytes(32), BcryptGate())
        stop = _stop_signals(loop)
        try:
            async with Tasks(self._journal.report) as tasks:
                desk = await self._open(loop, resources, tasks)
                ports = [self._port(desk, tasks, number) for number in range(len(self._groups))]
                accepting = self._accept(ports, listenings, tasks, loop)
                self._say_ready(listenings)
                await stop.wait()
                for task in accepting:
                    task.cancel()
                desk.is_draining = True
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
        )
        if remote is not None:
            _ = tasks.start(remote.run(), "key set refresh")
        reloading = Reloading(
            desk, self._loaded, self._groups, self._tls, resources, remote, journal
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
        admission = Admission(server.max_connections, server.max_connections_per_ip)
        accepting = []
        for port, listening, tls in zip(ports, listenings, self._tls, strict=True):
            acceptor = Acceptor(port, admission, tasks.start, loop, tls.context if tls else None)
            accepting += [
                tasks.start(acceptor.run(each), "accepting") for each in listening.sockets
            ]
        return accepting

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
        while any(port.connections for port in ports) and loop.time() < deadline:
            await asyncio.sleep(min(0.02, max(0.0, deadline - loop.time())))
        for port in ports:
            port.abort()


def _stop_signals(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second ends the process at once."""
    stop = asyncio.Event()

    def asked() -> None:
        if stop.is_set():
            # Not a clean exit: requests were cut.
            sys.stdout.flush()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    return stop
