"""Tokens checked against the keys in force, and against fresher ones if need be."""

from typing import Protocol

from pyproxy.identity.claims import Claims, TokenRules
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.principal import Principal
from pyproxy.identity.tokens import UnknownKey, verify


class KeyRefresher(Protocol):
    """Gets a fresher key set when a token names a key that nobody knows.

    Returns within about a second whatever the far side does, never raises for
    its sake, and limits by itself how often it asks. What it found is in the
    ``KeySets`` when it returns.
    """

    async def freshen(self) -> None:
        """Try to have newer keys."""
        ...


class JwtVerifier:
    """Says who the bearer of a token is."""

    __slots__ = ("_key_sets", "_refresher", "_rules")

    def __init__(
        self, key_sets: KeySets, rules: TokenRules, refresher: KeyRefresher | None = None
    ) -> None:
        self._key_sets = key_sets
        self._rules = rules
        self._refresher = refresher

    @property
    def generation(self) -> int:
        """Differs whenever what verified before might not verify now."""
        return self._key_sets.generation

    async def verify(self, token: str, wall: float) -> Principal:
        """Whose token it is.

        The principal is good up to the token's ``exp`` and the leeway.

        Args:
            token: Compact form, as the client sent it.
            wall: Epoch seconds.

        Raises:
            InvalidToken: It is not good, ``UnknownKey`` included.
            ExpiredToken: It was good until its time was past.
        """
        try:
            claims = verify(token, self._key_sets.current, self._rules, wall)
        except UnknownKey:
            if self._refresher is None:
                raise
            await self._refresher.freshen()
            claims = verify(token, self._key_sets.current, self._rules, wall)
        return self._principal(claims)

    def _principal(self, claims: Claims) -> Principal:
        return Principal(
            name=claims.subject,
            kind="jwt",
            key_id=claims.key_id,
            routes=claims.routes,
            limit=claims.limit,
            expires_at=claims.expires_at + self._rules.leeway_s,
            token_id=claims.token_id,
        )
