"""Tokens that were good and are to be refused for the rest of their time."""

import hashlib
from collections.abc import Iterator
from typing import Protocol

from pyproxy.errors.refusal import StoreUnavailable

DEFAULT_CAPACITY = 100_000  # tokens; about 200 bytes each, 20 MB when full
# A verifier lets a token live a little past its `exp` (leeway, at most 5 minutes).
GRACE_S = 300.0
# Longer ids, which an issuer of somebody else's may choose, are kept as digests.
MAX_ID_CHARACTERS = 64


class RevokedTokens(Protocol):
    """Token ids that are refused, by all who share the list, from the next request on.

    Never blocks. At the bound nothing is forgotten, since that would make a
    refused token good again.
    """

    def is_revoked(self, token_id: str) -> bool:
        """Whether the token of this id is to be refused; one without an id never is.

        Asked for every request with a token: as cheap as a look-up.

        Raises:
            StoreUnavailable: Nobody can say yet, and the configuration says to refuse then.
        """
        ...

    def revoke(self, token_id: str, expires_at: float, wall: float) -> None:
        """Refuse a token from now on, until it has expired.

        Args:
            token_id: Its ``jti``, or what stands for one; not empty.
            expires_at: Its ``exp``, epoch seconds.
            wall: Epoch seconds now.

        Raises:
            StoreUnavailable: Too many are revoked; this one still is good.
        """
        ...

    async def spread(self, token_id: str, expires_at: float) -> None:
        """Wait until a revoked token is refused by all who share the list.

        Args:
            token_id: As it was revoked.
            expires_at: Likewise.

        Raises:
            StoreUnavailable: Nobody can say when that will be, and the configuration says to
                refuse then; the token stays revoked on this machine.
        """
        ...

    def take_over(self, kept_id: str, until: float, wall: float) -> None:
        """Refuse what another list refuses.

        Args:
            kept_id: The token's id as `short` gives it.
            until: As long as that list does, epoch seconds.
            wall: Epoch seconds now.

        Raises:
            StoreUnavailable: Too many are revoked; this one still is good here.
        """
        ...


class Revocations:
    """Token ids that are refused, each until its token has expired anyway.

    At the bound nothing is forgotten, since that would make a refused token
    good again: a further one is refused itself, until others have expired.
    """

    __slots__ = ("_capacity", "_sweep_at", "_until")

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._until: dict[str, float] = {}
        self._sweep_at = 0.0  # epoch seconds before which a sweep would find nothing

    def __len__(self) -> int:
        """Tokens held, expired ones that are not swept yet included."""
        return len(self._until)

    def is_revoked(self, token_id: str) -> bool:
        """Whether the token of this id is to be refused; one without an id never is."""
        return short(token_id) in self._until

    def revoke(self, token_id: str, expires_at: float, wall: float) -> None:
        """Refuse a token from now on.

        Args:
            token_id: Its ``jti``, or what stands for one; not empty.
            expires_at: Its ``exp``, epoch seconds.
            wall: Epoch seconds now.

        Raises:
            StoreUnavailable: Too many are revoked; this one still is good.
        """
        if not token_id:
            raise ValueError("a token without an id cannot be revoked")
        self.take_over(short(token_id), expires_at + GRACE_S, wall)

    async def spread(self, token_id: str, expires_at: float) -> None:
        """Nobody else has the list."""

    def take_over(self, kept_id: str, until: float, wall: float) -> None:
        """Refuse what another list refuses; see ``RevokedTokens``."""
        if len(self._until) >= self._capacity and wall >= self._sweep_at:
            self.sweep(wall)
        if len(self._until) >= self._capacity and kept_id not in self._until:
            raise StoreUnavailable("too many revoked tokens")
        self._until[kept_id] = max(until, self._until.get(kept_id, 0.0))

    def sweep(self, wall: float) -> None:
        """Forget tokens that have expired by ``wall``; costs time in all that are held."""
        self._until = {name: until for name, until in self._until.items() if until > wall}
        self._sweep_at = min(self._until.values(), default=0.0)

    def tokens(self) -> Iterator[tuple[str, float]]:
        """What is held: each token's id, shortened if it was long, and until when (epoch s)."""
        return iter(self._until.items())


def short(token_id: str) -> str:
    """An id as it is kept: of a long one the digest."""
    if len(token_id) <= MAX_ID_CHARACTERS:
        return token_id
    return "sha256:" + hashlib.sha256(token_id.encode()).hexdigest()
