"""A worker in a process of its own, seen from the main process."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final

from pyproxy.config.load import Loaded
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.limits.bans import Ban
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.link import Link
from pyproxy.runtime.members import Lost
from pyproxy.runtime.orders import Commit, Forget, Leave, LiftBan, ListBans, Prepare
from pyproxy.runtime.reports import ReportReceiver
from pyproxy.runtime.sockets import Listening
from pyproxy.runtime.startup import Prepared
from pyproxy.runtime.zone import Zone
from pyproxy.telemetry.report import Report

MODULE: Final = "pyproxy.runtime.process"
# An answer that takes longer than what it may take to read files.
_ANSWER_S: Final = 60.0
# Several reports late: it is stopped, or something holds up its loop.
_SILENT_S: Final = 5.0
# For what a worker that has ended said last, which is here already.
_LAST_REPORT_S: Final = 1.0


class ProcessMember:
    """A worker in a process of its own.

    Args:
        slot: Its place in the shared memory.
        process: The process.
        link: To it.
        reports: From it.
        asking: Waits for its answers.
    """

    def __init__(
        self,
        slot: int,
        process: "subprocess.Popen[bytes]",
        link: Link,
        reports: ReportReceiver,
        asking: Blocking,
    ) -> None:
        self.slot = slot
        self.pid = process.pid
        self.since = time.time()
        self._process = process
        self._link = link
        self._reports = reports
        self._asking = asking
        self._turn = asyncio.Lock()
        self._is_ending = False
        self._over = asyncio.Event()
        over = partial(asyncio.get_running_loop().call_soon_threadsafe, self._over.set)
        threading.Thread(target=_await_end, args=(process, over), daemon=True).start()

    @classmethod
    async def spawn(cls, slot: int, zone: Zone, asking: Blocking) -> "ProcessMember":
        """Start one; it knows nothing yet.

        Raises:
            Lost: There is no room for another process.
        """
        with ExitStack() as theirs, ExitStack() as ours:
            try:
                link, its_link = _pair(ours, theirs)
                link.settimeout(_ANSWER_S)
                reports, its_reports = _pair(ours, theirs)
                descriptors = (its_link.fileno(), its_reports.fileno(), zone.fd)
                arguments = map(str, (*descriptors, slot))
                command = [sys.executable, "-P", "-m", MODULE, *arguments]
                receiver = await ReportReceiver.over(reports)
                process = await asking.call("worker", partial(_start, command, descriptors))
            except OSError as exc:
                raise Lost(f"worker {slot} could not be started: {exc.strerror or exc}") from exc
            ours.pop_all()
        return cls(slot, process, Link(link), receiver, asking)

    @property
    def is_answering(self) -> bool:
        """See ``Member``."""
        return asyncio.get_running_loop().time() - self._reports.heard_at < _SILENT_S

    def report(self) -> Report:
        """See ``Member``."""
        return self._reports.newest

    async def prepare(
        self, loaded: Loaded, listenings: Sequence[Listening], prepared: Prepared | None
    ) -> None:
        """See ``Member``; the worker reads the files itself."""
        del prepared
        message, descriptors = Prepare.of(loaded, listenings)
        if faults := _faults(await self._ask(message, descriptors)):
            raise ConfigurationError(*faults)

    async def commit(self) -> None:
        """See ``Member``; one that cannot is neither here nor there, and is replaced."""
        if await self._ask(Commit()):
            self.kill()

    async def forget(self) -> None:
        """See ``Member``."""
        await self._ask(Forget())

    async def bans(self) -> tuple[Ban, ...]:
        """See ``Member``."""
        answer = await self._ask(ListBans())
        return tuple(each for each in answer if isinstance(each, Ban))

    async def lift(self, client: str) -> bool:
        """See ``Member``."""
        return await self._ask(LiftBan(client)) == (True,)

    async def leave(self, seconds: float) -> None:
        """See ``Member``."""
        await self._ask(Leave(seconds))

    async def end(self, seconds: float) -> None:
        """See ``Member``; it drains for as long as its own orders say."""
        del seconds
        self._is_ending = True
        self._link.hang_up()

    async def ended(self) -> str:
        """See ``Member``."""
        await self._over.wait()
        self._link.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_REPORT_S):
                await self._reports.done.wait()
        code = self._process.returncode
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}" if code else ""

    def kill(self) -> None:
        """See ``Member``."""
        self._process.kill()

    def reopen(self) -> None:
        """See ``Member``."""
        self._process.send_signal(signal.SIGUSR1)

    async def _ask(self, message: object, descriptors: Sequence[int] = ()) -> tuple[object, ...]:
        async with self._turn:
            try:
                answer = await self._asking.call(
                    "worker", partial(_exchange, self._link, message, descriptors)
                )
            except (OSError, EOFError) as exc:
                if not self._is_ending:
                    # What it answers later would be taken for the answer to another question.
                    self.kill()
                how = await self.ended()
                raise Lost(f"worker {self.slot} ended: {how or 'exit status 0'}") from exc
        # As good a sign of life as a report, the first of which may be a second away.
        self._reports.heard_at = asyncio.get_running_loop().time()
        return answer


def _pair(ours: ExitStack, theirs: ExitStack) -> tuple[socket.socket, socket.socket]:
    """Two ends, each to be closed with what is its side's."""
    mine, its = socket.socketpair()
    return ours.enter_context(mine), theirs.enter_context(its)


def _start(command: list[str], descriptors: tuple[int, ...]) -> "subprocess.Popen[bytes]":
    # A signal that is sent to all of us must not end a worker before it ignores them; the
    # mask is this thread's, and the child's until it unblocks them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP, signal.SIGUSR1})
    return subprocess.Popen(command, pass_fds=descriptors)  # noqa: S603 - ourselves


def _await_end(process: "subprocess.Popen[bytes]", tell: "partial[asyncio.Handle]") -> None:
    process.wait()
    try:
        tell()
    except RuntimeError:  # the loop ended before it
        return


def _faults(answer: tuple[object, ...]) -> tuple[Fault, ...]:
    return tuple(each for each in answer if isinstance(each, Fault))


def _exchange(link: Link, message: object, descriptors: Sequence[int]) -> tuple[object, ...]:
    link.send(message, descriptors)
    answer, _ = link.receive()
    if not isinstance(answer, tuple):
        raise OSError("the worker speaks another language")
    return answer
