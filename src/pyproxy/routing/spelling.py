"""The ways one path can be spelled with percent-encoding (RFC 3986 section 2.1)."""

import re
from typing import Final

from pyproxy.wire.percent import percent_decoded as decoded

__all__ = ["decoded", "decoded_but_slashes"]

_ESCAPE_BUT_SLASH: Final = re.compile(rb"%(?!2[Ff])([0-9A-Fa-f]{2})")


def decoded_but_slashes(path: bytes) -> bytes:
    """The path decoded once, its segments left whole: ``%2F`` stays as it is.

    RFC 3986 section 2.2: an encoded delimiter is data, not a delimiter.
    """
    return _ESCAPE_BUT_SLASH.sub(_octet, path)


def _octet(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode("ascii"))
