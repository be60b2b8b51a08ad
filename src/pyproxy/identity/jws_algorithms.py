"""Which signature algorithms there are, and what key each belongs to."""

from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from jwt.algorithms import get_default_algorithms

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
EC_CURVES: Final = MappingProxyType({"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"})
EDWARDS_ALGORITHM: Final = "EdDSA"
# No HMAC: whoever verifies could mint, and a public key could pass for the
# secret (RFC 8725 §2.1). No "none", ever.
ALGORITHMS: Final = RSA_ALGORITHMS | frozenset(EC_CURVES.values()) | {EDWARDS_ALGORITHM}

_BY_NAME: Final = MappingProxyType(
    {name: entry for name, entry in get_default_algorithms().items() if name in ALGORITHMS}
)


def is_signature(alg: str, key: PublicKey, signing_input: bytes, signature: bytes) -> bool:
    """Whether the signature is good for this very algorithm and key.

    ECDSA signatures are the two numbers at full length (RFC 7518 §3.4), never
    DER; PSS salts are as long as the hash (§3.5).

    Args:
        alg: One of ``ALGORITHMS``, bound to the key beforehand.
        key: Of the algorithm's kind and curve.
        signing_input: The token up to its second dot.
        signature: Raw octets, of any length.
    """
    return _BY_NAME[alg].verify(signing_input, key, signature)


def sign(alg: str, key: PrivateKey, signing_input: bytes) -> bytes:
    """The signature's raw octets, in the form that ``is_signature`` takes."""
    return _BY_NAME[alg].sign(signing_input, key)
