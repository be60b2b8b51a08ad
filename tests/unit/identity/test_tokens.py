import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pyproxy.errors.refusal import ExpiredToken, InvalidToken
from pyproxy.identity.base64url import decode_base64url, encode_base64url
from pyproxy.identity.jwk import public_members
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS, RSA_ALGORITHMS, sign
from pyproxy.identity.tokens import TokenRules, UnknownKey, verify

WALL = 1_750_000_000.0
RULES = TokenRules("https://idp", "pyproxy", 30.0, 86400.0, ALGORITHMS)
CLAIMS = {"sub": "bob", "iss": "https://idp", "aud": "pyproxy", "exp": WALL + 60, "iat": WALL}

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
OTHER_P256 = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
KEYS = {
    **dict.fromkeys(RSA_ALGORITHMS, RSA),
    "ES256": P256,
    "ES384": P384,
    "ES512": P521,
    "EdDSA": EDWARDS,
}
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _key_set(*algorithms):
    keys = [
        {**public_members(KEYS[alg].public_key()), "kid": alg, "alg": alg} for alg in algorithms
    ]
    document = json.dumps({"keys": keys}).encode()
    return KeySet.parse(document, algorithms=ALGORITHMS, source="test", public_only=True)


ALL = _key_set(*sorted(ALGORITHMS))


def _part(value):
    return encode_base64url(value if isinstance(value, bytes) else json.dumps(value).encode())


def _signing_input(header, claims=None):
    return f"{_part(header)}.{_part(CLAIMS if claims is None else claims)}"


def _signed(header, key, alg, claims=None):
    signing_input = _signing_input(header, claims)
    return f"{signing_input}.{_part(sign(alg, key, signing_input.encode()))}"


def _with_signature(header, signature, claims=None):
    return f"{_signing_input(header, claims)}.{_part(signature)}"


def _hmac(header, secret, digest):
    signing_input = _signing_input(header)
    return f"{signing_input}.{_part(hmac.digest(secret, signing_input.encode(), digest))}"


def _pem(key, form=serialization.PublicFormat.SubjectPublicKeyInfo):
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def _der_ecdsa(header, key=P256):
    signing_input = _signing_input(header)
    der = key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    return f"{signing_input}.{_part(der)}"


def _raw_ecdsa(header, change):
    """An ES256 token whose two numbers went through ``change``."""
    signing_input = _signing_input(header)
    der = P256.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    return f"{signing_input}.{_part(change(*decode_dss_signature(der)))}"


def _octets(*numbers, size=32):
    return b"".join(number.to_bytes(size, "big") for number in numbers)


def _pss_with_salt(length):
    header = {"alg": "PS256", "kid": "PS256"}
    signing_input = _signing_input(header)
    signature = RSA.sign(
        signing_input.encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), length),
        hashes.SHA256(),
    )
    return f"{signing_input}.{_part(signature)}"


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_a_good_token_of_each_algorithm_is_let_in(alg):
    token = _signed({"alg": alg, "kid": alg, "typ": "JWT"}, KEYS[alg], alg)

    claims = verify(token, ALL, RULES, WALL)

    assert (claims.subject, claims.key_id, claims.expires_at) == ("bob", alg, WALL + 60)


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_a_good_token_without_kid_is_let_in_by_the_only_key(alg):
    token = _signed({"alg": alg}, KEYS[alg], alg)

    assert verify(token, ALL, RULES, WALL).key_id == alg


