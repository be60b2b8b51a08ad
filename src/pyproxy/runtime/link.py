"""Messages between the supervisor and a worker, with open sockets among them."""

import os
import pickle
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

# How long the message is, and how many descriptors come before it.
_HEADER: Final = struct.Struct("!IH")
# The kernel passes 253 at once (SCM_MAX_FD).
_BATCH: Final = 250


class Link:
    """One end of a private socket pair; whoever holds the other is our own process.

    Calls block, for the socket's timeout at most, and are for one thread at a time.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def send(self, message: object, descriptors: Sequence[int] = ()) -> None:
        """Send a message; the descriptors stay open here.

        Raises:
            OSError: The other end is gone, or does not read in time.
        """
        payload = pickle.dumps(message)
        self._socket.sendall(_HEADER.pack(len(payload), len(descriptors)))
        for start in range(0, len(descriptors), _BATCH):
            socket.send_fds(self._socket, [b"\0"], list(descriptors[start : start + _BATCH]))
        self._socket.sendall(payload)

    def receive(self) -> tuple[object, list[int]]:
        """Wait for a message; its descriptors are the caller's to close, and not inherited.

        Raises:
            EOFError: The other end was closed.
            OSError: It broke, or does not write in time.
        """
        length, count = _HEADER.unpack(self._exactly(_HEADER.size))
        descriptors: list[int] = []
        while len(descriptors) < count:
            descriptors += self._some_descriptors(min(_BATCH, count - len(descriptors)))
        # The other end is our own process: nobody else has had the socket.
        return pickle.loads(self._exactly(length)), descriptors  # noqa: S301

    def hang_up(self) -> None:
        """End the talk: the other end hears of it, and so does who waits at this one."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close this end, which nobody uses any more."""
        self._socket.close()

    def _some_descriptors(self, wanted: int) -> list[int]:
        """Those that come with one byte: the kernel never joins two such bytes."""
        data, found, flags, _ = socket.recv_fds(self._socket, 1, wanted)
        for each in found:
            # Its flags are ignored before Python 3.12, MSG_CMSG_CLOEXEC among them.
            os.set_inheritable(each, False)
        if not data:
            raise EOFError("the other end was closed")
        if flags & socket.MSG_CTRUNC or len(found) != wanted:
            for each in found:
                os.close(each)
            raise OSError("descriptors were lost on the way: too many open files")
        return found

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise EOFError("the other end was closed")
            parts += part
        return bytes(parts)
