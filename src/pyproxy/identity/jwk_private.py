"""The private half of a JWK, for signing."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicKey,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
    rsa_recover_prime_factors,
)

from pyproxy.identity.base64url import encode_base64url, encode_unsigned
from pyproxy.identity.jwk import VerificationKey, public_members
from pyproxy.identity.jwk_curves import coordinate_octets
from pyproxy.identity.jwk_members import BadKey, sized_octets, unsigned
from pyproxy.identity.jws_algorithms import PrivateKey, PublicKey

_EDWARDS_OCTETS = 32


def read_private(members: Mapping[str, object], public: VerificationKey) -> PrivateKey:
    """The private half, proved to belong to the public one.

    Args:
        members: The JWK.
        public: What ``read_key`` made of the same members.

    Raises:
        BadKey: The private members are missing, malformed, or another key's.
    """
    try:
        key = _private_key(members, public.key)
    except BadKey:
        raise
    except ValueError as exc:
        # Not the library's words: they may quote numbers of the key.
        raise BadKey("the private half is malformed") from exc
    if public_members(key.public_key()) != public.public:
        raise BadKey("the private half belongs to another key")
    return key


def private_members(key: PrivateKey) -> dict[str, str]:
    """All members of a private JWK (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2)."""
    public = public_members(key.public_key())
    if isinstance(key, Ed25519PrivateKey):
        return {**public, "d": encode_base64url(key.private_bytes_raw())}
    if isinstance(key, EllipticCurvePrivateKey):
        size = coordinate_octets(key.curve)
        return {**public, "d": encode_unsigned(key.private_numbers().private_value, size)}
    numbers = key.private_numbers()
    return {
        **public,
        "d": encode_unsigned(numbers.d),
        "p": encode_unsigned(numbers.p),
        "q": encode_unsigned(numbers.q),
        "dp": encode_unsigned(numbers.dmp1),
        "dq": encode_unsigned(numbers.dmq1),
        "qi": encode_unsigned(numbers.iqmp),
    }


def _private_key(members: Mapping[str, object], public: PublicKey) -> PrivateKey:
    if isinstance(public, Ed25519PublicKey):
        return Ed25519PrivateKey.from_private_bytes(sized_octets(members, "d", _EDWARDS_OCTETS))
    if isinstance(public, EllipticCurvePublicKey):
        d = sized_octets(members, "d", coordinate_octets(public.curve))
        return derive_private_key(int.from_bytes(d, "big"), public.curve)
    return _rsa_private_key(members, public)


def _rsa_private_key(members: Mapping[str, object], public: RSAPublicKey) -> RSAPrivateKey:
    if "oth" in members:
        raise BadKey("RSA keys of more than two primes are not supported")
    numbers, d = public.public_numbers(), unsigned(members, "d")
    if "p" in members and "q" in members:
        p, q = unsigned(members, "p"), unsigned(members, "q")
    else:
        p, q = rsa_recover_prime_factors(numbers.n, numbers.e, d)
    # dp, dq and qi follow from the rest: computed, so that wrong ones cannot
    # make faulty signatures, which give the key away.
    return RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa_crt_dmp1(d, p),
        dmq1=rsa_crt_dmq1(d, q),
        iqmp=rsa_crt_iqmp(p, q),
        public_numbers=numbers,
    ).private_key()
