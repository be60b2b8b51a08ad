"""Revoked tokens that all machines refuse."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from pyproxy.config.store import OnFailure
from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import (
    DEFAULT_CAPACITY,
    GRACE_S,
    Revocations,
    RevokedTokens,
    short,
)
from pyproxy.store.line import Line
from pyproxy.store.roll import Roll
from pyproxy.store.roll_page import Entry

NAME: Final = "revoked"


class SpreadRevocations:
    """A list of this machine's that is kept in step with all others'.

    Looked up in the machine's own list alone, so that it costs what it costs there, and
    a token stays refused here whatever happens to the store.

    Args:
        local: The machine's list.
        line: To Redis.
        prefix: Of the keys.
        policy: "deny": `spread` fails while the store is down, and no token is taken for
            good before it was known once which ones are not.
        wall: Epoch seconds.
    """

    def __init__(
        self,
        local: RevokedTokens,
        line: Line,
        prefix: str,
        policy: OnFailure,
        wall: Callable[[], float],
    ) -> None:
        self._local = local
        self._policy = policy
        self._wall = wall
        self.roll = Roll(line, prefix, NAME, self._hear, self._lifted, DEFAULT_CAPACITY)
        if isinstance(local, Revocations):
            self.share(local.tokens())

    def share(self, tokens: Iterable[tuple[str, float]]) -> None:
        """Tell the others of tokens that are refused here already.

        Args:
            tokens: Ids as they are kept, and until when each is refused, epoch seconds.
        """
        for kept_id, until in tokens:
            _ = self.roll.remember(kept_id, Entry(until, 0.0))

    def is_revoked(self, token_id: str) -> bool:
        """Whether the token of this id is to be refused.

        Raises:
            StoreUnavailable: What others revoked was never read yet, and the policy is to deny.
        """
        if self._local.is_revoked(token_id):
            return True
        if self._policy == "deny" and not self.roll.is_merged:
            raise StoreUnavailable("which tokens are revoked is not known yet")
        return False

    def revoke(self, token_id: str, expires_at: float, wall: float) -> None:
        """Refuse a token from now on, on this machine; see ``spread``.

        Raises:
            StoreUnavailable: Too many are revoked; this one still is good.
        """
        self._local.revoke(token_id, expires_at, wall)
        _ = self.roll.remember(short(token_id), Entry(expires_at + GRACE_S, 0.0))

    async def spread(self, token_id: str, expires_at: float) -> None:
        """Return once the other machines refuse it too, or are sure to when they can.

        Raises:
            StoreUnavailable: The store is down and the policy is to deny, or it is full.
        """
        entry = Entry(expires_at + GRACE_S, 0.0)
        outcome = await self.roll.put(short(token_id), entry)
        if outcome == "full" or (not outcome and self._policy == "deny"):
            raise StoreUnavailable("revoked on this machine alone")

    def take_over(self, kept_id: str, until: float, wall: float) -> None:
        """Refuse what another list refuses."""
        self._local.take_over(kept_id, until, wall)
        _ = self.roll.remember(kept_id, Entry(until, 0.0))

    def _hear(self, kept_id: str, until: float) -> None:
        # Its bound is the shared list's: full here means that this machine has more of its own.
        with suppress(StoreUnavailable):
            self._local.take_over(kept_id, until, self._wall())

    def _lifted(self, kept_id: str) -> None:
        """Nobody is forgiven: a revoked token stays so until it has expired."""
