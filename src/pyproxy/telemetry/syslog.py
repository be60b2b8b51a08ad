"""Messages to a syslog: the machine's own by its socket, another one over UDP or TCP."""

import os
import select
import socket
from datetime import UTC, datetime
from logging.handlers import SysLogHandler
from typing import Final

from pyproxy.telemetry.messages import IDENTIFIER

LOCAL_SOCKET: Final = "/dev/log"
# A syslog that does not read is no reason to keep lines here for longer than this.
_TIMEOUT_S: Final = 1.0
# RFC 5424 section 6, HOSTNAME.
_MAX_HOST: Final = 255
# A syslog has nothing to say; what it says is read and left.
_UNASKED_BYTES: Final = 4096
_AUTHPRIV: Final = SysLogHandler.LOG_AUTHPRIV


class LocalSyslog:
    """The machine's own syslog: ``<priority>pyproxy[pid]: line`` (RFC 3164 section 4.1).

    The time and the host are the receiver's to add, as with every local program;
    the line has its own time, which is finer.

    Args:
        path: Of the socket, which takes datagrams.

    Raises:
        OSError: Nobody is there.
    """

    def __init__(self, path: str) -> None:
        self._socket = _opened(socket.AF_UNIX, socket.SOCK_DGRAM, path)
        self._tag = f"{IDENTIFIER}[{os.getpid()}]: ".encode()

    def send(self, line: bytes, severity: int) -> None:
        """See ``Messenger.send``."""
        self._socket.send(_priority(severity) + self._tag + line)

    def close(self) -> None:
        """See ``Messenger.close``."""
        self._socket.close()


class RemoteSyslog:
    """A syslog elsewhere: RFC 5424 in datagrams (RFC 5426) or counted octets (RFC 6587).

    Over UDP what is lost on the way nobody hears of. Over TCP a connection that the
    other side closed is noticed before the next message; what it did not read, it
    did not read.

    Args:
        host: Name or address.
        port: UDP or TCP port.
        is_stream: TCP.

    Raises:
        OSError: The name is unknown, or nobody answers.
    """

    def __init__(self, host: str, port: int, *, is_stream: bool) -> None:
        self._is_stream = is_stream
        self._socket = _connected(host, port, is_stream=is_stream)
        name = socket.gethostname().encode("ascii", "replace")[:_MAX_HOST].replace(b" ", b"-")
        self._origin = b" %b %b %d audit - " % (name or b"-", IDENTIFIER.encode(), os.getpid())

    def send(self, line: bytes, severity: int) -> None:
        """See ``Messenger.send``."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = b"%b1 %b%b%b" % (_priority(severity), now.encode(), self._origin, line)
        if self._is_stream:
            self._look_for_the_end()
            self._socket.sendall(b"%d %b" % (len(message), message))
        else:
            self._socket.send(message)

    def close(self) -> None:
        """See ``Messenger.close``."""
        self._socket.close()

    def _look_for_the_end(self) -> None:
        """Raise if the other side has gone: the kernel would take one more message for it."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if poll.poll(0) and not self._socket.recv(_UNASKED_BYTES):
            raise ConnectionResetError("closed by the other side")


def _priority(severity: int) -> bytes:
    return b"<%d>" % (_AUTHPRIV << 3 | severity)


def _connected(host: str, port: int, *, is_stream: bool) -> socket.socket:
    if is_stream:
        return socket.create_connection((host, port), timeout=_TIMEOUT_S)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, kind, _, _, address = found[0]
    return _opened(family, kind, address)


def _opened(family: int, kind: int, address: tuple[object, ...] | str) -> socket.socket:
    opened = socket.socket(family, kind)
    try:
        opened.settimeout(_TIMEOUT_S)
        opened.connect(address)
    except BaseException:
        opened.close()
        raise
    return opened
