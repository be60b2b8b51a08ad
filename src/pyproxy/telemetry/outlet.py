"""Where lines end up: a file that may be moved away, or a stream we inherited."""

import os
import select
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, Protocol

from pyproxy.telemetry.appending import append
from pyproxy.telemetry.backtrace import describe

# The owner alone: lines name users and addresses.
_FILE_MODE: Final = 0o600

# A stream in non-blocking mode (shared with a program that wants it so) is
# waited for this long before the rest is kept for later.
_WRITABLE_WAIT_MS: Final = 500
_UNREAD: Final = "nobody reads what is in it already"


class Outlet(Protocol):
    """Takes lines from one thread; may block, and may fail at any time.

    Attributes:
        problem: What the last write met, in a few words; ``""`` for nothing. There
            may be one although all was written: not where it should be.
        refused: Lines that were taken and can never be delivered. Whoever counts
            them sets it to 0.
    """

    problem: str
    refused: int

    def write(self, data: bytes) -> int:
        """Write as much as goes, and say how many bytes that was; never raises.

        Args:
            data: Lines with their line feeds, perhaps from the middle of one.
        """
        ...

    def reopen(self) -> None:
        """Let go of what is open and is not in its place any more; never raises."""
        ...

    def close(self) -> None:
        """Give back what is held; nothing is written after it."""
        ...


class FileOutlet:
    """Appends to a file; made if missing, followed if renamed (``logrotate``).

    Before each write the path is looked at: if another file stands there, or
    none, it is opened anew. While that fails, the file that is open is kept,
    unless it was removed: what is written there nobody would ever read.
    """

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self.refused = 0
        self._path = path
        self._descriptor = -1

    def write(self, data: bytes) -> int:
        """See ``Outlet.write``."""
        self.problem = ""
        self.reopen()
        if self.problem and self._is_gone():
            return 0
        written, problem = append(self._descriptor, data, self._write)
        self.problem = self.problem or problem
        return written

    def reopen(self) -> None:
        """See ``Outlet.reopen``."""
        if not self._is_in_place():
            try:
                self._open()
            except OSError as exc:
                self.problem = _words(exc)

    def close(self) -> None:
        """See ``Outlet.close``."""
        self._descriptor = _closed(self._descriptor)

    def try_open(self) -> str:
        """Open the file now; what the system says against it, ``""`` if nothing."""
        try:
            self._open()
        except OSError as exc:
            return _words(exc)
        return ""

    def _write(self, data: bytes) -> tuple[int, str]:
        return _write(self._descriptor, data)

    def _is_in_place(self) -> bool:
        try:
            ours = os.fstat(self._descriptor)
            there = self._path.stat()
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def _is_gone(self) -> bool:
        try:
            return os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            return True

    def _open(self) -> None:
        # O_NONBLOCK is for a named pipe that nobody reads: opening it must not
        # hang. To a file it makes no difference.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self._path, flags, _FILE_MODE)
        self.close()
        self._descriptor = descriptor


class StreamOutlet:
    """Standard output or standard error, if the process was started with it.

    A descriptor of its own is kept: should the stream be closed, its number
    could be given to a client's socket, and log lines would go out on that.
    """

    def __init__(self, descriptor: int | None) -> None:
        self.problem = ""
        self.refused = 0
        self._descriptor = -1
        if descriptor is not None:
            with suppress(OSError):
                self._descriptor = os.dup(descriptor)

    @classmethod
    def of(cls, name: Literal["stdout", "stderr"]) -> "StreamOutlet":
        """The process's stream of that name; one that was closed takes nothing."""
        # Python leaves the original stream out if its descriptor was not open
        # at the start; by now the number may belong to something else.
        stream = sys.__stdout__ if name == "stdout" else sys.__stderr__
        return cls(None if stream is None else stream.fileno())

    def write(self, data: bytes) -> int:
        """See ``Outlet.write``."""
        written, self.problem = _write(self._descriptor, data)
        return written

    def reopen(self) -> None:
        """See ``Outlet.reopen``; a stream has no place."""

    def close(self) -> None:
        """See ``Outlet.close``."""
        self._descriptor = _closed(self._descriptor)


def _write(descriptor: int, data: bytes) -> tuple[int, str]:
    """Write until all is out or it fails; how many bytes went out, and what failed."""
    rest = memoryview(data)
    most = len(data) if _is_file(descriptor) else select.PIPE_BUF
    problem = ""
    while rest and not problem:
        try:
            rest = rest[os.write(descriptor, rest[: _whole_lines(data, len(rest), most)]) :]
        except BlockingIOError:
            problem = "" if _is_writable(descriptor) else _UNREAD
        except OSError as exc:
            problem = _words(exc)
    return len(data) - len(rest), problem


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _whole_lines(data: bytes, left: int, most: int) -> int:
    """How much of the last ``left`` bytes of ``data`` to write at once.

    Several processes write to the same pipe: up to PIPE_BUF bytes go in as one
    piece, so what is written ends with a line where that is possible (pipe(7)).
    """
    if left <= most:
        return left
    start = len(data) - left
    end = data.rfind(b"\n", start, start + most) + 1
    return end - start if end > start else most


def _is_writable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(_WRITABLE_WAIT_MS))


def _closed(descriptor: int) -> int:
    """Close it, unless it is ``-1``; returns ``-1``, which no call accepts."""
    with suppress(OSError):
        os.close(descriptor)
    return -1


def _words(exc: OSError) -> str:
    return exc.strerror or describe(exc)
