"""The request target: what is asked for, if it has one reading (RFC 9112 section 3.2)."""

import re
from dataclasses import dataclass
from typing import Final

from pyproxy.wire.percent import OVERLONG, percent_decoded
from pyproxy.wire.syntax import Malformed

# The paths of nearly every request: nothing encoded, no segment that starts with a dot.
_PLAIN: Final = re.compile(rb"(?:/(?!\.)[A-Za-z0-9\-._~!$&'()*+,=:@]++)++/?+|/")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_HOSTILE: Final = re.compile(rb"[\x00-\x1f\x7f\\]|" + OVERLONG)
_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]+)([^#]*)", re.IGNORECASE)

# RFC 3986 section 3.2.2, without userinfo: a reg-name or an IP literal, and a port.
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9\-._~]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


@dataclass(slots=True)
class Target:
    """A request target in its parts.

    Attributes:
        path: As sent, still encoded.
        query: As sent, without its ``?``; ``None`` if there is no ``?``.
        decoded: The path decoded once, for decisions; never forwarded.
        authority: Of an absolute-form target, else ``b""``.
    """

    path: bytes
    query: bytes | None
    decoded: bytes
    authority: bytes


def read_target(target: bytes, method: bytes) -> Target:
    """Split a target and refuse what two parsers could read differently.

    Refused are ``.``, ``..`` and empty segments (encoded or not, with parameters
    or not), backslashes, NUL and other control characters, overlong UTF-8, broken
    escapes and fragments. The attack is always the same: the gateway authorises
    one path and the upstream serves another.

    Args:
        target: Visible ASCII.
        method: ``OPTIONS`` alone may ask for ``*``.

    Raises:
        Malformed: No form of RFC 9112 section 3.2, or an ambiguous path.
    """
    authority = b""
    if not target.startswith(b"/"):
        if target == b"*" and method == b"OPTIONS":
            return Target(b"*", None, b"*", b"")
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise Malformed("the request target has no known form")
        authority, target = absolute.groups()
        read_host(authority)
        if not target.startswith(b"/"):
            target = b"/" + target
    path, mark, query = target.partition(b"?")
    decoded = path if _PLAIN.fullmatch(path) else _decoded(path)
    if b"#" in query:
        raise Malformed("a fragment in the request target")
    return Target(path, query if mark else None, decoded, authority)


def _decoded(path: bytes) -> bytes:
    """``path`` decoded once, or ``Malformed`` if it is ambiguous."""
    if b"#" in path or _BAD_ESCAPE.search(path):
        raise Malformed("a fragment or broken escape in the path")
    decoded = percent_decoded(path)
    if _HOSTILE.search(decoded):
        raise Malformed("a backslash, control character or overlong UTF-8 in the path")
    # Servers that know parameters cut them off before they resolve dots.
    names = [segment.partition(b";")[0] for segment in decoded.split(b"/")[1:]]
    if b"" in names[:-1]:
        raise Malformed("an empty segment in the path")
    if b"." in names or b".." in names:
        raise Malformed("a dot segment in the path")
    return decoded


def read_host(value: bytes) -> bytes:
    """A ``Host`` or authority, lower-case and without its port.

    Raises:
        Malformed: Not a host with an optional port (RFC 9110 section 7.2).
    """
    if _HOST.fullmatch(value) is None:
        raise Malformed("Host is malformed")
    value = value.lower()
    if value.startswith(b"["):
        return value[: value.index(b"]") + 1]
    return value.partition(b":")[0]
