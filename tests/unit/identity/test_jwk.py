import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pyproxy.identity.jwk import KeyFault, public_members, read_key, thumbprint
from pyproxy.identity.jwk_members import BadKey
from pyproxy.identity.jws_algorithms import ALGORITHMS

RSA = public_members(rsa.generate_private_key(65537, 2048).public_key())
P256 = public_members(ec.generate_private_key(ec.SECP256R1()).public_key())
P384 = public_members(ec.generate_private_key(ec.SECP384R1()).public_key())
P521 = public_members(ec.generate_private_key(ec.SECP521R1()).public_key())
ED25519 = public_members(ed25519.Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(
    ("members", "algorithms", "alg"),
    [
        pytest.param(RSA, ALGORITHMS, "RS256", id="RSA without alg is RS256"),
        pytest.param(RSA, {"PS256", "ES256"}, "PS256", id="RSA, one RSA algorithm allowed"),
        pytest.param(RSA, {"RS256", "RS512"}, "RS256", id="RSA, several allowed"),
        pytest.param({**RSA, "alg": "RS512"}, ALGORITHMS, "RS512", id="RSA names RS512"),
        pytest.param({**RSA, "alg": "PS384"}, ALGORITHMS, "PS384", id="RSA names PS384"),
        pytest.param(P256, ALGORITHMS, "ES256", id="P-256"),
        pytest.param(P384, ALGORITHMS, "ES384", id="P-384"),
        pytest.param(P521, ALGORITHMS, "ES512", id="P-521"),
        pytest.param({**P521, "alg": "ES512"}, ALGORITHMS, "ES512", id="P-521 names ES512"),
        pytest.param(ED25519, ALGORITHMS, "EdDSA", id="Ed25519"),
    ],
)
def test_a_key_is_bound_to_one_algorithm(members, algorithms, alg):
    assert read_key(members, algorithms).alg == alg


@pytest.mark.parametrize(
    ("members", "algorithms", "reason"),
    [
        pytest.param({}, ALGORITHMS, "kty", id="empty"),
        pytest.param({**RSA, "kty": "rsa"}, ALGORITHMS, "kty", id="kty in another case"),
        pytest.param({**RSA, "kty": "EC"}, ALGORITHMS, "crv", id="kty swapped"),
        pytest.param({"kty": "oct", "k": "AAAA"}, ALGORITHMS, "symmetric", id="oct"),
        pytest.param(
            {"kty": "oct", "k": "AAAA", "alg": "HS256"}, ALGORITHMS | {"HS256"}, "symm", id="HS256"
        ),
        pytest.param({**RSA, "alg": "HS256"}, ALGORITHMS, "alg does not fit", id="RSA as HS256"),
        pytest.param({**RSA, "alg": "none"}, ALGORITHMS, "alg does not fit", id="RSA as none"),
        pytest.param({**RSA, "alg": "ES256"}, ALGORITHMS, "alg does not fit", id="RSA as ES256"),
        pytest.param({**RSA, "alg": "RSA-OAEP"}, ALGORITHMS, "alg does not fit", id="RSA-OAEP"),
        pytest.param({**RSA, "alg": "rs256"}, ALGORITHMS, "alg does not fit", id="lower case"),
        pytest.param({**RSA, "alg": None}, ALGORITHMS, "alg is missing", id="alg null"),
        pytest.param({**RSA, "alg": 1}, ALGORITHMS, "alg is missing", id="alg number"),
        pytest.param({**P256, "alg": "ES384"}, ALGORITHMS, "not fit", id="P-256 as ES384"),
        pytest.param({**P256, "alg": "ES256K"}, ALGORITHMS, "not fit", id="P-256 as ES256K"),
        pytest.param({**ED25519, "alg": "ES256"}, ALGORITHMS, "not fit", id="Ed25519 as ES256"),
        pytest.param(P256, {"RS256"}, "not among the allowed", id="ES256 not allowed"),
        pytest.param(RSA, {"ES256"}, "not among the allowed", id="no RSA allowed"),
        pytest.param({**RSA, "alg": "RS512"}, {"RS256"}, "not among", id="RS512 not allowed"),
        pytest.param({**RSA, "use": "enc"}, ALGORITHMS, "use", id="use=enc"),
        pytest.param({**RSA, "kid": 7}, ALGORITHMS, "kid", id="kid number"),
    ],
)
def test_a_key_that_must_not_be_used_is_refused(members, algorithms, reason):
    with pytest.raises(BadKey, match=reason):
        read_key(members, algorithms)


def test_what_is_published_holds_nothing_but_the_public_key():
    private = {**RSA, "kid": "k1", "d": "AQAB", "p": "AQAB", "x5c": ["MII"], "use": "sig"}

    key = read_key(private, ALGORITHMS)

    assert key.is_private
    assert key.to_jwk() == {**RSA, "kid": "k1", "alg": "RS256", "use": "sig"}


def test_a_key_without_a_name_is_published_without_one():
    assert "kid" not in read_key(ED25519, ALGORITHMS).to_jwk()


def test_the_order_of_members_does_not_change_the_thumbprint():
    assert thumbprint(RSA) == thumbprint(dict(reversed(RSA.items())))


def test_the_thumbprint_of_an_okp_key_is_that_of_rfc_8037():
    # RFC 8037 appendix A.3.
    public = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }

    assert thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert read_key(public, ALGORITHMS).thumbprint == thumbprint(public)


def test_a_key_does_not_print_its_numbers():
    assert RSA["n"] not in repr(read_key(RSA, ALGORITHMS))


def test_a_fault_names_its_key():
    assert str(KeyFault("k1", "use is not sig")) == "key k1: use is not sig"
