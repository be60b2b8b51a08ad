import json

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.identity.base64url import decode_base64url
from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.jwks import BadKeySet, KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.mint import Minter
from pyproxy.identity.signing_keys import generate_signing_key, rotate
from pyproxy.identity.tokens import TokenRules, verify

WALL = 1_750_000_000.75
RULES = TokenRules("https://us", "llm", 30.0, 86400.0, ALGORITHMS)
FIRST, SECOND = generate_signing_key("ES256"), generate_signing_key("EdDSA")
RSA = generate_signing_key("RS256")
SYMMETRIC = {"kty": "oct", "kid": "hs", "alg": "HS256", "k": "AAAAAAAAAAAAAAAAAAAAAA"}


def _minter(*keys, issuer="https://us", audience="llm", algorithms=ALGORITHMS):
    return Minter.parse(
        json.dumps({"keys": keys}).encode(),
        source="signing.json",
        algorithms=algorithms,
        ttl_s=3600.5,
        issuer=issuer,
        audience=audience,
    )


def _claims(token):
    return json.loads(decode_base64url(token.split(".")[1]))


@pytest.mark.parametrize("key", [FIRST, SECOND, RSA], ids=lambda key: key["alg"])
def test_a_minted_token_is_good_here(key):
    minter = _minter(key)

    minted = minter.mint("alice", WALL, "t1")
    claims = verify(minted.token, minter.public, RULES, WALL)

    assert (minted.expires_in, minted.kid, minted.alg) == (3600, key["kid"], key["alg"])
    assert (claims.subject, claims.token_id) == ("alice", "t1")
    assert claims.expires_at == 1_750_000_000 + 3600


def test_a_token_says_what_the_contract_says():
    token = _minter(FIRST).mint("alice", WALL, "t1").token

    assert _claims(token) == {
        "sub": "alice",
        "iat": 1_750_000_000,
        "nbf": 1_750_000_000,
        "exp": 1_750_003_600,
        "jti": "t1",
        "iss": "https://us",
        "aud": "llm",
    }


def test_a_token_may_do_no_more_than_what_it_is_given_for():
    minter = _minter(FIRST)

    minted = minter.mint(
        "alice",
        WALL,
        "t1",
        routes={"openai", "anthropic"},
        limit=Rate(20, 1.0),
        not_after=1_750_000_060.0,
    )
    claims = verify(minted.token, minter.public, RULES, WALL)

    assert _claims(minted.token)["routes"] == ["anthropic", "openai"]
    assert _claims(minted.token)["limit"] == "20r/s"
    assert (claims.routes, claims.limit) == ({"openai", "anthropic"}, Rate(20, 1.0))
    assert (claims.expires_at, minted.expires_in) == (1_750_000_060.0, 60)


def test_a_key_that_lives_longer_does_not_prolong_its_token():
    minted = _minter(FIRST).mint("alice", WALL, "t1", not_after=WALL + 1e9)

    assert minted.expires_in == 3600


def test_no_routes_are_not_every_route():
    minter = _minter(FIRST)
    minted = minter.mint("alice", WALL, "t1", routes=())

    assert verify(minted.token, minter.public, RULES, WALL).routes == frozenset()


def test_issuer_and_audience_are_left_out_when_not_configured():
    claims = _claims(_minter(FIRST, issuer="", audience="").mint("alice", WALL, "t1").token)

    assert not {"iss", "aud"} & claims.keys()


def test_the_first_private_key_signs_and_all_verify():
    old = _minter(FIRST).mint("alice", WALL, "t1").token
    minter = _minter(*rotate({"keys": [FIRST]}, "EdDSA")["keys"])

    assert minter.mint("alice", WALL, "t2").alg == "EdDSA"
    assert verify(old, minter.public, RULES, WALL).subject == "alice"


@pytest.mark.parametrize(
    "passed_over",
    [
        pytest.param(SYMMETRIC, id="symmetric"),
        pytest.param(without_private(SECOND), id="public"),
        pytest.param({**SECOND, "use": "enc"}, id="for encryption"),
        pytest.param({**SECOND, "kid": "x\n"}, id="bad name"),
        pytest.param("key", id="no object"),
    ],
)
def test_keys_that_cannot_sign_are_passed_over(passed_over):
    assert _minter(passed_over, FIRST).mint("alice", WALL, "t1").kid == FIRST["kid"]


def test_a_key_whose_name_stands_twice_does_not_sign():
    twin = {**SECOND, "kid": "x"}

    minter = _minter({**RSA, "kid": "x"}, twin, FIRST)

    assert minter.mint("alice", WALL, "t1").kid == FIRST["kid"]


def test_a_key_without_a_name_gets_its_thumbprint():
    nameless = {name: value for name, value in FIRST.items() if name != "kid"}

    minter = _minter(nameless)
    minted = minter.mint("alice", WALL, "t1")

    assert minted.kid == FIRST["kid"]
    assert verify(minted.token, minter.public, RULES, WALL).key_id == FIRST["kid"]
    assert json.loads(minter.public_jwks())["keys"][0]["kid"] == FIRST["kid"]


def test_what_is_published_holds_no_private_member():
    published = json.loads(_minter(FIRST, SYMMETRIC, RSA).public_jwks())["keys"]

    assert [key["kid"] for key in published] == [FIRST["kid"], RSA["kid"]]
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in published)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        pytest.param([], "no private key", id="no keys"),
        pytest.param([without_private(FIRST)], "no private key", id="public only"),
        pytest.param([SYMMETRIC], "symmetric", id="symmetric only"),
        pytest.param([{**FIRST, "d": SECOND["d"]}], "belongs to another", id="halves mixed"),
        pytest.param([{**FIRST, "d": "AA"}, SECOND], "1 octets", id="broken before a good one"),
    ],
)
def test_a_set_that_cannot_sign_is_refused(keys, reason):
    with pytest.raises(BadKeySet, match=f"signing.json: .*{reason}"):
        _minter(*keys)


def test_only_allowed_algorithms_sign():
    minter = _minter(FIRST, SECOND, algorithms=frozenset({"EdDSA"}))

    assert minter.mint("alice", WALL, "t1").alg == "EdDSA"


def test_what_is_no_set_is_refused():
    with pytest.raises(BadKeySet, match=r"signing\.json: not a JWK set"):
        Minter.parse(
            b"{", source="signing.json", algorithms=ALGORITHMS, ttl_s=1, issuer="", audience=""
        )


@pytest.mark.parametrize("subject", ["", "s" * 257, "a\nb", "\ud800"])
def test_a_subject_is_never_cut_to_fit(subject):
    with pytest.raises(ValueError, match="subject"):
        _minter(FIRST).mint(subject, WALL, "t1")


def test_nothing_private_is_printed():
    minter = _minter(FIRST)
    minted = minter.mint("alice", WALL, "t1")

    assert minted.token not in repr(minted)
    assert "private" not in repr(minter).replace("is_private", "").lower()


def test_the_public_set_is_one_that_others_can_take():
    published = KeySet.parse(
        _minter(FIRST, RSA).public_jwks(), algorithms=ALGORITHMS, source="x", public_only=True
    )

    assert (len(published.keys), published.faults) == (2, ())
