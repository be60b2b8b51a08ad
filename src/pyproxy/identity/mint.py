"""Tokens of our own."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pyproxy.config.quantities import Rate
from pyproxy.identity.base64url import encode_base64url
from pyproxy.identity.jwk import read_key
from pyproxy.identity.jwk_members import BadKey, is_private
from pyproxy.identity.jwk_private import read_private
from pyproxy.identity.jwks import BadKeySet, KeySet, read_entries
from pyproxy.identity.jws_algorithms import PrivateKey, sign
from pyproxy.identity.names import is_name


@dataclass(slots=True)
class Minted:
    """A new token, and what its bearer is told about it.

    Attributes:
        token: Compact form.
        expires_in: Seconds.
        kid: Of the key that signed it.
        alg: Likewise.
    """

    token: str = field(repr=False)
    expires_in: int
    kid: str
    alg: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and how it signs.

    Attributes:
        kid: The JWK's own name, or its thumbprint where it has none.
        alg: The one algorithm bound to it.
        key: The private half.
    """

    kid: str
    alg: str
    key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Minter:
    """Signs tokens with the first private key of a set.

    Attributes:
        signing_key: The one that signs.
        public: Public halves of the whole set: what verifies the tokens.
        ttl_s: Life of a token, in whole seconds.
        issuer: Written as ``iss`` unless empty.
        audience: Written as ``aud`` unless empty.
    """

    signing_key: SigningKey
    public: KeySet
    ttl_s: int
    issuer: str
    audience: str

    @classmethod
    def parse(
        cls,
        document: bytes,
        *,
        source: str,
        algorithms: Collection[str],
        ttl_s: float,
        issuer: str,
        audience: str,
    ) -> Self:
        """Read the set of signing keys.

        Args:
            document: A JWK set; symmetric keys in it are passed over.
            source: Named in faults.
            algorithms: The only ones allowed.
            ttl_s: Seconds that a token lives; parts of a second are dropped.
            issuer: Empty for none.
            audience: Empty for none.

        Raises:
            BadKeySet: Not a JWK set, or no private key in it that can sign.
        """
        public = KeySet.parse(document, algorithms=algorithms, source=source, public_only=False)
        signing_key = _first_signing_key(document, public, algorithms)
        return cls(signing_key, _named(public), int(ttl_s), issuer, audience)

    def mint(
        self,
        subject: str,
        wall: float,
        token_id: str,
        *,
        routes: Collection[str] | None = None,
        limit: Rate | None = None,
        not_after: float | None = None,
    ) -> Minted:
        """A new token, which may do no more and lives no longer than what it is given for.

        Args:
            subject: 1 to 256 characters, none of them control.
            wall: Epoch seconds.
            token_id: Never used before; it is what revoking the token names.
            routes: The only ones that it opens; ``None``: every route.
            limit: A rate of its bearer's own.
            not_after: Epoch seconds that ``exp`` does not go beyond; later than ``wall``.

        Raises:
            ValueError: The subject is not such a name: it is never cut, since
                two names could become one.
        """
        if not is_name(subject):
            raise ValueError("a subject is 1 to 256 printable characters")
        issued_at = int(wall)
        expires_at = issued_at + self.ttl_s
        if not_after is not None:
            expires_at = min(expires_at, int(not_after))
        claims: dict[str, object] = {
            "sub": subject,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": expires_at,
            "jti": token_id,
        }
        if routes is not None:
            claims["routes"] = sorted(routes)
        if limit is not None:
            claims["limit"] = str(limit)
        if self.issuer:
            claims["iss"] = self.issuer
        if self.audience:
            claims["aud"] = self.audience
        key = self.signing_key
        header = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
        return Minted(_compact(header, claims, key), expires_at - issued_at, key.kid, key.alg)

    def public_jwks(self) -> bytes:
        """The public halves as a JWK set, ready to be served."""
        return self.public.to_public()


def _first_signing_key(document: bytes, public: KeySet, algorithms: Collection[str]) -> SigningKey:
    for entry in read_entries(document, public.source):
        if isinstance(entry, dict) and is_private(entry):
            key = _signing_key(entry, public, algorithms)
            if key is not None:
                return key
    faults = (str(fault) for fault in public.faults)
    raise BadKeySet(public.source, "; ".join(("no private key that can sign", *faults)))


def _signing_key(
    members: dict[str, object], public: KeySet, algorithms: Collection[str]
) -> SigningKey | None:
    """The entry as a signing key, or ``None`` where its public half is not in use.

    Raises:
        BadKeySet: The public half is good and the private one is not: to sign
            with the next key instead would hide it.
    """
    try:
        half = read_key(members, algorithms)
    except BadKey:
        return None
    if half not in public.keys:
        return None
    try:
        private = read_private(members, half)
    except BadKey as exc:
        raise BadKeySet(public.source, f"key {half.kid or half.thumbprint}: {exc}") from exc
    return SigningKey(half.kid or half.thumbprint, half.alg, private)


def _named(public: KeySet) -> KeySet:
    # Tokens of ours always name their key, so each key needs a name.
    keys = tuple(replace(key, kid=key.kid or key.thumbprint) for key in public.keys)
    return replace(public, keys=keys)


def _compact(header: Mapping[str, object], claims: Mapping[str, object], key: SigningKey) -> str:
    signing_input = f"{_part(header)}.{_part(claims)}"
    signature = sign(key.alg, key.key, signing_input.encode("ascii"))
    return f"{signing_input}.{encode_base64url(signature)}"


def _part(members: Mapping[str, object]) -> str:
    return encode_base64url(json.dumps(dict(members), separators=(",", ":")).encode("ascii"))