def test_a_key_without_a_name_is_told_by_its_thumbprint():
    document = json.dumps({"keys": [public_members(P256.public_key())]}).encode()
    keys = KeySet.parse(document, algorithms=ALGORITHMS, source="test", public_only=True)

    claims = verify(_signed({"alg": "ES256"}, P256, "ES256"), keys, RULES, WALL)

    assert claims.key_id == keys.keys[0].thumbprint


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_one_changed_bit_of_the_signature_spoils_it(alg):
    signing_input, _, text = _signed({"alg": alg, "kid": alg}, KEYS[alg], alg).rpartition(".")
    signature = bytearray(decode_base64url(text))
    signature[len(signature) // 2] ^= 1

    with pytest.raises(InvalidToken, match="signature"):
        verify(f"{signing_input}.{_part(bytes(signature))}", ALL, RULES, WALL)


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
def test_changed_claims_spoil_the_signature(alg):
    header = {"alg": alg, "kid": alg}
    signature = _signed(header, KEYS[alg], alg).rpartition(".")[2]

    with pytest.raises(InvalidToken, match="signature"):
        verify(f"{_signing_input(header, {**CLAIMS, 'sub': 'root'})}.{signature}", ALL, RULES, WALL)


@pytest.mark.parametrize("alg", sorted(ALGORITHMS))
@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(64), id="psychic, 64 zeros"),
        pytest.param(bytes(96), id="psychic, 96 zeros"),
        pytest.param(bytes(132), id="psychic, 132 zeros"),
        pytest.param(bytes(256), id="256 zeros"),
        pytest.param(b"\x00" * 255 + b"\x01", id="RSA one"),
        pytest.param(b"\xff" * 256, id="RSA beyond the modulus"),
        pytest.param(b"\x01" + bytes(63), id="Edwards identity"),
    ],
)
def test_a_made_up_signature_is_refused(alg, signature):
    with pytest.raises(InvalidToken, match="signature"):
        verify(_with_signature({"alg": alg, "kid": alg}, signature), ALL, RULES, WALL)


RS256 = {"alg": "RS256", "kid": "RS256"}
ES256 = {"alg": "ES256", "kid": "ES256"}
PKCS1 = serialization.PublicFormat.PKCS1
JWK_TEXT = json.dumps(public_members(RSA.public_key())).encode()


