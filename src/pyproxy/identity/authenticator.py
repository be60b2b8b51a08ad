"""From a presented credential to a verified caller."""

from typing import Protocol

from pyproxy.errors.refusal import (
    AttemptsSpent,
    ExpiredToken,
    InvalidToken,
    RateLimited,
    Refusal,
    Unauthenticated,
)
from pyproxy.identity.credential import Credential
from pyproxy.identity.hashing import BcryptGate
from pyproxy.identity.keyring import KeyRing
from pyproxy.identity.principal import Principal
from pyproxy.identity.recall import Memory, Recall
from pyproxy.identity.revocations import RevokedTokens


class TokenVerifier(Protocol):
    """Verifies JWTs; may await a refresh of its key set."""

    @property
    def generation(self) -> int:
        """Differs whenever what verified before might not verify now.

        Read for every request: as cheap as an attribute.
        """
        ...

    async def verify(self, token: str, wall: float) -> Principal:
        """Whose token it is: kind ``jwt``, with ``expires_at`` and ``token_id``.

        ``token_id`` is never empty: a token without ``jti`` gets one made from
        its digest, so that it can be revoked.

        Raises:
            Unauthenticated: It is not good; `ExpiredToken` if nothing but its time is wrong.
        """
        ...


class Budget(Protocol):
    """How many failed authentications the client has left (the limit ``auth``).

    Good requests cost nothing. What is reserved and not refunded is spent: a
    client that leaves while its key is hashed has had its attempt.
    """

    @property
    def client(self) -> str:
        """Who is taken for one client: an address, or the network that stands for it."""
        ...

    async def reserve(self) -> None:
        """Set one failure aside before work is done; raises RateLimited if none is left."""
        ...

    async def refund(self) -> None:
        """Put back what was reserved: the credential was good, or was not tried."""
        ...

    async def spend(self) -> None:
        """Count a failure; raises RateLimited if none was left."""
        ...


async def spend(budget: Budget, refusal: Refusal) -> None:
    """Count a refusal as a failure; where none is left it is no more of an attempt than before.

    Raises:
        RateLimited: None was left.
    """
    try:
        await budget.spend()
    except AttemptsSpent as spent:
        if refusal.is_failed_attempt:
            raise
        raise spent.uncounted() from spent


