"""The ways one path can be spelled, and the ways in which servers read a spelling.

No server reads a path in all of these ways, and each of these ways is some server's.
Whoever decides by a path asks for all readings, and takes the one that is closed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from pyproxy.wire.percent import OVERLONG, percent_decoded as decoded
from pyproxy.wire.syntax import Malformed

__all__ = ["PLAIN", "decoded", "decoded_but_slashes", "folded", "readings", "readings_and_climbs"]

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
_SLASH: Final = re.compile(r"/")
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
    found, climbs = readings_and_climbs(path)
    if climbs:
        raise Malformed("a dot segment in the path")
    return found


def readings_and_climbs(path: bytes) -> tuple[set[str], set[str]]:
    """As ``readings``; and where the path leads if dot segments come out of it at the very last.

    Encoded twice they are data of this path, a URL within it say, to all but servers that
    decode once too often.

    Raises:
        Malformed: As of ``readings``, of dot segments those alone that come out before all
            is decoded: a server might resolve them in between, and decode on.
    """
    plain = path.lower()
    if PLAIN.fullmatch(plain):
        return {plain.rstrip(b"/").decode() or "/"}, set()
    found: set[str] = set()
    climbs: set[str] = set()
    for form, is_last in _spelled(path):
        found.add(folded(form))
        if "." in form and _has_dot_segment(form):
            if not is_last:
                raise Malformed("a dot segment in the path")
            climbs |= _climbs(form)
    return found, climbs


def _spelled(path: bytes) -> Iterator[tuple[str, bool]]:
    """The path after each decoding, as text, and whether it was the last of several."""
    for decodings in range(MAX_DECODINGS):
        if _HOSTILE.search(path):
            raise Malformed("a control character or overlong UTF-8 in the path")
        once = _decoded(path)
        for text in _texts(path):
            for form in _forms(text):
                yield form, once == path and decodings > 0
        if once == path:
            return
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


def _has_dot_segment(path: str) -> bool:
    segments = _SLASHES.split(path)
    return any("." in segment and not segment.strip(". ") for segment in segments)


def _climbs(path: str) -> set[str]:
    """Where dot segments lead, whether or not backslashes part segments and empty ones count."""
    found: set[str] = set()
    for slashes in (_SLASHES, _SLASH):
        segments = slashes.split(path)
        found.add(folded("/".join(_resolved(segments))))
        found.add(folded("/".join(_resolved([segment for segment in segments if segment]))))
    return found


def _resolved(segments: Iterable[str]) -> list[str]:
    """RFC 3986 section 5.2.4; no server does with other dots what it does with these."""
    found: list[str] = []
    for segment in segments:
        if "." in segment and not segment.strip(". "):
            if segment not in {".", ".."}:
                raise Malformed("a segment of dots and spaces in the path")
            if segment == ".." and found:
                found.pop()
        else:
            found.append(segment)
    return ["", *found]


def _octet(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode("ascii"))


def _letter(escape: re.Match[bytes]) -> bytes:
    return chr(int(escape[1], 16)).encode("utf-8", "replace")
