"""The one way in which a file that the configuration names is read."""

import os
import stat
from collections.abc import Mapping
from typing import BinaryIO, Final

from pyproxy.config.quantities import bytes_text
from pyproxy.errors.fault import ConfigurationError, Fault

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB

MOST_OF_CONFIGURATION: Final = _MIB  # ten thousand routes are less, and TOML is slow to read
MOST_OF_SECRET: Final = 64 * _KIB  # a longer one is none: somebody named a log
MOST_OF_KEYS: Final = 16 * _MIB  # a hundred thousand keys of 160 bytes a line
MOST_OF_KEY_SET: Final = _MIB  # a thousand keys of RSA, private halves included
MOST_OF_PEM: Final = _MIB  # every CA that browsers trust takes a quarter of it

_KINDS: Final[Mapping[int, str]] = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
# Waits for no writer of a named pipe; makes no terminal ours.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def read_file(path: str | os.PathLike[str], most: int) -> bytes:
    """All of a regular file. Blocks, but on no other process.

    A pipe would be waited on for good and a device might never end; either would stop
    whoever reads, and with it every reload.

    Args:
        path: Links are followed.
        most: Bytes; one of this module's constants.

    Raises:
        ConfigurationError: It is missing, may not be read, is no regular file or too
            long; names the file, and nothing that is in it.
    """
    try:
        with _opened(path) as opened:
            found = opened.read(most + 1)
    except OSError as exc:
        problem = f"cannot be read: {(exc.strerror or str(exc)).lower()}"
        raise ConfigurationError(Fault(str(path), problem)) from exc
    if len(found) > most:
        problem = f"is longer than {bytes_text(most)}: it is something else"
        raise ConfigurationError(Fault(str(path), problem))
    return found


def read_text_file(path: str | os.PathLike[str], most: int) -> str:
    """Likewise, of a text.

    Raises:
        ConfigurationError: As ``read_file``, or it is not UTF-8.
    """
    try:
        return read_file(path, most).decode("utf-8")
    except UnicodeDecodeError:  # which holds the text, perhaps a secret
        raise ConfigurationError(Fault(str(path), "is not UTF-8 text")) from None


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    descriptor = os.open(path, _FLAGS)
    try:
        _require_file(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_file(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(f"it is {kind}, no file")
