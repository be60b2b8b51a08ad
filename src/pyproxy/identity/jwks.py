"""A set of keys that verify tokens (RFC 7517 §5)."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.jwk import KeyFault, VerificationKey, read_key
from pyproxy.identity.jwk_members import BadKey, is_private
from pyproxy.identity.names import is_name
from pyproxy.identity.strict_json import BadJson, parse_object

# The largest public set seen (Google Cloud's service accounts) is under 30 KiB.
MAX_SET_BYTES = 256 * 1024
_MAX_KEYS = 100


class BadKeySet(ConfigurationError):
    """A document that is no JWK set at all, or has nothing usable in it."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(Fault(source, problem))


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys that verify, and what was wrong with those that do not.

    Attributes:
        keys: Usable keys, in the document's order; no two have the same name.
        faults: Keys left out.
        source: Where the set came from: a path or a URL.
    """

    keys: tuple[VerificationKey, ...] = ()
    faults: tuple[KeyFault, ...] = ()
    source: str = ""

    @classmethod
    def parse(
        cls, document: bytes, *, algorithms: Collection[str], source: str, public_only: bool
    ) -> Self:
        """Read a JWK set; a bad key is left out by name, the others stay.

        Args:
            document: JSON, at most 256 KiB and 100 keys.
            algorithms: The only ones allowed.
            source: Named in faults.
            public_only: The set is there for everyone to read: a key with a
                private member is compromised, refused, and an alarm.

        Raises:
            BadKeySet: The document is not a JWK set. One without a usable key
                is; whether that will do is the caller's to say.
        """
        keys: list[VerificationKey] = []
        faults: list[KeyFault] = []
        entries = read_entries(document, source)
        repeated = _repeated_names(entries)
        for position, entry in enumerate(entries, start=1):
            result = _judge(entry, f"#{position}", algorithms, repeated, public_only=public_only)
            if isinstance(result, KeyFault):
                faults.append(result)
            else:
                keys.append(result)
        return cls(tuple(keys), tuple(faults), source)

    def find(self, kid: str | None, alg: str) -> VerificationKey | None:
        """The key for a token, or ``None``.

        A token that names a key gets the key of that very name, whatever its
        algorithm: the caller compares. One that names none gets the only key of
        that algorithm; where there are several, nobody guesses.

        Args:
            kid: As the token has it; ``None`` where it has none.
            alg: As the token has it; used only without ``kid``.
        """
        if kid is None:
            return _the_only([key for key in self.keys if key.alg == alg])
        return next((key for key in self.keys if key.kid and key.kid == kid), None)

    def merge(self, other: Self) -> Self:
        """Both sets' keys; where a name stands for two keys, ours is kept.

        So a remote source cannot take the place of a key of our own by giving
        one the same name.
        """
        ours = {key.kid: key for key in self.keys if key.kid}
        added = [key for key in other.keys if key.kid not in ours]
        taken = [
            KeyFault(key.kid, f"{other.source or 'another set'} gives this name to another key")
            for key in other.keys
            if key.kid in ours and key.public != ours[key.kid].public
        ]
        return type(self)(
            keys=(*self.keys, *added),
            faults=(*self.faults, *other.faults, *taken),
            source=self.source or other.source,
        )

    @property
    def has_private_key(self) -> bool:
        """Whether one of the usable keys came with its private half."""
        return any(key.is_private for key in self.keys)

    @property
    def digest(self) -> str:
        """Hex digest of the usable keys; the same for the same keys in any order."""
        lines = sorted(f"{key.kid}\n{key.alg}\n{key.thumbprint}" for key in self.keys)
        return hashlib.sha256("\n\n".join(lines).encode()).hexdigest()

    def to_public(self) -> bytes:
        """The set as a JSON document without anything private."""
        return json.dumps({"keys": [key.to_jwk() for key in self.keys]}).encode()


def read_entries(document: bytes, source: str) -> list[object]:
    """The entries of a JWK set's ``keys``, not looked at.

    Raises:
        BadKeySet: Too large, too many, not JSON, or no list of keys.
    """
    if len(document) > MAX_SET_BYTES:
        raise BadKeySet(source, "a JWK set of more than 256 KiB")
    try:
        entries = parse_object(document).get("keys")
    except BadJson as exc:
        raise BadKeySet(source, f"not a JWK set: {exc}") from exc
    if not isinstance(entries, list):
        raise BadKeySet(source, 'not a JWK set: "keys" is missing or not a list')
    if len(entries) > _MAX_KEYS:
        raise BadKeySet(source, f"a JWK set of more than {_MAX_KEYS} keys")
    return entries


def _judge(
    entry: object,
    position: str,
    algorithms: Collection[str],
    repeated: frozenset[str],
    *,
    public_only: bool,
) -> VerificationKey | KeyFault:
    if not isinstance(entry, dict):
        return KeyFault(position, "not a JSON object")
    name = _spoken_name(entry, position)
    if public_only and is_private(entry):
        return KeyFault(name, "a private or symmetric key in a public set", is_alarm=True)
    if name in repeated:
        return KeyFault(name, "kid stands for more than one key; none of them is used")
    try:
        return read_key(entry, algorithms)
    except BadKey as exc:
        return KeyFault(name, str(exc))


def _the_only(fitting: list[VerificationKey]) -> VerificationKey | None:
    # Merged sets may hold one key twice, once with a name and once without.
    distinct = {key.thumbprint for key in fitting}
    return fitting[0] if len(distinct) == 1 else None


def _repeated_names(entries: Iterable[object]) -> frozenset[str]:
    names = Counter(
        entry["kid"]
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str)
    )
    return frozenset(name for name, count in names.items() if count > 1)


def _spoken_name(entry: Mapping[str, object], position: str) -> str:
    kid = entry.get("kid")
    return kid if isinstance(kid, str) and is_name(kid) else position
