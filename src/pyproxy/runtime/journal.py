"""The logs of a worker: its own messages, a line a request, security events."""

import os
import sys
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Final

from pyproxy.config.server import LogSettings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.bridge import install
from pyproxy.telemetry.log import Log
from pyproxy.telemetry.outlet import Outlet, StreamOutlet
from pyproxy.telemetry.sink import CLOSE_TIMEOUT_S, LineSink
from pyproxy.telemetry.style import is_coloured
from pyproxy.telemetry.target import open_outlet, problem_with

_MESSAGES: Final = "stdout"


class Journal:
    """Where a worker writes.

    Messages and requests go to standard output, security events where
    ``audit`` says.

    Args:
        settings: What is written.
        wall: Epoch seconds.
        must_open: Whether an audit log that cannot be written is a reason not to
            serve. It is at the start; one who comes later in place of another
            serves on, as the others do, and says it.

    Attributes:
        log: The gateway's own messages; the same one for good.
        access: A line a request, or ``None``.
        audit: Security events; the same one for good.
        wall: Epoch seconds.

    Raises:
        ConfigurationError: The audit log cannot be opened.
    """

    def __init__(
        self, settings: LogSettings, wall: Callable[[], float], *, must_open: bool = True
    ) -> None:
        self.wall = wall
        self._must_open = must_open
        audit_outlet = self._audit_outlet(settings.audit)
        self._settings = settings
        self._next: tuple[LogSettings, Outlet | None] | None = None
        self._is_coloured = is_coloured(sys.__stdout__, os.environ)
        self._sink = LineSink(
            StreamOutlet.of(_MESSAGES), self._lost, tell=partial(self._tell, _MESSAGES)
        )
        self.log = Log(
            self._sink.put,
            wall,
            level=settings.level,
            style=settings.format,
            is_coloured=self._is_coloured,
        )
        self.access = self._access(settings)
        self.audit = AuditLog(self._put_audit)
        self._replaced: list[LineSink] = []
        self._audit_sink = self._new_audit_sink(settings.audit, audit_outlet)
        install(self.log)

    @property
    def lost_total(self) -> int:
        """Lines of all logs that could not be written, since the start."""
        return self._sink.lost_total + self.audit_lost_total

    @property
    def audit_lost_total(self) -> int:
        """Audit lines that could not be written; they are among ``lost_total``."""
        return sum(each.lost_total for each in (*self._replaced, self._audit_sink))

    def prepare(self, settings: LogSettings) -> None:
        """Open what other settings need, and change nothing yet. Blocks.

        Raises:
            ConfigurationError: The audit log cannot be opened.
        """
        self.forget()
        is_same = settings.audit == self._settings.audit
        self._next = settings, None if is_same else self._audit_outlet(settings.audit)

    def forget(self) -> None:
        """Give up what was prepared, if anything was."""
        if self._next is not None and self._next[1] is not None:
            self._next[1].close()
        self._next = None

    def commit(self) -> None:
        """Write by the settings that were prepared, if any were."""
        if self._next is None:
            return
        (self._settings, audit_outlet), self._next = self._next, None
        self.log.adopt(self._settings.level, self._settings.format)
        self.access = self._access(self._settings)
        install(self.log)
        if audit_outlet is not None:
            old = self._audit_sink
            self._replaced.append(old)
            self._audit_sink = self._new_audit_sink(self._settings.audit, audit_outlet)
            # It writes what is pending, which may take a while.
            Thread(target=self._close_audit, args=(old,), name="log-closer", daemon=True).start()

    def reopen(self) -> None:
        """Let go of files that were moved away; from any thread, also within a signal."""
        self._sink.reopen()
        self._audit_sink.reopen()

    def report(self, name: str, error: BaseException) -> None:
        """Write down a fault of ours, or of a background task."""
        self.log.failure("failure", error, name)

    def close(self, wall: float, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write what is pending. Blocks for ``timeout_s`` a log at most."""
        self.audit.close(wall)
        self._close_audit(self._audit_sink, timeout_s)
        self._sink.close(timeout_s)

    def _access(self, settings: LogSettings) -> AccessLog | None:
        if not settings.access:
            return None
        return AccessLog(self._sink.put, settings.format, is_coloured=self._is_coloured)

    def _audit_outlet(self, target: str) -> Outlet:
        outlet = open_outlet(target)
        problem = problem_with(outlet)
        if problem and self._must_open:
            fault = Fault("server.log.audit", f"{target} cannot be written: {problem.lower()}")
            raise ConfigurationError(fault)
        return outlet

    def _new_audit_sink(self, target: str, outlet: Outlet) -> LineSink:
        return LineSink(outlet, self._audit_lost, tell=partial(self._tell, target))

    def _put_audit(self, line: str) -> None:
        self._audit_sink.put(line)

    def _close_audit(self, sink: LineSink, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write what is pending there; what could not be written the log hears of."""
        lost = sink.close(timeout_s)
        if lost:
            sentence = "security events were lost: they could not be written"
            self.log.write("error", "audit.lost", sentence, {"lost": lost})

    def _lost(self, count: int) -> str:
        return self.log.lost_line(count)

    def _audit_lost(self, count: int) -> str:
        return self.audit.lost_line(count, self.wall())

    def _tell(self, target: str, problem: str) -> None:
        """Say once that lines cannot be written, and once that they can again."""
        if problem:
            sentence = "lines wait until they can be written; what is too much is counted"
            self.log.write(
                "error", "log.unwritable", sentence, {"target": target, "reason": problem}
            )
        else:
            self.log.write("info", "log.writable", "", {"target": target})
