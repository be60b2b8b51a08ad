"""The logs of a worker: its own messages, a line a request, security events."""

import os
import sys
from collections.abc import Callable

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
        log: The gateway's own messages.
        access: A line a request, or ``None``.
        audit: Security events.
        wall: Epoch seconds.

    Raises:
        ConfigurationError: The audit file cannot be opened.
    """

    def __init__(self, settings: LogSettings, wall: Callable[[], float]) -> None:
        self.wall = wall
        coloured = is_coloured(sys.__stdout__, os.environ)
        audit_outlet = _audit_outlet(settings.audit)
        self._sink = LineSink(StreamOutlet.of("stdout"), self._lost)
        self._audit_sink = LineSink(audit_outlet, self._lost)
        put = self._sink.put
        self.log = Log(put, wall, level=settings.level, style=settings.format, is_coloured=coloured)
        self.access = (
            AccessLog(put, settings.format, is_coloured=coloured) if settings.access else None
        )
        self.audit = AuditLog(self._audit_sink.put)
        install(self.log)

    def _lost(self, count: int) -> str:
        return self.log.lost_line(count)

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
