"""The keys file: lines of text to key entries."""

import calendar
import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Literal

from pyproxy.config.quantities import Rate
from pyproxy.errors.fault import ConfigurationError, Fault

MAX_KEY_BYTES = 4096  # as long as a credential may be ([auth] max_token)
SHORT_KEY = 16  # characters; fewer can be guessed
# Below 10 a leaked file is cheap to attack; above 15 one attempt takes seconds of a core.
ADVISED_COSTS = range(10, 16)
BCRYPT_PREFIX = "$2"
SHA256_PREFIX = "sha256:"

_NAME = re.compile(r"[A-Za-z0-9_.@+/-]{1,128}")
# 16 bytes of salt in 22 digits, 23 of hash in 31. The salt's last digit carries two
# bits only; with others set the bcrypt library refuses the hash at every attempt.
_BCRYPT = re.compile(
    r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}"
)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_VISIBLE = re.compile(r"[!-~]+")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_S = 86_400
_JWT_DOTS = 2  # header.payload.signature (RFC 7515 section 7.1)

Scheme = Literal["plain", "sha256", "bcrypt"]


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key that opens the gateway, and what it may do.

    Attributes:
        scheme: How the operator wrote it down; a plain key is kept as its digest.
        material: SHA-256 digest (32 bytes), or the bcrypt hash.
        name: Empty for a key without one.
        origin: Where it is written, for faults: ``keys.txt:3``.
        expires_at: Epoch seconds from which it is no longer good.
        routes: Names of the routes it opens; None for every route.
        limit: A rate of its own.
        is_short: Whether it is plain and can be guessed.
    """

    scheme: Scheme
    material: bytes = field(repr=False)
    name: str = ""
    origin: str = ""
    expires_at: float | None = None
    routes: frozenset[str] | None = None
    limit: Rate | None = None
    is_short: bool = False


class _Malformed(Exception):
    """What is wrong with one line; never holds any of its key."""


def parse_keys_file(text: str, path: str) -> tuple[KeyEntry, ...]:
    """The entries of a keys file.

    Args:
        text: One key a line; ``#`` comments and blank lines are left out.
        path: The file's name, for faults.

    Raises:
        ConfigurationError: With a fault for every line that is malformed, or
            that repeats a name or a key of an earlier one.
    """
    entries: list[KeyEntry] = []
    faults: list[Fault] = []
    seen: dict[tuple[str, object], str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        words = list(takewhile(lambda word: not word.startswith("#"), line.split()))
        if not words:
            continue
        origin = f"{path}:{number}"
        try:
            entry = _entry(words, origin)
            _refuse_repeated(entry, seen)
            entries.append(entry)
        except _Malformed as malformed:
            faults.append(Fault(origin, str(malformed)))
    if faults:
        raise ConfigurationError(*faults)
    return tuple(entries)


def parse_plain_keys(keys: Iterable[str], path: str) -> tuple[KeyEntry, ...]:
    """Entries of the plain keys that the configuration lists; repeated ones once.

    Raises:
        ConfigurationError: With a fault for every key that no client could send.
    """
    entries: dict[bytes, KeyEntry] = {}
    faults: list[Fault] = []
    for number, key in enumerate(keys):
        origin = f"{path}[{number}]"
        try:
            entry = _plain(key, origin)
            entries.setdefault(entry.material, entry)
        except _Malformed as malformed:
            faults.append(Fault(origin, str(malformed)))
    if faults:
        raise ConfigurationError(*faults)
    return tuple(entries.values())


def weak_keys(entries: Iterable[KeyEntry]) -> tuple[Fault, ...]:
    """Remarks on keys that work and are not as safe as they should be."""
    remarks = []
    for entry in entries:
        if entry.is_short:
            remarks.append(Fault(entry.origin, f"a key under {SHORT_KEY} characters is guessable"))
        if entry.scheme == "bcrypt" and int(entry.material[4:6]) not in ADVISED_COSTS:
            low, high = ADVISED_COSTS[0], ADVISED_COSTS[-1]
            remarks.append(
                Fault(
                    entry.origin, f"a bcrypt cost outside {low} to {high} is too cheap or too slow"
                )
            )
    return tuple(remarks)


def _refuse_repeated(entry: KeyEntry, seen: dict[tuple[str, object], str]) -> None:
    for what, mark in (("name", entry.name), ("key", entry.material)):
        if not mark:
            continue
        first = seen.setdefault((what, mark), entry.origin)
        if first != entry.origin:
            raise _Malformed(f"the same {what} as at {first}; each may be there once")


def _entry(words: list[str], origin: str) -> KeyEntry:
    options = _options(words[1:])
    return replace(
        _key(words[0], origin),
        expires_at=_expiry(options["expires"]) if "expires" in options else None,
        routes=_routes(options["routes"]) if "routes" in options else None,
        limit=_limit(options["limit"]) if "limit" in options else None,
    )


def _key(word: str, origin: str) -> KeyEntry:
    if word.startswith((BCRYPT_PREFIX, SHA256_PREFIX)):
        return _hashed("", word, origin)
    name, colon, rest = word.partition(":")
    if not colon:
        return _plain(word, origin)
    # `name:something` is refused, not taken for a plain key with a colon in it: a hash
    # with a typing error would otherwise become a password that is its own text.
    if not rest.startswith((BCRYPT_PREFIX, SHA256_PREFIX)):
        raise _Malformed(
            "after 'name:' a bcrypt hash ($2b$...) or sha256:<64 hex digits> is expected;"
            " a plain key has no name and no colon"
        )
    if not _NAME.fullmatch(name):
        raise _Malformed("a name is 1 to 128 letters, digits, or any of _ . @ + / -")
    return _hashed(name, rest, origin)


def _hashed(name: str, word: str, origin: str) -> KeyEntry:
    if word.startswith(BCRYPT_PREFIX):
        if not _BCRYPT.fullmatch(word):
            raise _Malformed("a malformed bcrypt hash; 'pyproxy keys hash' makes a sound one")
        return KeyEntry("bcrypt", word.encode(), name, origin)
    digest = word.removeprefix(SHA256_PREFIX)
    if not _SHA256.fullmatch(digest):
        raise _Malformed("after 'sha256:' exactly 64 hex digits are expected")
    return KeyEntry("sha256", bytes.fromhex(digest), name, origin)


def _plain(key: str, origin: str) -> KeyEntry:
    if not key:
        raise _Malformed("an empty key")
    if len(key) > MAX_KEY_BYTES:
        raise _Malformed(f"a key over {MAX_KEY_BYTES} bytes; no client could send it")
    if not _VISIBLE.fullmatch(key):
        raise _Malformed("a key is visible ASCII characters, without spaces")
    if key.count(".") == _JWT_DOTS:
        raise _Malformed("a key with exactly two dots would be taken for a JWT")
    digest = hashlib.sha256(key.encode()).digest()
    return KeyEntry("plain", digest, "", origin, is_short=len(key) < SHORT_KEY)


def _options(words: list[str]) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        # The word itself is not repeated: it may be the second half of a key.
        if name not in {"expires", "routes", "limit"} or not equals or not value:
            raise _Malformed(
                "after the key only expires=DATE, routes=A,B and limit=RATE may follow"
            )
        if name in options:
            raise _Malformed(f"{name}= is there twice")
        options[name] = value
    return options


def _expiry(text: str) -> float:
    """The end of the named day, UTC: it is the last one on which the key is good."""
    match = _DATE.fullmatch(text)
    if match:
        year, month, day = map(int, match.groups())
        with suppress(calendar.IllegalMonthError):
            if year and 1 <= day <= calendar.monthrange(year, month)[1]:
                return float(calendar.timegm((year, month, day, 0, 0, 0)) + _DAY_S)
    raise _Malformed("expires= wants a day that exists, as in expires=2027-01-31")


def _routes(text: str) -> frozenset[str]:
    names = text.split(",")
    if not all(names):
        raise _Malformed("routes= wants names with commas between, as in routes=openai,anthropic")
    return frozenset(names)


def _limit(text: str) -> Rate:
    try:
        return Rate.parse(text)
    except ValueError:
        raise _Malformed("limit= wants a rate, as in limit=20r/s, 5r/m or 100r/h") from None
