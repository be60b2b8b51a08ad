"""A file that several processes append to: each line is there whole, or not at all."""

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

# The lock is held for a write; whoever holds it for longer is not one of us.
_LOCK_TRIES: Final = 100
_LOCK_PAUSE_S: Final = 0.002


def append(
    descriptor: int, data: bytes, write: Callable[[bytes], tuple[int, str]]
) -> tuple[int, str]:
    """Write to the end of a file; of a line that does not fit, nothing stays there.

    A disk that is full takes half of a line. Were it left there, the next line of
    another process would be glued to it. So it is cut off again, as far as the file
    may be shortened (one that only grows may not, ``chattr +a``). What is no file
    is written to as it is.

    Args:
        descriptor: Opened for appending.
        data: Lines, perhaps from the middle of one.
        write: Writes; says how many bytes went out, and what was wrong.

    Returns:
        As ``write``.
    """
    with _locked(descriptor) as before:
        written, problem = write(data)
        if written == len(data) or before is None:
            return written, problem
        whole = data.rfind(b"\n", 0, written) + 1
        with suppress(OSError):
            # Somebody who knows no lock may have added to it or emptied it meanwhile.
            if os.fstat(descriptor).st_size == before + written:
                os.ftruncate(descriptor, before + whole)
                written = whole
    return written, problem


@contextmanager
def _locked(descriptor: int) -> Iterator[int | None]:
    """Hold the file's lock; its size, or ``None`` if it is no file or not to be locked."""
    size = _size(descriptor)
    if size is None or not _try_lock(descriptor):
        yield None
        return
    try:
        yield _size(descriptor)
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _size(descriptor: int) -> int | None:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _try_lock(descriptor: int) -> bool:
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        except OSError:  # a file system without locks
            return False
        else:
            return True
    return False
