import math

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pyproxy.identity.base64url import encode_unsigned
from pyproxy.identity.jwk_members import BadKey
from pyproxy.identity.jwk_rsa import has_roca_fingerprint, read_rsa

GOOD = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
PRIMORIAL = math.prod(n for n in range(2, 168) if all(n % d for d in range(2, n)))


def _roca_modulus():
    """A product as RSALib makes it, modulo the primes to 167, of 2048 bits."""
    residue = pow(65537, 1234567, PRIMORIAL) * pow(65537, 7654321, PRIMORIAL) % PRIMORIAL
    return (2**2047 // PRIMORIAL + 1) * PRIMORIAL + residue


def _members(n=GOOD, e=65537):
    return {"kty": "RSA", "n": encode_unsigned(n), "e": encode_unsigned(e)}


@pytest.mark.parametrize("exponent", [3, 17, 65537, 2**32 + 15])
def test_a_sound_key_is_read(exponent):
    numbers = read_rsa(_members(e=exponent)).public_numbers()

    assert (numbers.n, numbers.e) == (GOOD, exponent)


def test_a_leading_zero_octet_does_not_make_another_key():
    size = 257

    assert read_rsa({**_members(), "n": encode_unsigned(GOOD, size)}).public_numbers().n == GOOD


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(_members(n=GOOD >> 1024 | 1), "1024 bits", id="1024 bits"),
        pytest.param(_members(n=GOOD >> 1 | 1), "2047 bits", id="2047 bits"),
        pytest.param(_members(n=2**8192 + 1), "8193 bits", id="8193 bits"),
        pytest.param(_members(n=0), "0 bits", id="n=0"),
        pytest.param(_members(e=0), "exponent", id="e=0"),
        pytest.param(_members(e=1), "exponent", id="e=1"),
        pytest.param(_members(e=2), "exponent", id="e=2"),
        pytest.param(_members(e=65536), "exponent", id="e even"),
        pytest.param(_members(e=2**64 + 13), "exponent", id="e over 64 bits"),
        pytest.param(_members(n=GOOD - 1), "small factor", id="n even"),
        pytest.param(_members(n=GOOD - GOOD % 15), "small factor", id="n divisible by 15"),
        pytest.param(_members(n=_roca_modulus()), "ROCA", id="ROCA modulus"),
        pytest.param({"kty": "RSA", "e": "AQAB"}, "n is missing", id="no n"),
        pytest.param({**_members(), "e": None}, "e is missing", id="e null"),
        pytest.param({**_members(), "e": 65537}, "e is missing", id="e number"),
        pytest.param({**_members(), "e": "AQAB=="}, "e: not base64url", id="e padded"),
        pytest.param({**_members(), "n": "A" * 343}, "impossible length|bits", id="n garbage"),
    ],
)
def test_a_weak_or_malformed_key_is_refused(members, reason):
    with pytest.raises(BadKey, match=reason):
        read_rsa(members)


def test_an_ordinary_modulus_has_no_fingerprint():
    assert not has_roca_fingerprint(GOOD)
    assert has_roca_fingerprint(_roca_modulus())
