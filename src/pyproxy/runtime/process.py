"""A worker's process: does what the supervisor says, and ends with it."""

import asyncio
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.blocking import Blocking
from pyproxy.runtime.groups import restrict
from pyproxy.runtime.journal import Journal
from pyproxy.runtime.link import Link
from pyproxy.runtime.local_member import resources_for
from pyproxy.runtime.loop import new_event_loop
from pyproxy.runtime.orders import (
    Commit,
    Forget,
    Leave,
    LiftBan,
    ListBans,
    Orders,
    Prepare,
)
from pyproxy.runtime.preflight import occupy_standard_descriptors, raise_file_limit
from pyproxy.runtime.reports import ReportSender
from pyproxy.runtime.tasks import Tasks
from pyproxy.runtime.worker import Worker
from pyproxy.runtime.zone import Zone
from pyproxy.telemetry.bridge import exception_handler
from pyproxy.telemetry.catalogue import LINES_LOST
from pyproxy.telemetry.report import Report

_OURS: Final = {signal.SIGINT, signal.SIGHUP}  # the supervisor's to act on
_REOPEN: Final = signal.SIGUSR1  # nothing is open before there is a journal


def main(arguments: Sequence[str]) -> None:
    """Run one worker.

    Args:
        arguments: Descriptors of the link, of the socket for reports and of the shared
            memory, and the slot there.
    """
    for number in (*_OURS, _REOPEN):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*_OURS, _REOPEN})
    occupy_standard_descriptors()
    _ = restrict()
    end, sink, memory, slot = map(int, arguments)
    with (
        socket.socket(fileno=end) as link,
        socket.socket(fileno=sink) as reports,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        link.set_inheritable(False)
        reports.set_inheritable(False)
        runner.run(Process(Link(link), reports, Zone.attach(memory), slot).run())
    # On its way out Python gives signals their own meaning back: of this one it would die.
    signal.signal(_REOPEN, signal.SIG_IGN)


class Process:
    """Obeys one message after the other.

    Args:
        link: To the supervisor.
        reports: Takes reports.
        zone: What the workers share.
        slot: Ours in it.
    """

    def __init__(self, link: Link, reports: socket.socket, zone: Zone, slot: int) -> None:
        self._link = link
        self._reports = reports
        self._zone = zone
        self._slot = slot
        self._blocking = Blocking()
        self._over = asyncio.Event()
        self._tasks = Tasks(self._report)
        self._journal: Journal | None = None
        self._worker: Worker | None = None
        self._drain_s = self._next_drain_s = 0.0
        self._finishing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until told to end, or until there is no supervisor any more."""
        loop = asyncio.get_running_loop()
        # For this worker alone: another one takes its place.
        loop.add_signal_handler(signal.SIGTERM, self._end, False)
        # Not the loop's: when that ends, the signal would end the process again.
        signal.signal(_REOPEN, self._reopen)
        threading.Thread(target=self._listen, args=(loop,), name="link", daemon=True).start()
        sender = await ReportSender.over(self._reports)
        _ = self._tasks.start(sender.run(self._report_to_supervisor), "reports")
        try:
            await self._over.wait()
        finally:
            await self._tasks.close()
            if self._worker is not None:
                await self._worker.close()
            await sender.finish(self._report_to_supervisor())
            if self._journal is not None:
                self._journal.close(time.time())

    def _reopen(self, *_: object) -> None:
        if self._journal is not None:
            self._journal.reopen()

    def _report_to_supervisor(self) -> Report | None:
        if self._worker is None or self._journal is None:
            return None
        report = self._worker.report()
        report.counters[LINES_LOST, ()] = self._journal.lost_total
        return report

    def _report(self, name: str, error: BaseException) -> None:
        if self._journal is not None:
            self._journal.report(name, error)

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take messages and answer them, on a thread of its own."""
        with suppress(RuntimeError):  # the loop ended
            try:
                while True:
                    message, descriptors = self._link.receive()
                    obeying = self._obey(message, descriptors)
                    self._link.send(asyncio.run_coroutine_threadsafe(obeying, loop).result())
            except (EOFError, OSError):
                # All are to end, or the supervisor has: nobody will serve here any more.
                loop.call_soon_threadsafe(self._end, True)

    async def _obey(self, message: object, descriptors: Sequence[int]) -> tuple[object, ...]:
        """Do as told; the answer: what was asked for, or why it was not done."""
        try:
            return await self._carry_out(message, descriptors)
        except ConfigurationError as exc:
            return exc.faults
        except TimeoutError as exc:
            return (Fault("", str(exc)),)
        except Exception as exc:  # noqa: BLE001 - answered, or the supervisor would wait
            self._report("orders", exc)
            return (Fault("", f"a fault of ours: {type(exc).__name__}"),)

    async def _carry_out(self, message: object, descriptors: Sequence[int]) -> tuple[object, ...]:
        match message:
            case Prepare():
                await self._prepare(message.orders(descriptors))
            case Commit():
                self._commit()
            case Forget():
                self._forget()
            case Leave():
                self._finish(message.seconds, is_hasty=False)
            case ListBans() if self._worker is not None:
                return self._worker.bans.in_force(time.monotonic())
            case LiftBan() if self._worker is not None:
                return (self._worker.bans.lift(message.client, time.monotonic()),)
            case _:
                raise TypeError(f"no order: {type(message).__name__}")
        return ()

    async def _prepare(self, orders: Orders) -> None:
        server = orders.loaded.settings.server
        try:
            journal = self._journal
            if journal is None:
                journal = self._journal = Journal(server.log, time.time, must_open=False)
                asyncio.get_running_loop().set_exception_handler(exception_handler(journal.log))
                self._worker = self._new_worker(journal)
            else:
                await self._blocking.call("logs", partial(journal.prepare, server.log))
        except BaseException:
            orders.close()
            raise
        if self._worker is not None:
            self._next_drain_s = server.drain
            await self._worker.prepare(orders)

    def _new_worker(self, journal: Journal) -> Worker:
        return Worker(
            journal,
            self._tasks,
            resources_for(self._zone),
            self._blocking,
            file_limit=raise_file_limit(),
            under_way=self._zone.occupancy(self._slot),
        )

    def _commit(self) -> None:
        if self._journal is not None and self._worker is not None:
            self._journal.commit()
            self._worker.commit()
            self._drain_s = self._next_drain_s

    def _forget(self) -> None:
        if self._journal is not None and self._worker is not None:
            self._journal.forget()
            self._worker.forget()

    def _end(self, is_hasty: bool) -> None:
        self._finish(self._drain_s, is_hasty=is_hasty)

    def _finish(self, seconds: float, *, is_hasty: bool) -> None:
        finishing = asyncio.get_running_loop().create_task(
            self._finished(seconds, is_hasty=is_hasty), name="draining"
        )
        self._finishing.add(finishing)

    async def _finished(self, seconds: float, *, is_hasty: bool) -> None:
        try:
            if self._worker is not None:
                await self._worker.finish(seconds, is_hasty=is_hasty)
        finally:
            self._over.set()


if __name__ == "__main__":
    main(sys.argv[1:])
