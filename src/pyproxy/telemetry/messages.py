"""Lines that leave as messages of their own: to syslog (RFC 3164, RFC 5424), to journald."""

import errno
import json
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pyproxy.telemetry.backtrace import describe

# Severities of RFC 5424 section 6.2.1.
ERROR: Final = 3
WARNING: Final = 4
NOTICE: Final = 5
INFO: Final = 6
# Security and authorisation messages that not everybody may read (section 6.2.1).
AUTHPRIV: Final = 10
IDENTIFIER: Final = "pyproxy"

_SEVERITIES: Final[Mapping[str, int]] = {
    "auth.ok": INFO,
    "auth.failed": WARNING,
    "auth.banned": WARNING,
    "access.denied": WARNING,
    "limit.exceeded": WARNING,
    "log.lost": ERROR,
}


class Messenger(Protocol):
    """A way that messages take; used by one thread, may block for a second or two."""

    def send(self, line: bytes, severity: int) -> None:
        """Send one line, without its line feed.

        Raises:
            OSError: It did not go out; ``EMSGSIZE``: it never will, it is too long.
        """

    def close(self) -> None:
        """Give back what is held."""


class MessageOutlet:
    """Sends each line as a message.

    A connection that broke is made anew, once a message; what cannot be sent waits
    with whoever writes. A line that is too long for the way is counted in
    ``refused``: half of a line would be no JSON.

    Args:
        connect: Opens the way.
    """

    def __init__(self, connect: Callable[[], Messenger]) -> None:
        self.problem = ""
        self.refused = 0
        self._connect = connect
        self._messenger: Messenger | None = None

    def write(self, data: bytes) -> int:
        """See ``Outlet.write``; a line goes out whole or not at all."""
        self.problem = ""
        written = 0
        for line in data.splitlines(keepends=True):
            if not self._is_sent(line.rstrip(b"\n")):
                break
            written += len(line)
        return written

    def try_open(self) -> str:
        """Open the way now; what the system says against it, ``""`` if nothing."""
        try:
            self._way()
        except OSError as exc:
            return exc.strerror or describe(exc)
        return ""

    def reopen(self) -> None:
        """See ``Outlet.reopen``: the next message opens the way anew."""
        self.close()

    def close(self) -> None:
        """See ``Outlet.close``."""
        messenger, self._messenger = self._messenger, None
        if messenger is not None:
            messenger.close()

    def _is_sent(self, line: bytes) -> bool:
        """Send a line, or count it as refused; ``False``: try it again later."""
        severity = severity_of(line)
        was_open = self._messenger is not None
        try:
            try:
                self._way().send(line, severity)
            except OSError as exc:
                if not was_open or exc.errno == errno.EMSGSIZE:
                    raise
                # Who takes the messages was started anew, and left a dead end.
                self.close()
                self._way().send(line, severity)
        except OSError as exc:
            if exc.errno == errno.EMSGSIZE:
                self.refused += 1
                return True
            self.problem = exc.strerror or describe(exc)
            self.close()
            return False
        return True

    def _way(self) -> Messenger:
        if self._messenger is None:
            self._messenger = self._connect()
        return self._messenger


def severity_of(line: bytes) -> int:
    """How much an audit line matters: its event says so, and whether something failed."""
    try:
        said = json.loads(line)
        event, result = said["event"], said["result"]
    except (ValueError, TypeError, KeyError):
        return INFO
    if result == "failed":
        return ERROR
    return _SEVERITIES.get(event, NOTICE)
