"""What was verified a while ago, so that it need not be verified again."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pyproxy.identity.principal import Principal

DEFAULT_CAPACITY = 10_000  # entries; about 400 bytes each, 4 MB when full
DIGEST_BYTES = 16  # collisions would need 2**64 attempts with a key that nobody knows


@dataclass(slots=True)
class Memory:
    """One verified credential.

    Attributes:
        principal: Whose it is.
        since: Epoch seconds of the verification.
        until: Epoch seconds from which it must be verified again.
        proof: What vouched for it: the bcrypt hash it matched; empty for a JWT.
    """

    principal: Principal
    since: float
    until: float
    proof: bytes


class Recall:
    """Verified credentials, and failed ones, by a keyed digest.

    Credentials themselves are not kept. Both tables are bounded: when one is
    full, its least recently used entry makes room. Failures have a table of
    their own, so that guessing does not push anybody out.

    A wall clock set back behind the moment of verification ends the entry's time
    rather than extending it. Of a key that was hashed it is then still known which
    hash it matched, until it is the least recently used.

    Args:
        secret: At least 16 random bytes of this process, at most 64 (BLAKE2b).
        capacity: Entries in each table.
    """

    __slots__ = ("_capacity", "_failed", "_good", "_hasher")

    def __init__(self, secret: bytes, capacity: int = DEFAULT_CAPACITY) -> None:
        self._hasher = hashlib.blake2b(key=secret, digest_size=DIGEST_BYTES)
        self._capacity = capacity
        self._good: OrderedDict[bytes, Memory] = OrderedDict()
        self._failed: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        """Verified credentials held."""
        return len(self._good)

    def get(self, token: str, wall: float) -> Principal | None:
        """Whose credential this was found to be, if that still holds."""
        hasher = self._hasher.copy()
        hasher.update(token.encode())
        digest = hasher.digest()
        memory = self._good.get(digest)
        if memory is None:
            return None
        if memory.since <= wall < memory.until:
            self._good.move_to_end(digest)
            return memory.principal
        if not memory.proof:
            del self._good[digest]
        return None

    def lapsed(self, token: str) -> bytes:
        """The hash that a key matched before its time here was over; empty if none is known.

        It proves nothing any more, but is the one to try first.
        """
        memory = self._good.get(self._digest(token))
        return b"" if memory is None else memory.proof

    def remember(
        self, token: str, principal: Principal, wall: float, until: float, proof: bytes = b""
    ) -> None:
        """Keep that ``token`` is ``principal``'s, from ``wall`` to ``until``."""
        digest = self._digest(token)
        self._good[digest] = Memory(principal, wall, until, proof)
        self._good.move_to_end(digest)
        if len(self._good) > self._capacity:
            self._good.popitem(last=False)

    def remember_failure(self, token: str, until: float) -> None:
        """Keep until ``until`` that ``token`` matches no bcrypt hash."""
        digest = self._digest(token)
        self._failed[digest] = until
        self._failed.move_to_end(digest)
        if len(self._failed) > self._capacity:
            self._failed.popitem(last=False)

    def is_known_failure(self, token: str, wall: float) -> bool:
        """Whether ``token`` was tried in vain not long ago."""
        return self._failed.get(self._digest(token), wall) > wall

    def forget(self, is_gone: Callable[[Memory], bool]) -> None:
        """Drop what ``is_gone`` says is no longer good."""
        for digest in [digest for digest, memory in self._good.items() if is_gone(memory)]:
            del self._good[digest]

    def forget_failures(self) -> None:
        """Drop every failure: a key that was wrong may be right now."""
        self._failed.clear()

    def clear(self) -> None:
        """Drop everything."""
        self._good.clear()
        self._failed.clear()

    def _digest(self, token: str) -> bytes:
        hasher = self._hasher.copy()
        hasher.update(token.encode())
        return hasher.digest()
