"""Messages to systemd's journal, with the fields that ``journalctl`` selects by."""

import socket
from typing import Final

from logging_journald import JournaldTransport  # type: ignore[import-untyped]  # has no types

from pyproxy.telemetry.messages import AUTHPRIV, IDENTIFIER

_TIMEOUT_S: Final = 1.0


class Journald:
    """The journal's own socket: each line a ``MESSAGE``, in facility ``authpriv``.

    Args:
        path: Of the socket; ``""`` for the machine's.

    Raises:
        OSError: Nobody is there.
    """

    def __init__(self, path: str) -> None:
        # Addressed with each message: a journal that is started anew has another socket.
        self._transport = JournaldTransport(path or None, connected=False)
        self._transport.socket.settimeout(_TIMEOUT_S)
        # That nobody is there is an error now, and not with the first line.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(str(self._transport.socket_path))
            except OSError:
                self.close()
                raise

    def send(self, line: bytes, severity: int) -> None:
        """See ``Messenger.send``; what is too long for a datagram goes as a sealed file."""
        self._transport.send(
            (
                ("MESSAGE", line.decode("utf-8", "replace")),
                ("PRIORITY", severity),
                ("SYSLOG_FACILITY", AUTHPRIV),
                ("SYSLOG_IDENTIFIER", IDENTIFIER),
            )
        )

    def close(self) -> None:
        """See ``Messenger.close``."""
        self._transport.socket.close()
