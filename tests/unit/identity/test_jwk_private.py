import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pyproxy.identity.base64url import encode_unsigned
from pyproxy.identity.jwk import read_key
from pyproxy.identity.jwk_members import BadKey
from pyproxy.identity.jwk_private import private_members, read_private
from pyproxy.identity.jws_algorithms import ALGORITHMS, is_signature, sign

RSA = private_members(rsa.generate_private_key(65537, 2048))
EC = private_members(ec.generate_private_key(ec.SECP256R1()))
OTHER_EC = private_members(ec.generate_private_key(ec.SECP256R1()))
OKP = private_members(ed25519.Ed25519PrivateKey.generate())
OTHER_OKP = private_members(ed25519.Ed25519PrivateKey.generate())


def _read(members):
    return read_private(members, read_key(members, ALGORITHMS))


def _without(members, *names):
    return {name: value for name, value in members.items() if name not in names}


@pytest.mark.parametrize(
    "members",
    [
        pytest.param(RSA, id="RSA"),
        pytest.param(_without(RSA, "p", "q", "dp", "dq", "qi"), id="RSA with d alone"),
        pytest.param({**RSA, "qi": "AQAB"}, id="RSA with a wrong qi, not used"),
        pytest.param(EC, id="EC"),
        pytest.param(OKP, id="OKP"),
    ],
)
def test_the_private_half_signs_for_the_public_one(members):
    public = read_key(members, ALGORITHMS)

    signature = sign(public.alg, _read(members), b"message")

    assert is_signature(public.alg, public.key, b"message", signature)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(_without(RSA, "d"), "d is missing", id="RSA without d"),
        pytest.param({**RSA, "oth": []}, "two primes", id="RSA of three primes"),
        pytest.param({**RSA, "p": RSA["q"]}, "malformed", id="RSA p twice"),
        pytest.param({**RSA, "d": "AQAB"}, "malformed|another", id="RSA wrong d"),
        pytest.param({**_without(RSA, "p"), "d": "Aw"}, "malformed", id="RSA without p, wrong d"),
        pytest.param({**RSA, "p": "AA"}, "malformed", id="RSA p=0"),
        pytest.param({**RSA, "p": "AQ"}, "malformed", id="RSA p=1"),
        pytest.param({**EC, "d": OTHER_EC["d"]}, "another key", id="EC of another key"),
        pytest.param({**EC, "d": encode_unsigned(0, 32)}, "malformed", id="EC d=0"),
        pytest.param({**EC, "d": encode_unsigned(2**256 - 1, 32)}, "malformed", id="EC d over n"),
        pytest.param({**EC, "d": "AQAB"}, "3 octets", id="EC short d"),
        pytest.param({**OKP, "d": OTHER_OKP["d"]}, "another key", id="OKP of another key"),
        pytest.param({**OKP, "d": "AQAB"}, "3 octets", id="OKP short d"),
        pytest.param(_without(OKP, "d"), "d is missing", id="OKP without d"),
    ],
)
def test_a_wrong_private_half_is_refused(members, reason):
    with pytest.raises(BadKey, match=reason):
        _read(members)


def test_the_refusal_does_not_quote_the_key():
    with pytest.raises(BadKey) as caught:
        _read({**RSA, "p": RSA["q"]})

    assert not any(value in str(caught.value) for value in RSA.values() if len(value) > 8)
