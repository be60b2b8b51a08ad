"""Who is asking, once that is certain."""

from dataclasses import dataclass
from typing import Literal

from pyproxy.config.quantities import Rate

Kind = Literal["key", "jwt", "token", "mtls", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller.

    Attributes:
        name: Who, as logs, limits and an upstream's identity header say it.
            Empty for the anonymous caller alone.
        kind: What proved it: an API key, a JWT, the shared secret, a client
            certificate, or nothing.
        key_id: The key's name, or the first 8 hex digits of its SHA-256; for a
            JWT the id of the key that signed it.
        routes: Names of the routes it may use; None for every route.
        limit: A rate of its own, besides the routes'.
        expires_at: Epoch seconds from which it is no longer good.
        token_id: What a revocation names; empty for what cannot be revoked.
    """

    name: str
    kind: Kind
    key_id: str = ""
    routes: frozenset[str] | None = None
    limit: Rate | None = None
    expires_at: float | None = None
    token_id: str = ""

    def is_expired(self, wall: float) -> bool:
        """Whether its time is over at ``wall``, epoch seconds."""
        return self.expires_at is not None and self.expires_at <= wall


ANONYMOUS = Principal(name="", kind="anonymous")
