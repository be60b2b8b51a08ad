"""The logs of a worker: its own messages, a line a request, security events."""

import os
import sys
from collections.abc import Callable
from threading import Thread

from pyproxy.config.server import LogSettings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.bridge import install
from pyproxy.telemetry.log import Log
from pyproxy.telemetry.outlet import FileOutlet, Outlet, StreamOutlet, open_outlet
from pyproxy.telemetry.sink import CLOSE_TIMEOUT_S, LineSink
from pyproxy.telemetry.style import is_coloured


class Journal:
    """Where a worker writes.

    Messages and requests go to standard output, security events where
    ``audit`` says.

    Args:
        settings: What is written.
        wall: Epoch seconds.

    Attributes:
        log: The gateway's own messages; the same one for good.
        access: A line a request, or ``None``.
        audit: Security events; the same one for good.
        wall: Epoch seconds.

    Raises:
        ConfigurationError: The audit file cannot be opened.
    """

    def __init__(self, settings: LogSettings, wall: Callable[[], float]) -> None:
        self.wall = wall
        audit_outlet = _audit_outlet(settings.audit)
        self._settings = settings
        self._next: tuple[LogSettings, Outlet | None] | None = None
        self._is_coloured = is_coloured(sys.__stdout__, os.environ)
        self._sink = LineSink(StreamOutlet.of("stdout"), self._lost)
        self._audit_sink = LineSink(audit_outlet, self._lost)
        self._lost_before = 0
        self.log = Log(
            self._sink.put,
            wall,
            level=settings.level,
            style=settings.format,
            is_coloured=self._is_coloured,
        )
        self.access = self._access(settings)
        self.audit = AuditLog(self._put_audit)
        install(self.log)

    def prepare(self, settings: LogSettings) -> None:
        """Open what other settings need, and change nothing yet. Blocks.

        Raises:
            ConfigurationError: The audit file cannot be opened.
        """
        self.forget()
        is_same = settings.audit == self._settings.audit
        self._next = settings, None if is_same else _audit_outlet(settings.audit)

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
            old, self._audit_sink = self._audit_sink, LineSink(audit_outlet, self._lost)
            self._lost_before += old.lost_total
            # It writes what is pending, which may take a while.
            Thread(target=old.close, name="log-closer", daemon=True).start()

    def _access(self, settings: LogSettings) -> AccessLog | None:
        if not settings.access:
            return None
        return AccessLog(self._sink.put, settings.format, is_coloured=self._is_coloured)

    def _put_audit(self, line: str) -> None:
        self._audit_sink.put(line)

    def _lost(self, count: int) -> str:
        return self.log.lost_line(count)

    @property
    def lost_total(self) -> int:
        """Lines that were dropped so far, of all logs together."""
        return self._lost_before + self._sink.lost_total + self._audit_sink.lost_total

    def report(self, name: str, error: BaseException) -> None:
        """Write down a fault of ours, or of a background task."""
        self.log.failure("failure", error, name)

    def close(self, wall: float, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write what is pending. Blocks for ``timeout_s`` a log at most."""
        self.audit.close(wall)
        self._audit_sink.close(timeout_s)
        self._sink.close(timeout_s)


def _audit_outlet(target: str) -> Outlet:
    outlet = open_outlet(target)
    if isinstance(outlet, FileOutlet) and (problem := outlet.try_open()):
        fault = Fault("server.log.audit", f"{target} cannot be written: {problem.lower()}")
        raise ConfigurationError(fault)
    return outlet
