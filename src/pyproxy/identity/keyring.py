"""The keys in force, ready to be looked up."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Self

from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.identity.keys_file import KeyEntry
from pyproxy.identity.principal import Principal

FINGERPRINT_DIGITS = 8  # of a key's SHA-256: enough to tell keys apart, nothing to attack


def fingerprint(key: str) -> str:
    """What a key without a name is called: the first hex digits of its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:FINGERPRINT_DIGITS]


class KeyRing:
    """API keys by what is kept of them; immutable, replaced as a whole.

    Plain and SHA-256 keys share one dictionary by digest: one look-up whatever
    their number, and no comparison of secrets that could be timed. They need no
    slow hash, since a generated key has 256 random bits. bcrypt hashes can only
    be tried one after the other (`hashing.BcryptGate`).
    """

    __slots__ = ("_by_digest", "_by_hash", "hashes")

    def __init__(
        self, by_digest: Mapping[bytes, Principal], by_hash: Mapping[bytes, Principal]
    ) -> None:
        self._by_digest = by_digest
        self._by_hash = by_hash
        self.hashes = tuple(by_hash)

    @classmethod
    def build(cls, entries: Iterable[KeyEntry]) -> Self:
        """Gather entries of every source.

        Raises:
            ConfigurationError: Two keys of one name, or one key with two
                meanings. The same key twice with the same meaning is fine.
        """
        known: dict[bytes, KeyEntry] = {}
        names: dict[str, KeyEntry] = {}
        faults: list[Fault] = []
        for entry in entries:
            twin = known.setdefault(entry.material, entry)
            namesake = names.setdefault(entry.name, entry) if entry.name else entry
            if _principal(twin) != _principal(entry):
                faults.append(Fault(entry.origin, f"the same key as at {twin.origin}"))
            elif namesake.material != entry.material:
                faults.append(Fault(entry.origin, f"the same name as at {namesake.origin}"))
        if faults:
            raise ConfigurationError(*faults)
        principals = {material: _principal(entry) for material, entry in known.items()}
        hashed = {material for material, entry in known.items() if entry.scheme == "bcrypt"}
        return cls(
            {material: who for material, who in principals.items() if material not in hashed},
            {material: who for material, who in principals.items() if material in hashed},
        )

    def __len__(self) -> int:
        """Keys of every kind."""
        return len(self._by_digest) + len(self._by_hash)

    def find(self, key: str) -> Principal | None:
        """Whose plain or SHA-256 key this is; says nothing of bcrypt keys."""
        return self._by_digest.get(hashlib.sha256(key.encode()).digest())

    def holder(self, key_hash: bytes, key: str) -> Principal | None:
        """Who holds the bcrypt key that was found to match ``key_hash``.

        Returns:
            None if the ring does not hold that hash (any more).
        """
        principal = self._by_hash.get(key_hash)
        if principal is None or principal.name:
            return principal
        name = fingerprint(key)
        return replace(principal, name=name, key_id=name)

    def vouches(self, key_hash: bytes, holder: Principal) -> bool:
        """Whether a match with ``key_hash`` still makes exactly ``holder``."""
        principal = self._by_hash.get(key_hash)
        if principal is not None and not principal.name:
            principal = replace(principal, name=holder.name, key_id=holder.key_id)
        return principal == holder


def _principal(entry: KeyEntry) -> Principal:
    name = entry.name
    if not name and entry.scheme != "bcrypt":
        name = entry.material.hex()[:FINGERPRINT_DIGITS]
    return Principal(
        name=name,
        kind="key",
        key_id=name,
        routes=entry.routes,
        limit=entry.limit,
        expires_at=entry.expires_at,
    )
