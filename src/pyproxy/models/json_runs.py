"""The grammar of JSON (RFC 8259) as patterns that take long runs of it at once.

They take what is whole and exactly JSON, and stop before what is not, or not yet: a walk that
goes on from there by single steps is strict about all of it, and needs few. Nothing backtracks,
and a text is looked at once for each of ``LEVELS`` at most.
"""

import re
from typing import Final

from pyproxy.models.name import core

# Containers within one another that one match takes; a chat's messages have three. Each
# level doubles the patterns.
LEVELS: Final = 3
# Containers that one match enters, or leaves.
MAX_CLIMB: Final = 6
# Any double is written out with 309 digits before the point or fewer; CPython reads 4300.
MAX_DIGITS: Final = 400
# Bytes; no name of any API's parameters is nearly so long.
MAX_PLAIN_NAME: Final = 256

_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))

_W: Final = rb"[ \t\n\r]*+"
_ESCAPE: Final = rb'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})'
_CONTENT: Final = rb'[^"\\\x00-\x1f]*+(?:' + _ESCAPE + rb'[^"\\\x00-\x1f]*+)*+'
_STRING: Final = b'"' + _CONTENT + b'"'
_DIGITS: Final = b"[0-9]{1,%d}+" % MAX_DIGITS
_NUMBER: Final = rb"-?+(?:0|[1-9][0-9]{0,%d}+)(?:\.%b)?+(?:[eE][+\-]?+%b)?+" % (
    MAX_DIGITS - 1,
    _DIGITS,
    _DIGITS,
)
_SCALAR: Final = b"(?:" + _NUMBER + b"|true|false|null)"
_NAME: Final = _STRING + _W + b":" + _W
_PLAIN: Final = rb"[ !#-\[\]-~]{0,%d}+" % MAX_PLAIN_NAME


def _container(opening: bytes, name: bytes, value: bytes, closing: bytes) -> bytes:
    end = b"\\" + closing
    one = name + value + _W + b"(?:," + _W + b"(?!" + end + b")|(?=" + end + b"))"
    return b"\\" + opening + _W + b"(?:" + one + b")*+" + end


def _value(levels: int) -> bytes:
    """A value that has at most so many containers within one another."""
    kinds = [_STRING, _SCALAR]
    if levels:
        inner = _value(levels - 1)
        kinds += [_container(b"[", b"", inner, b"]"), _container(b"{", _NAME, inner, b"}")]
    return b"(?:" + b"|".join(kinds) + b")"


def _one(name: bytes, levels: int) -> bytes:
    """A value with the comma behind it, or before the bracket that ends its container."""
    return _W + name + _value(levels) + _W + rb"(?:,|(?=[\]}]))"


def _run(name: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(?:" + _one(name, LEVELS) + b")++")


def members_but(key: str) -> re.Pattern[bytes]:
    """As ``MEMBERS``, but of plain names alone, and of none that anybody could take for ``key``."""
    noise = rb"[ !#-/:-@\[\]-`{-~]*+"
    letters = (b"[%c%c]" % (letter, letter ^ 0x20) for letter in core(key).encode("ascii"))
    no_key = b"(?!" + noise + noise.join(letters) + noise + b'")'
    return _run(b'"' + no_key + _PLAIN + b'"' + _W + b":" + _W)


def _descent() -> re.Pattern[bytes]:
    before = _value(1) + _W + b"," + _W
    in_list = rb"\[" + _W + b"(?:" + before + b")*+"
    in_object = rb"\{" + _W + b"(?:" + _NAME + before + b")*+" + _NAME
    return re.compile(b"(?:(?:" + in_list + b"|" + in_object + b")" + _W + b"){1,%d}+" % MAX_CLIMB)


def _ascent(most: int) -> re.Pattern[bytes]:
    behind = b"(?:" + _W + b"," + _W + b"%b" + _value(1) + b")*+" + _W
    around = b"(?:" + behind % b"" + rb"\]|" + behind % _NAME + rb"\})"
    return re.compile(_W + rb"[\]}]" + around + b"{0,%d}+" % (most - 1))


def brackets(climb: bytes) -> bytes:
    """The brackets that a descent opens or an ascent closes, in their order."""
    if not climb.strip(b"[]{}"):
        return climb
    found = STRING.sub(b"", climb) if b'"' in climb else climb
    return found.translate(None, _NO_BRACKETS).replace(b"[]", b"").replace(b"{}", b"")


WHITE: Final = re.compile(_W)
STRING: Final = re.compile(_STRING)
PLAIN_NAME: Final = re.compile(b'"' + _PLAIN + b'"')
# Of a string; what has been cut off behind it is an escape that goes on, or nothing.
CONTENT: Final = re.compile(_CONTENT)
CUT_ESCAPE: Final = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3}+)?+\Z")
SCALAR: Final = re.compile(_SCALAR + rb"(?=[ \t\n\r,\]}])")
CUT_SCALAR: Final = re.compile(rb"[0-9A-Za-z+\-.]++\Z")
ELEMENTS: Final = _run(b"")
MEMBERS: Final = _run(_NAME)
# What stands behind the name of a member.
MEMBER_REST: Final = re.compile(_W + b":" + _one(b"", 1))
# Containers that begin within one another, with flat values before the next one.
DESCENT: Final = _descent()
# Containers that end around one another, so many at most, with flat values behind the one before.
ASCENTS: Final = tuple(_ascent(most) for most in range(1, MAX_CLIMB + 1))