class Authenticator:
    """Says whose a credential is, as fast as its kind allows.

    For each request ``recall(...)``, which never waits, and if that gives None
    ``await verify(...)``, which decides. No state is read before and written
    after an await without being looked at again, so that a reload in between
    leaves no dead credential remembered.

    Args:
        keyring: The API keys in force.
        recall: Remembers bcrypt keys and JWTs; the authenticator's own.
        gate: Tries bcrypt hashes.
        tokens: None where no JWT can be verified.
        revocations: Looked at for every request with a JWT.
        cache_ttl_s: How long a verified bcrypt key is remembered, and a wrong one.
    """

    def __init__(
        self,
        keyring: KeyRing,
        recall: Recall,
        gate: BcryptGate,
        tokens: TokenVerifier | None,
        revocations: RevokedTokens,
        *,
        cache_ttl_s: float,
    ) -> None:
        self._keyring = keyring
        self._recall = recall
        self._gate = gate
        self._tokens = tokens
        self._revocations = revocations
        self._cache_ttl_s = cache_ttl_s
        self._generation = tokens.generation if tokens is not None else 0

    def recall(self, credential: Credential, wall: float) -> Principal | None:
        """Whose it is, if that is known without waiting; None decides nothing."""
        if credential.is_jwt:
            return self._recall_token(credential.token, wall)
        principal = self._known_key(credential.token, wall)
        if principal is None or principal.is_expired(wall):
            return None
        return principal

    async def verify(self, credential: Credential, wall: float, budget: Budget) -> Principal:
        """Whose it is, whatever that takes.

        Raises:
            InvalidToken: Nobody's; the detail is for the audit log.
            ExpiredToken: Somebody's, and past its time.
            RateLimited: Too many failures of this client, or too many keys are
                being hashed at the moment.
        """
        # What has the form of a JWT is never tried as a key, so that a forged token
        # cannot buy itself a slow hash.
        if credential.is_jwt:
            return await self._verify_token(credential.token, wall, budget)
        return await self._verify_key(credential.token, wall, budget)

    def is_known_key(self, key: str, wall: float) -> bool:
        """Whether it is a key of ours, past its time or not; of a hashed one, if remembered."""
        return self._known_key(key, wall) is not None

    def forsake(self, client: str) -> None:
        """Hash no more for a client that has been banned."""
        self._gate.forsake(client)

    def untried(self, credential: Credential, refusal: AttemptsSpent) -> RateLimited:
        """The refusal of a credential that is not tried; the same one counts once."""
        return self._gate.untried(credential.token.encode(), refusal)

    def replace_keys(self, keyring: KeyRing) -> None:
        """Put new keys in force; whoever lost theirs is out from the next request on."""
        self._keyring = keyring
        self._recall.forget_failures()
        self._recall.forget(self._is_outdated_key)

    def _is_outdated_key(self, memory: Memory) -> bool:
        return memory.principal.kind == "key" and not self._keyring.vouches(
            memory.proof, memory.principal
        )

    # Keys

    def _known_key(self, key: str, wall: float) -> Principal | None:
        principal = self._keyring.find(key)
        if principal is None and self._keyring.hashes:
            return self._recall.get(key, wall)
        return principal

    async def _verify_key(self, key: str, wall: float, budget: Budget) -> Principal:
        principal = self._known_key(key, wall)
        if principal is None:
            return await self._hash_key(key, wall, budget)
        if principal.is_expired(wall):
            expired = ExpiredToken(f"key {principal.key_id} has expired")
            await spend(budget, expired)
            raise expired
        return principal

    async def _hash_key(self, key: str, wall: float, budget: Budget) -> Principal:
        hashes = self._keyring.hashes
        proof = self._recall.lapsed(key)
        if proof in hashes and await self._gate.confirm(key.encode(), proof):
            return await self._let_in_again(key, proof, wall, budget)
        if not hashes or self._recall.is_known_failure(key, wall):
            await budget.spend()
            raise InvalidToken("unknown key")
        if not await self._is_reserved(key, hashes, budget):
            return await self._join(key, hashes, wall, budget)
        try:
            index = await self._gate.matches(key.encode(), hashes, budget.client)
        except RateLimited:
            await budget.refund()
            raise
        if index is None:
            if hashes == self._keyring.hashes:
                self._recall.remember_failure(key, wall + self._cache_ttl_s)
            raise InvalidToken("unknown key")
        principal = self._let_in(key, hashes[index], wall)
        await budget.refund()
        return principal

    async def _is_reserved(self, key: str, hashes: tuple[bytes, ...], budget: Budget) -> bool:
        """Set a failure aside; not for a key that is being tried, which is no further attempt.

        Raises:
            RateLimited: None is left.
        """
        secret = key.encode()
        if self._gate.is_trying(secret, hashes):
            return False
        try:
            await budget.reserve()
        except AttemptsSpent as spent:
            if self._gate.is_trying(secret, hashes):  # since the store was asked
                return False
            raise self._gate.untried(secret, spent) from spent
        return True

    async def _join(
        self, key: str, hashes: tuple[bytes, ...], wall: float, budget: Budget
    ) -> Principal:
        """Whose a key is that came more than once before it was known: a client that starts."""
        index = await self._gate.matches(key.encode(), hashes, budget.client)
        if index is None:
            await budget.spend()
            raise InvalidToken("unknown key")
        return await self._let_in_again(key, hashes[index], wall, budget)

    async def _let_in_again(
        self, key: str, key_hash: bytes, wall: float, budget: Budget
    ) -> Principal:
        """Likewise, of one that reserved nothing."""
        try:
            return self._let_in(key, key_hash, wall)
        except ExpiredToken as expired:
            await spend(budget, expired)
            raise

    def _let_in(self, key: str, key_hash: bytes, wall: float) -> Principal:
        principal = self._keyring.holder(key_hash, key)
        if principal is None:
            raise InvalidToken("key removed while it was hashed")
        self._recall.remember(key, principal, wall, wall + self._cache_ttl_s, key_hash)
        if principal.is_expired(wall):
            raise ExpiredToken(f"key {principal.key_id} has expired")
        return principal

    # Tokens

    def _recall_token(self, token: str, wall: float) -> Principal | None:
        if self._tokens is None:
            return None
        if self._tokens.generation != self._generation:
            self._generation = self._tokens.generation
            self._recall.forget(_is_token)
        principal = self._recall.get(token, wall)
        if principal is None or self._revocations.is_revoked(principal.token_id):
            return None
        return principal

    async def _verify_token(self, token: str, wall: float, budget: Budget) -> Principal:
        try:
            return await self._try_token(token, wall)
        except Unauthenticated as refusal:
            await spend(budget, refusal)
            raise

    async def _try_token(self, token: str, wall: float) -> Principal:
        if self._tokens is None:
            raise InvalidToken("no key set to verify a JWT with")
        generation = self._tokens.generation
        principal = await self._tokens.verify(token, wall)
        if self._revocations.is_revoked(principal.token_id):
            raise InvalidToken("revoked")
        # The keys may have changed meanwhile: the verdict is of this moment, to be
        # remembered only if the next recall would not throw it away.
        if generation == self._generation == self._tokens.generation:
            until = wall if principal.expires_at is None else principal.expires_at
            self._recall.remember(token, principal, wall, until)
        return principal


def _is_token(memory: Memory) -> bool:
    return memory.principal.kind == "jwt"
