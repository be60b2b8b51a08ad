"""Where lines may go: a stream, a file, a syslog, the journal."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationInfo

from pyproxy.config.fields import file_path

_STANDARD_STREAMS: Final = frozenset({"stderr", "stdout"})
# "syslog:" and "journald:" alone mean the machine's own socket.
_LOCAL: Final = re.compile(r"(?:syslog|journald):(?:/[^\x00-\x1f\x7f]+)?", re.ASCII)
_REMOTE: Final = re.compile(
    r"syslog(?:\+tcp)?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
    r":([0-9]{1,5})",
    re.ASCII,
)
_SCHEMES: Final = ("syslog:", "syslog+tcp:", "journald:")
_MAX_PORT: Final = 65535


def _log_target(text: str, info: ValidationInfo) -> str:
    if not text:
        raise ValueError('must be "stderr", "stdout", a file\'s path, "syslog:" or "journald:"')
    if text in _STANDARD_STREAMS:
        return text
    if not text.startswith(_SCHEMES):
        return file_path(text, info)
    remote = _REMOTE.fullmatch(text)
    is_known = (
        0 < int(remote[1]) <= _MAX_PORT
        if remote is not None
        else "://" not in text and _LOCAL.fullmatch(text) is not None
    )
    if not is_known:
        raise ValueError(
            'must be "syslog:" or "journald:", alone or with the path of a socket behind it, '
            '"syslog://HOST:PORT" (UDP) or "syslog+tcp://HOST:PORT"'
        )
    return text


LogTarget = Annotated[str, AfterValidator(_log_target)]
"""``stderr``, ``stdout``, a file's absolute path, or a syslog or journal; see ``_log_target``."""
