"""Files that only their owner may read, replaced whole or not at all."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyproxy.config.files import MOST_OF_KEYS, read_text_file
from pyproxy.errors.fault import ConfigurationError, Fault

OWNER_ONLY = 0o600
GROUP_READS = 0o040
EVERYBODY_READS = 0o644


def edit(path: Path, change: Callable[[str], str]) -> None:
    """Replace the file's text by what ``change`` makes of it; a missing file counts as empty.

    Its folder must be there. Two editors at the same time wait for each other. Its
    owner, and its group's right to read, stay as they were: a gateway under another
    user still reads it.

    Raises:
        ConfigurationError: It cannot be read or written; nothing was changed.
        OSError: Its folder cannot be opened; likewise.
    """
    target = path.resolve()
    with _folder_locked(target.parent):
        text = read_text_file(target, MOST_OF_KEYS) if target.exists() else ""
        write_atomically(target, change(text))


def write_atomically(path: Path, text: str, mode: int = OWNER_ONLY) -> None:
    """Put ``text`` in place of the file, so that a reader sees the old or the new, never a half.

    A link is followed: the file it names is replaced, not the link. Missing
    folders are made.

    Raises:
        ConfigurationError: There is no room, or this user may not; nothing was changed.
    """
    target = path.resolve()
    try:
        _replace(target, text, mode)
    except OSError as exc:
        problem = f"cannot be written: {(exc.strerror or str(exc)).lower()}; nothing was changed"
        raise ConfigurationError(Fault(str(path), problem)) from exc


def _replace(target: Path, text: str, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600, so that no moment leaves a key readable.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            _take_over(file.fileno(), target, mode)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _take_over(descriptor: int, target: Path, mode: int) -> None:
    """Give the new file the old one's owner, where we may, and its group's right to read."""
    with suppress(FileNotFoundError):
        old = target.stat()
        mode |= old.st_mode & GROUP_READS
        with suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, mode)


@contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the file itself is no good for it, since it gets replaced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
