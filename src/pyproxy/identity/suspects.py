"""What in a head might be a key or token, where nobody was asked for one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pyproxy.identity.credential import (
    API_KEY,
    AUTHORIZATION,
    GOOGLE,
    SUB_PROTOCOL_PREFIX,
    SUB_PROTOCOLS,
    X_API_KEY,
)
from pyproxy.identity.echo import UNMISTAKABLE_BYTES, basic_credentials
from pyproxy.wire.head import RequestHead
from pyproxy.wire.percent import percent_decoded
from pyproxy.wire.target import Target

# The path, or the name of a parameter: nothing can be taken off there.
FIXED_PLACE: Final = "/"

# Where SDKs, gateways and people put keys.
_FIELDS: Final = frozenset(
    {AUTHORIZATION, X_API_KEY, API_KEY, GOOGLE, SUB_PROTOCOLS, b"xi-api-key", b"x-auth-token"}
)
_PARAMETERS: Final = frozenset(b"key api_key apikey api-key access_token token auth_token".split())
# Values of a fixed form, in which nobody has room for a key.
_FORMAL: Final = frozenset(
    b"accept accept-charset accept-encoding connection content-encoding content-length "
    b"content-type date expect host if-modified-since te transfer-encoding".split()
)
_BETWEEN_WORDS: Final = re.compile(rb"[^!-~]+|[,;\"']")
# Keys as `pyproxy keys new` makes them, and as most others are; and JWTs.
_RUNS: Final = re.compile(
    rb"e[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+|[A-Za-z0-9_\-]{%d,}" % UNMISTAKABLE_BYTES
)
_VISIBLE: Final = re.compile(rb"[!-~]+")


@dataclass(slots=True)
class Suspect:
    """Something that might be a credential.

    Attributes:
        token: Visible ASCII.
        place: As of ``Credential.places``; ``FIXED_PLACE`` where nothing can be taken off.
        is_likely: It is what such a place is for, so that it is worth a slow hash;
            at most one for each field and parameter.
    """

    token: bytes = field(repr=False)
    place: str
    is_likely: bool


def suspects(head: RequestHead, target: Target) -> Iterator[Suspect]:
    """Everything that might be one, in no particular order; some of it twice.

    In the places that are for credentials any word counts; elsewhere, in cookies too,
    only what is long enough to be a good key.
    """
    for name, line in head.lines:
        if name not in _FORMAL:
            value = line.partition(b":")[2].strip()
            likely = _likely(name, value) if name in _FIELDS else b""
            yield from _in_value(name.decode("ascii"), value, likely)
    for parameter in target.query.split(b"&") if target.query else ():
        name, _, value = parameter.partition(b"=")
        name, value = percent_decoded(name).lower(), percent_decoded(value)
        place = "?" + name.decode("ascii") if name.isascii() else FIXED_PLACE
        yield from _in_value(place, value, value if name in _PARAMETERS else b"")
        yield from _in_value(FIXED_PLACE, name, b"")
    for segment in target.path.split(b"/"):
        if len(segment) >= UNMISTAKABLE_BYTES:
            yield from _in_value(FIXED_PLACE, segment, b"")


def _likely(name: bytes, value: bytes) -> bytes:
    """What a field for credentials most likely shows; empty if nothing."""
    if name == SUB_PROTOCOLS:
        _, prefix, token = value.rpartition(SUB_PROTOCOL_PREFIX)
        return token.partition(b",")[0].strip() if prefix else b""
    user, _, password = basic_credentials(value).partition(b":")
    words = value.split(None, 2)
    return password or user or (words[min(1, len(words) - 1)] if words else b"")


def _in_value(place: str, value: bytes, likely: bytes) -> Iterator[Suspect]:
    if len(value) < UNMISTAKABLE_BYTES and not likely:
        return
    if likely and _VISIBLE.fullmatch(likely):
        yield Suspect(likely, place, is_likely=True)
    basic = basic_credentials(value)
    words = {basic, *basic.split(b":", 1)}
    for text in {value, percent_decoded(value)}:
        words |= {text, *_BETWEEN_WORDS.split(text), *_RUNS.findall(text)}
    words |= {word.partition(b"=")[2] for word in words}
    for word in words:
        if (len(word) >= UNMISTAKABLE_BYTES or likely) and _VISIBLE.fullmatch(word):
            yield Suspect(word, place, is_likely=False)
