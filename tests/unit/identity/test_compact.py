import json

import pytest

from pyproxy.errors.refusal import InvalidToken
from pyproxy.identity.base64url import encode_base64url
from pyproxy.identity.compact import parse_compact


def _token(header, payload=b"{}", signature=b"sig"):
    octets = header if isinstance(header, bytes) else json.dumps(header).encode()
    return ".".join(map(encode_base64url, (octets, payload, signature)))


def test_a_token_is_taken_apart():
    token = _token({"alg": "ES256", "kid": "k1", "typ": "JWT"}, b'{"sub":"bob"}', b"\x00\xff")

    compact = parse_compact(token)

    assert (compact.alg, compact.kid) == ("ES256", "k1")
    assert compact.payload == b'{"sub":"bob"}'
    assert compact.signature == b"\x00\xff"
    assert compact.signing_input == token.rpartition(".")[0].encode()


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({}, id="bare"),
        pytest.param({"typ": "jwt"}, id="typ in lower case"),
        pytest.param({"typ": "at+jwt"}, id="access token"),
        pytest.param({"typ": "application/at+JWT"}, id="whole media type"),
        pytest.param({"kid": "k" * 256}, id="kid of 256 characters"),
        pytest.param({"jku": "https://evil.example/jwks.json"}, id="jku ignored"),
        pytest.param({"x5u": "https://evil.example/cert.pem"}, id="x5u ignored"),
        pytest.param({"jwk": {"kty": "oct", "k": "AA"}}, id="jwk ignored"),
        pytest.param({"x5c": ["AA=="], "x5t": "AA", "cty": "JWT"}, id="x5c, x5t, cty ignored"),
        pytest.param({"made-up": [1, 2]}, id="unknown member ignored"),
    ],
)
def test_headers_that_are_let_pass(extra):
    assert parse_compact(_token({"alg": "RS256", **extra})).alg == "RS256"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({}, id="no alg"),
        pytest.param({"alg": None}, id="alg null"),
        pytest.param({"alg": ["RS256"]}, id="alg list"),
        pytest.param({"alg": 256}, id="alg number"),
        pytest.param({"Alg": "RS256"}, id="alg in another case"),
        pytest.param({"alg": "RS256", "kid": 1}, id="kid number"),
        pytest.param({"alg": "RS256", "kid": None}, id="kid null"),
        pytest.param({"alg": "RS256", "kid": ["a"]}, id="kid list"),
        pytest.param({"alg": "RS256", "kid": ""}, id="kid empty"),
        pytest.param({"alg": "RS256", "kid": "k" * 257}, id="kid of 257 characters"),
        pytest.param({"alg": "RS256", "crit": ["exp"]}, id="crit known claim"),
        pytest.param({"alg": "RS256", "crit": []}, id="crit empty"),
        pytest.param({"alg": "RS256", "crit": None}, id="crit null"),
        pytest.param({"alg": "RS256", "crit": ["b64"], "b64": True}, id="crit b64"),
        pytest.param({"alg": "RS256", "b64": False}, id="b64 false"),
        pytest.param({"alg": "RS256", "b64": True}, id="b64 true"),
        pytest.param({"alg": "RS256", "zip": "DEF"}, id="zip"),
        pytest.param({"alg": "RSA-OAEP", "enc": "A128GCM"}, id="enc"),
        pytest.param({"alg": "RS256", "typ": "JOSE"}, id="typ JOSE"),
        pytest.param({"alg": "RS256", "typ": "logout+jwt"}, id="typ of a logout token"),
        pytest.param({"alg": "RS256", "typ": "dpop+jwt"}, id="typ of a DPoP proof"),
        pytest.param({"alg": "RS256", "typ": 1}, id="typ number"),
        pytest.param({"alg": "RS256", "typ": ""}, id="typ empty"),
        pytest.param(b'{"alg":"none","alg":"RS256"}', id="duplicate alg"),
        pytest.param(b'{"alg":"RS256","kid":"a","kid":"b"}', id="duplicate kid"),
        pytest.param(b'["RS256"]', id="header list"),
        pytest.param(b"null", id="header null"),
        pytest.param(b"", id="header empty"),
        pytest.param(b'{"alg":"RS256"', id="header cut off"),
        pytest.param(b'{"alg":"RS256","x":NaN}', id="header NaN"),
        pytest.param(b'{"alg":"RS256","x":"\xff"}', id="header not UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"alg":"RS256"}', id="header byte order mark"),
        pytest.param(b'{"alg":"RS256","x":' + b"[" * 2000 + b"]" * 2000 + b"}", id="header deep"),
        pytest.param(b'{"alg":"RS256","x":' + b"1" * 5000 + b"}", id="header huge number"),
    ],
)
def test_headers_that_cannot_be_honoured_are_refused(header):
    with pytest.raises(InvalidToken):
        parse_compact(_token(header))


GOOD = _token({"alg": "RS256"})
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("..", id="two dots"),
        pytest.param(f"{HEADER}.{PAYLOAD}", id="two parts"),
        pytest.param(f"{GOOD}.", id="four parts"),
        pytest.param(f"{GOOD}.a.b", id="five parts, encrypted"),
        pytest.param(f"{GOOD}=", id="padded signature"),
        pytest.param(f"{HEADER}=.{PAYLOAD}.{SIGNATURE}", id="padded header"),
        pytest.param(f"{HEADER}.{PAYLOAD}=.{SIGNATURE}", id="padded payload"),
        pytest.param(f" {GOOD}", id="leading space"),
        pytest.param(f"{GOOD}\n", id="trailing line end"),
        pytest.param(f"{HEADER}.{PAYLOAD}.{SIGNATURE[:2]}+/", id="the other alphabet"),
        pytest.param(f"{HEADER}.{PAYLOAD}.AB", id="trailing bits"),
        pytest.param(f"{HEADER}.{PAYLOAD}.A", id="impossible length"),
        pytest.param(f"{HEADER}.{PAYLOAD}.\u0410QAB", id="Cyrillic letter"),
        pytest.param(f"{HEADER}.{PAYLOAD}.AQA\ud800", id="half a surrogate pair"),
        pytest.param(f'{{"payload":"{PAYLOAD}"}}', id="JSON serialisation"),
        pytest.param(f"{HEADER}.{'A' * 65536}.{SIGNATURE}", id="over 64 KiB"),
        pytest.param("." * 8193, id="8193 dots"),
    ],
)
def test_what_is_not_the_compact_form_is_refused(token):
    with pytest.raises(InvalidToken):
        parse_compact(token)


def test_the_refusal_does_not_quote_the_token():
    with pytest.raises(InvalidToken) as caught:
        parse_compact(_token(b'{"alg": "RS256", hunter2'))

    assert "hunter2" not in caught.value.detail