@pytest.mark.parametrize(
    "token",
    [
        *(
            pytest.param(_with_signature({"alg": none, "kid": kid}, b""), id=f"alg={none} {kid}")
            for none in ("none", "None", "NONE", "nOnE", "", " none", "none\u0000", "null")
            for kid in ("RS256", "ES256")
        ),
        pytest.param(_with_signature({"alg": "none"}, b""), id="alg=none, no kid"),
        pytest.param(_with_signature({"alg": "none", "kid": "RS256"}, b"x"), id="none, signed"),
        pytest.param(_signed({"alg": "none", "kid": "RS256"}, RSA, "RS256"), id="none, RS256 sig"),
        pytest.param(
            _hmac({"alg": "HS256", "kid": "RS256"}, _pem(RSA), "sha256"),
            id="HS256 with the public PEM as secret",
        ),
        pytest.param(
            _hmac({"alg": "HS256", "kid": "RS256"}, _pem(RSA).rstrip(), "sha256"),
            id="HS256 with the public PEM, no line end",
        ),
        pytest.param(
            _hmac({"alg": "HS384", "kid": "RS256"}, _pem(RSA, PKCS1), "sha384"),
            id="HS384 with the PKCS1 PEM",
        ),
        pytest.param(
            _hmac({"alg": "HS512", "kid": "RS256"}, JWK_TEXT, "sha512"), id="HS512 with the JWK"
        ),
        pytest.param(
            _hmac({"alg": "HS256", "kid": "ES256"}, _pem(P256), "sha256"),
            id="HS256 with the EC public PEM",
        ),
        pytest.param(_hmac({"alg": "HS256", "kid": "RS256"}, b"", "sha256"), id="HS256 no secret"),
        pytest.param(_hmac({"alg": "RS256", "kid": "RS256"}, _pem(RSA), "sha256"), id="MAC as RS"),
        *(
            pytest.param(_signed({"alg": alg, "kid": "RS256"}, RSA, alg), id=f"{alg} for RS256 key")
            for alg in sorted(RSA_ALGORITHMS - {"RS256"})
        ),
        *(
            pytest.param(_signed(RS256, RSA, alg), id=f"{alg} signature under RS256")
            for alg in sorted(RSA_ALGORITHMS - {"RS256"})
        ),
        pytest.param(_signed({"alg": "RS256", "kid": "PS256"}, RSA, "RS256"), id="RS for PS key"),
        pytest.param(_signed({"alg": "ES256", "kid": "RS256"}, P256, "ES256"), id="kid injection"),
        pytest.param(_signed({"alg": "EdDSA", "kid": "ES256"}, EDWARDS, "EdDSA"), id="EdDSA as EC"),
        pytest.param(_signed({"alg": "ES384", "kid": "ES256"}, P384, "ES384"), id="ES384 as ES256"),
        pytest.param(_signed({"alg": "ES256", "kid": "ES384"}, P256, "ES256"), id="ES256 as ES384"),
        pytest.param(_signed({"alg": "rs256", "kid": "RS256"}, RSA, "RS256"), id="alg lower case"),
        pytest.param(_signed({"alg": "RS1", "kid": "RS256"}, RSA, "RS256"), id="alg RS1"),
        pytest.param(_signed({"alg": "ES256K", "kid": "ES256"}, P256, "ES256"), id="alg ES256K"),
        pytest.param(_signed({"alg": "ES521", "kid": "ES512"}, P521, "ES512"), id="alg ES521"),
        pytest.param(_signed({"alg": ["RS256"], "kid": "RS256"}, RSA, "RS256"), id="alg list"),
        pytest.param(_signed(RS256, OTHER_RSA, "RS256"), id="another RSA key"),
        pytest.param(_signed(ES256, OTHER_P256, "ES256"), id="another EC key"),
        pytest.param(_der_ecdsa(ES256), id="ES256 DER signature"),
        pytest.param(_raw_ecdsa(ES256, lambda r, s: _octets(r, s) + b"\0"), id="ES256 65 octets"),
        pytest.param(_raw_ecdsa(ES256, lambda r, s: _octets(r, s)[:-1]), id="ES256 63 octets"),
        pytest.param(_raw_ecdsa(ES256, lambda r, s: _octets(r, s, size=48)), id="ES256 48+48"),
        pytest.param(_raw_ecdsa(ES256, lambda r, s: _octets(s, r)), id="ES256 r and s swapped"),
        pytest.param(_raw_ecdsa(ES256, lambda r, _: _octets(r, 0)), id="ES256 s=0"),
        pytest.param(_raw_ecdsa(ES256, lambda _, s: _octets(0, s)), id="ES256 r=0"),
        pytest.param(
            _with_signature(ES256, _octets(ORDER_OF_P256, ORDER_OF_P256)), id="psychic r=s=n"
        ),
        pytest.param(_with_signature(ES256, _octets(1, 1)), id="ES256 r=s=1"),
        pytest.param(_pss_with_salt(0), id="PS256 without salt"),
        pytest.param(_pss_with_salt(64), id="PS256 with a long salt"),
        pytest.param(
            _signed({**RS256, "jwk": public_members(OTHER_RSA.public_key())}, OTHER_RSA, "RS256"),
            id="jwk injection",
        ),
        pytest.param(
            _signed({**RS256, "jku": "https://evil.example/jwks"}, OTHER_RSA, "RS256"),
            id="jku injection",
        ),
        pytest.param(
            _signed({**RS256, "x5u": "https://evil.example/x.pem"}, OTHER_RSA, "RS256"),
            id="x5u injection",
        ),
        pytest.param(
            _signed({**RS256, "x5c": [base64.b64encode(b"x").decode()]}, OTHER_RSA, "RS256"),
            id="x5c injection",
        ),
        pytest.param(_signed({**RS256, "crit": ["exp"]}, RSA, "RS256"), id="crit, well signed"),
        pytest.param(_signed({**RS256, "b64": False}, RSA, "RS256"), id="b64, well signed"),
        pytest.param(
            _signed(b'{"alg":"none","alg":"RS256","kid":"RS256"}', RSA, "RS256"),
            id="duplicate alg, well signed",
        ),
        pytest.param(_signed(RS256, RSA, "RS256") + "=", id="padded"),
        pytest.param(_signed(RS256, RSA, "RS256", b"not JSON"), id="claims not JSON, well signed"),
        pytest.param(
            _signed(RS256, RSA, "RS256", _signed(RS256, RSA, "RS256").encode()), id="nested token"
        ),
        pytest.param(
            _signed(RS256, RSA, "RS256", {**CLAIMS, "aud": "other"}), id="well signed, wrong aud"
        ),
        pytest.param(
            _signed(RS256, RSA, "RS256", {**CLAIMS, "exp": str(WALL + 60)}), id="exp string"
        ),
    ],
)
def test_an_attack_is_refused(token):
    with pytest.raises(InvalidToken):
        verify(token, ALL, RULES, WALL)


