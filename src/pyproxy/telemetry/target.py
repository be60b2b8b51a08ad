"""What a setting says about where lines go, as an outlet."""

from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pyproxy.telemetry.messages import MessageOutlet, Messenger
from pyproxy.telemetry.outlet import FileOutlet, Outlet, StreamOutlet
from pyproxy.telemetry.syslog import LOCAL_SOCKET, LocalSyslog, RemoteSyslog

SYSLOG: Final = "syslog:"
SYSLOG_TCP: Final = "syslog+tcp:"
JOURNALD: Final = "journald:"


def open_outlet(target: str) -> Outlet:
    """The outlet that a setting names; nothing is opened yet but a standard stream.

    Args:
        target: ``stdout``, ``stderr``, ``syslog:`` or ``journald:``, alone or with a
            socket's path behind it, ``syslog://HOST:PORT``, ``syslog+tcp://HOST:PORT``,
            or a file's path; well-formed.
    """
    if target in {"stdout", "stderr"}:
        return StreamOutlet.of("stdout" if target == "stdout" else "stderr")
    if target.startswith((f"{SYSLOG}//", SYSLOG_TCP)):
        return MessageOutlet(partial(_remote, target))
    if target.startswith(SYSLOG):
        path = target.removeprefix(SYSLOG) or LOCAL_SOCKET
        return MessageOutlet(partial(LocalSyslog, path))
    if target.startswith(JOURNALD):
        return MessageOutlet(partial(_journald, target.removeprefix(JOURNALD)))
    return FileOutlet(Path(target))


def problem_with(outlet: Outlet) -> str:
    """Open it now; what the system says against it, ``""`` if nothing."""
    return outlet.try_open() if isinstance(outlet, FileOutlet | MessageOutlet) else ""


def _remote(target: str) -> Messenger:
    parts = urlsplit(target)
    return RemoteSyslog(
        parts.hostname or "", parts.port or 0, is_stream=target.startswith(SYSLOG_TCP)
    )


def _journald(path: str) -> Messenger:
    # From an extra, which only those install that want it.
    from pyproxy.telemetry.journald import Journald  # noqa: PLC0415 - see above

    return Journald(path)
