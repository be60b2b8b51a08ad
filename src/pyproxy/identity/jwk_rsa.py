"""RSA public keys, and the weak ones among them."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from pyproxy.identity.jwk_members import BadKey, unsigned

# RFC 7518 §3.3 and §3.5 ask for 2048; above 8192 a signature costs milliseconds.
_MIN_BITS: Final = 2048
_MAX_BITS: Final = 8192
_MIN_EXPONENT: Final = 3
# What OpenSSL takes for large moduli; real keys have 65537.
_MAX_EXPONENT_BITS: Final = 64

_ODD_PRIMES_TO_167: Final = tuple(
    n for n in range(3, 168, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))
)
# Primes made by Infineon's RSALib are powers of 65537 modulo each of these
# primes, and so is their product (CVE-2017-15361, Nemec et al., CCS 2017,
# section 3.3). A modulus made otherwise looks so once in 2**27.
_POWERS_OF_65537: Final = MappingProxyType(
    {
        prime: frozenset(pow(65537, exponent, prime) for exponent in range(prime - 1))
        for prime in _ODD_PRIMES_TO_167
    }
)


def read_rsa(members: Mapping[str, object]) -> RSAPublicKey:
    """The public half of an RSA key (RFC 7518 §6.3.1).

    Raises:
        BadKey: A member is malformed, or the key is weak (RFC 8725 §3.5).
    """
    modulus, exponent = unsigned(members, "n"), unsigned(members, "e")
    bits = modulus.bit_length()
    if not _MIN_BITS <= bits <= _MAX_BITS:
        raise BadKey(f"RSA modulus of {bits} bits, not {_MIN_BITS} to {_MAX_BITS}")
    if exponent < _MIN_EXPONENT or exponent % 2 == 0 or exponent.bit_length() > _MAX_EXPONENT_BITS:
        raise BadKey("RSA exponent is not odd, 3 or more and at most 64 bits")
    if modulus % 2 == 0 or any(modulus % prime == 0 for prime in _ODD_PRIMES_TO_167):
        raise BadKey("RSA modulus has a small factor")
    if has_roca_fingerprint(modulus):
        raise BadKey("RSA modulus has the ROCA fingerprint (CVE-2017-15361)")
    return RSAPublicNumbers(exponent, modulus).public_key()


def has_roca_fingerprint(modulus: int) -> bool:
    """Whether the modulus was made by the library whose keys can be factored."""
    return all(modulus % prime in powers for prime, powers in _POWERS_OF_65537.items())