@pytest.mark.parametrize(
    "kid",
    [
        "unknown",
        "../../etc/passwd",
        "/dev/null",
        "' OR 1=1 --",
        "https://evil.example/key",
        "RS256\u0000",
        "rs256",
        "RS256 ",
        "k" * 256,
        "\ud800",
        "${jndi:ldap://evil.example}",
    ],
)
def test_an_unknown_key_name_is_told_apart(kid):
    token = _signed({"alg": "RS256", "kid": kid}, RSA, "RS256")

    with pytest.raises(UnknownKey) as caught:
        verify(token, ALL, RULES, WALL)

    assert caught.value.kid == kid
    assert kid not in caught.value.detail


def test_nobody_guesses_between_keys():
    document = json.dumps(
        {"keys": [public_members(key.public_key()) for key in (RSA, OTHER_RSA)]}
    ).encode()
    keys = KeySet.parse(document, algorithms=ALGORITHMS, source="test", public_only=True)

    with pytest.raises(UnknownKey) as caught:
        verify(_signed({"alg": "RS256"}, RSA, "RS256"), keys, RULES, WALL)

    assert caught.value.kid is None


def test_an_algorithm_that_is_not_allowed_is_refused_whatever_the_set_says():
    rules = TokenRules("", "", 30.0, 86400.0, frozenset({"ES256"}))

    with pytest.raises(InvalidToken, match="allowed"):
        verify(_signed(RS256, RSA, "RS256"), ALL, rules, WALL)


def test_a_key_bound_by_an_older_configuration_does_not_widen_the_rules():
    rules = TokenRules("", "", 30.0, 86400.0, frozenset({"ES256", "RS512"}))

    with pytest.raises(InvalidToken):
        verify(_signed({"alg": "RS512", "kid": "RS256"}, RSA, "RS512"), ALL, rules, WALL)


def test_a_good_token_past_its_time_has_expired():
    token = _signed(ES256, P256, "ES256")

    with pytest.raises(ExpiredToken):
        verify(token, ALL, RULES, WALL + 90)


def test_a_forged_token_past_its_time_is_only_invalid():
    token = _signed(ES256, OTHER_P256, "ES256")

    with pytest.raises(InvalidToken):
        verify(token, ALL, RULES, WALL + 90)


def test_a_rewritten_ecdsa_signature_does_not_rename_the_token():
    first = _raw_ecdsa(ES256, _octets)
    second = _raw_ecdsa(ES256, lambda r, s: _octets(r, ORDER_OF_P256 - s))

    names = {verify(token, ALL, RULES, WALL).token_id for token in (first, second)}

    assert len(names) == 1
    assert hashlib.sha256(_signing_input(ES256).encode()).hexdigest()[:32] in names.pop()


def test_a_refusal_never_quotes_the_token():
    token = _signed(RS256, OTHER_RSA, "RS256")

    with pytest.raises(InvalidToken) as caught:
        verify(token, ALL, RULES, WALL)

    assert not any(part in caught.value.detail for part in token.split("."))
