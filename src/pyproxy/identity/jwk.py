"""One JSON Web Key, as a key that verifies signatures (RFC 7517)."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pyproxy.identity.base64url import encode_base64url, encode_unsigned
from pyproxy.identity.jwk_curves import (
    EDWARDS_CURVE,
    NIST_CURVES,
    coordinate_octets,
    read_edwards,
    read_nist,
)
from pyproxy.identity.jwk_members import BadKey, check_purpose, is_private, key_name, text
from pyproxy.identity.jwk_rsa import read_rsa
from pyproxy.identity.jws_algorithms import (
    EC_CURVES,
    EDWARDS_ALGORITHM,
    RSA_ALGORITHMS,
    PublicKey,
)

_DEFAULT_RSA_ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class KeyFault:
    """A key of a set that is not used, and why.

    Attributes:
        kid: The key's name, or ``#3`` for the third of a set that has no usable name.
        reason: For the operator.
        is_alarm: A secret stands where everyone can read it.
    """

    kid: str
    reason: str
    is_alarm: bool = False

    def __str__(self) -> str:
        """The fault as an operator reads it."""
        return f"key {self.kid}: {self.reason}"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key and the one algorithm it verifies.

    Attributes:
        kid: Its name; ``""`` where the set gives none.
        alg: The algorithm bound to the key; no token can choose another.
        key: The public half.
        public: The members that make it up, and no others (RFC 7638 §3.2).
        is_private: The JWK it came from holds the private half too.
    """

    kid: str
    alg: str
    key: PublicKey = field(repr=False)
    public: Mapping[str, str] = field(repr=False)
    is_private: bool = False

    @property
    def thumbprint(self) -> str:
        """Base64url of the SHA-256 of the public members (RFC 7638)."""
        return thumbprint(self.public)

    def to_jwk(self) -> dict[str, str]:
        """The public JWK, ready to be published."""
        name = {"kid": self.kid} if self.kid else {}
        return {**self.public, **name, "alg": self.alg, "use": "sig"}


def read_key(members: Mapping[str, object], algorithms: Collection[str]) -> VerificationKey:
    """The verification key in a JWK; private members are noted and left behind.

    Args:
        members: The JWK.
        algorithms: The only ones allowed (RFC 8725 §3.1).

    Raises:
        BadKey: The key must not be used.
    """
    check_purpose(members)
    key = _public_key(members)
    public = public_members(key)
    return VerificationKey(
        kid=key_name(members),
        alg=_bound_algorithm(members, public, algorithms),
        key=key,
        public=public,
        is_private=is_private(members),
    )


def public_members(key: PublicKey) -> dict[str, str]:
    """The JWK members that a public key is made of, in their one spelling."""
    if isinstance(key, Ed25519PublicKey):
        x = encode_base64url(key.public_bytes_raw())
        return {"kty": "OKP", "crv": EDWARDS_CURVE, "x": x}
    if isinstance(key, EllipticCurvePublicKey):
        point, size = key.public_numbers(), coordinate_octets(key.curve)
        crv = next(name for name, curve in NIST_CURVES.items() if curve.name == key.curve.name)
        x, y = encode_unsigned(point.x, size), encode_unsigned(point.y, size)
        return {"kty": "EC", "crv": crv, "x": x, "y": y}
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": encode_unsigned(numbers.n), "e": encode_unsigned(numbers.e)}


def thumbprint(public: Mapping[str, str]) -> str:
    """A name that follows from the key itself (RFC 7638 §3).

    Args:
        public: The members that ``public_members`` gives, and no others.
    """
    canonical = json.dumps(dict(public), sort_keys=True, separators=(",", ":"))
    return encode_base64url(hashlib.sha256(canonical.encode("ascii")).digest())


def _public_key(members: Mapping[str, object]) -> PublicKey:
    match text(members, "kty"):
        case "RSA":
            return read_rsa(members)
        case "EC":
            return read_nist(members)
        case "OKP":
            return read_edwards(members)
        case "oct":
            raise BadKey("kty oct: symmetric keys are never used, whoever verifies could mint")
        case _:
            raise BadKey("kty is not RSA, EC or OKP")


def _bound_algorithm(
    members: Mapping[str, object], public: Mapping[str, str], algorithms: Collection[str]
) -> str:
    """The one algorithm of the key: its own word, else what its kind implies.

    An RSA key without ``alg`` (Entra ID and others leave it out) is bound to
    RS256, the one algorithm that OpenID Connect Core §15.1 asks of everyone; or,
    if the configuration allows a single RSA algorithm, to that one. Binding it
    to all would let the token choose between them.
    """
    fitting = _fitting_algorithms(public)
    named = "alg" in members
    alg = text(members, "alg") if named else _implied_algorithm(fitting, algorithms)
    if alg not in fitting:
        raise BadKey("alg does not fit the kind of key")
    if alg not in algorithms:
        raise BadKey(f"{alg} is not among the allowed algorithms")
    return alg


def _fitting_algorithms(public: Mapping[str, str]) -> frozenset[str]:
    match public["kty"]:
        case "RSA":
            return RSA_ALGORITHMS
        case "EC":
            return frozenset({EC_CURVES[public["crv"]]})
        case _:
            return frozenset({EDWARDS_ALGORITHM})


def _implied_algorithm(fitting: frozenset[str], algorithms: Collection[str]) -> str:
    allowed = fitting.intersection(algorithms)
    if len(fitting) == 1 or len(allowed) == 1:
        return min(allowed or fitting)
    return _DEFAULT_RSA_ALGORITHM
