"""The ways one path can be spelled, and the ways in which servers read a spelling.

No server reads a path in all of these ways, and each of these ways is some server's.
Whoever decides by a path asks for all readings, and takes the one that is closed.
"""

import re
import unicodedata
from typing import Final

from pyproxy.wire.percent import OVERLONG, percent_decoded as decoded
from pyproxy.wire.syntax import Malformed

__all__ = ["PLAIN", "decoded", "decoded_but_slashes", "folded", "readings"]

# No honest path is encoded this often; each round is one more decoder that may
# stand between the gateway and whoever serves the path.
MAX_DECODINGS: Final = 4

# Paths that every server reads in one way, if it does not care for case.
PLAIN: Final = re.compile(rb"(?:/[a-z0-9_\-]++(?:\.[a-z0-9_\-]++)*+)*+/?+")

_ESCAPE_BUT_SLASH: Final = re.compile(rb"%(?!2[Ff])([0-9A-Fa-f]{2})")
# Microsoft's own escape, which its servers undo beside the other one.
_UNICODE_ESCAPE: Final = re.compile(rb"%[uU]([0-9A-Fa-f]{4})")
# Control characters end a text for C, and are left out by URL parsers.
_HOSTILE: Final = re.compile(rb"[\x00-\x1f\x7f]|" + OVERLONG)
# Of what is no ASCII, the letters that old Windows code pages turn into a slash.
_SLASHES: Final = re.compile(r"[/\\\u2044\u2215\u29f8]+")
_PARAMETERS: Final = re.compile(r";[^/]*")
_END: Final = re.compile(r"[?#]")
_SPECIAL: Final = re.compile(r"[^a-z0-9/_\-]")


def decoded_but_slashes(path: bytes) -> bytes:
    """The path decoded once, its segments left whole: ``%2F`` stays as it is.

    RFC 3986 section 2.2: an encoded delimiter is data, not a delimiter.
    """
    return _ESCAPE_BUT_SLASH.sub(_octet, path)


def readings(path: bytes) -> set[str]:
    """Every path, folded, that some server might take this one for.

    Differences of case, escapes several times over, a slash, dot or space at the end of a
    segment, repeated slashes and backslashes, ``;parameters``, an escaped ``?`` or ``#``,
    full-width letters and octets that are no UTF-8 are undone, each as somebody does it.

    Args:
        path: As sent, without its query.

    Raises:
        Malformed: It holds what nobody sends in good faith and somebody trips over:
            dot segments, control characters, overlong UTF-8, or escapes without end.
    """
    plain = path.lower()
    if PLAIN.fullmatch(plain):
        return {plain.rstrip(b"/").decode() or "/"}
    found: set[str] = set()
    for _ in range(MAX_DECODINGS):
        if _HOSTILE.search(path):
            raise Malformed("a control character or overlong UTF-8 in the path")
        for text in _texts(path):
            for form in _forms(text):
                _check_segments(form)
                found.add(folded(form))
        once = _decoded(path)
        if once == path:
            return found
        path = once
    raise Malformed("the path is escaped many times over")


def folded(path: str) -> str:
    """One spelling for all that differ in case, slashes, and dots or spaces at segments' ends."""
    path = path.casefold()
    if _SPECIAL.search(path):
        segments = [segment.strip(" ").rstrip(". ") for segment in _SLASHES.split(path)]
        path = "/".join(segments)
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/") or "/"


def _decoded(path: bytes) -> bytes:
    """Decoded once more, and full-width letters made plain: one may be a percent sign."""
    if b"%" in path:
        path = decoded(_UNICODE_ESCAPE.sub(_letter, path))
    if not path.isascii():
        text = path.decode("utf-8", "surrogateescape")
        path = unicodedata.normalize("NFKC", text).encode("utf-8", "surrogateescape")
    return path


def _texts(path: bytes) -> set[str]:
    """What the octets are taken for: what is no UTF-8 is replaced, or left out."""
    return {path.decode("utf-8", "replace"), path.decode("utf-8", "ignore")}


def _forms(path: str) -> set[str]:
    """With and without parameters, or with nothing from there on; likewise a query."""
    forms = {path}
    if "?" in path or "#" in path:
        forms.add(_END.split(path, maxsplit=1)[0])
    for form in tuple(forms):
        if ";" in form:
            forms |= {_PARAMETERS.sub("", form), form.partition(";")[0]}
    return forms


def _check_segments(path: str) -> None:
    if "." not in path:
        return
    for segment in _SLASHES.split(path):
        if "." in segment and not segment.strip(". "):
            raise Malformed("a dot segment in the path")


def _octet(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode("ascii"))


def _letter(escape: re.Match[bytes]) -> bytes:
    return chr(int(escape[1], 16)).encode("utf-8", "replace")
