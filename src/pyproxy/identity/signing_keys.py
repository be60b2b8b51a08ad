"""New signing keys, and key sets in which the newest signs."""

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pyproxy.identity.jwk import public_members, thumbprint
from pyproxy.identity.jwk_curves import NIST_CURVES
from pyproxy.identity.jwk_members import BadKey, without_private
from pyproxy.identity.jwk_private import private_members
from pyproxy.identity.jws_algorithms import (
    ALGORITHMS,
    EC_CURVES,
    EDWARDS_ALGORITHM,
    RSA_ALGORITHMS,
    PrivateKey,
)

# 128 bits of security (NIST SP 800-57 part 1, table 2), as much as ES256.
_RSA_BITS: Final = 3072
_RSA_EXPONENT: Final = 65537


def generate_signing_key(alg: str) -> dict[str, str]:
    """A new private JWK for this algorithm, named by its thumbprint (RFC 7638).

    RSA keys have 3072 bits and take up to a few seconds to find.

    Raises:
        BadKey: The algorithm is none of those supported.
    """
    key = _generate(alg)
    name = thumbprint(public_members(key.public_key()))
    return {"kid": name, "alg": alg, "use": "sig", **private_members(key)}


def generate_key_set(alg: str) -> dict[str, object]:
    """A JWK set with one new signing key."""
    return {"keys": [generate_signing_key(alg)]}


def rotate(key_set: Mapping[str, object], alg: str) -> dict[str, object]:
    """The set with a new key in front, which signs from now on.

    The old ones keep verifying; their private halves are dropped, since nothing
    signs with them again. Symmetric keys, which never did anything, go.

    Args:
        key_set: A JWK set, not changed.
        alg: The new key's.

    Raises:
        BadKey: ``key_set`` is not a JWK set, or ``alg`` is none supported.
    """
    old = key_set.get("keys")
    if not isinstance(old, list) or not all(isinstance(entry, dict) for entry in old):
        raise BadKey('not a JWK set: "keys" is missing or not a list of objects')
    kept = [without_private(entry) for entry in old if entry.get("kty") != "oct"]
    return {**key_set, "keys": [generate_signing_key(alg), *kept]}


def _generate(alg: str) -> PrivateKey:
    if alg in RSA_ALGORITHMS:
        return rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    if alg == EDWARDS_ALGORITHM:
        return ed25519.Ed25519PrivateKey.generate()
    for curve, fitting in EC_CURVES.items():
        if fitting == alg:
            return ec.generate_private_key(NIST_CURVES[curve])
    raise BadKey(f"alg is not one of {', '.join(sorted(ALGORITHMS))}")
