import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pyproxy.identity.jws_algorithms import ALGORITHMS, RSA_ALGORITHMS, is_signature, sign

RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    **dict.fromkeys(RSA_ALGORITHMS, RSA),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_what_is_signed_verifies_unchanged_alone(alg):
    key = KEYS[alg]
    signature = sign(alg, key, b"message")

    assert is_signature(alg, key.public_key(), b"message", signature)
    assert not is_signature(alg, key.public_key(), b"massage", signature)


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
@pytest.mark.parametrize("signature", [b"", b"\x00", bytes(64), bytes(512), b"\xff" * 132])
def test_no_signature_is_no_signature(alg, signature):
    assert not is_signature(alg, KEYS[alg].public_key(), b"message", signature)


@pytest.mark.parametrize("alg", sorted(RSA_ALGORITHMS))
@pytest.mark.parametrize("other", sorted(RSA_ALGORITHMS))
def test_one_rsa_algorithm_is_not_another(alg, other):
    signature = sign(other, RSA, b"message")

    assert is_signature(alg, RSA.public_key(), b"message", signature) is (alg == other)


def test_there_is_no_hmac_and_no_none():
    assert not {"none", "None", "HS256", "HS384", "HS512"} & ALGORITHMS
