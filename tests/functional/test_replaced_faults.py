"""Faults of the set-up that this gateway replaces, one test each."""

import asyncio
import json
import time

import bcrypt
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.functional.scripted import KEY, OTHER_KEY, hashed

COPILOT = 'provider = "copilot-api"'
COST = 12  # what the old set-up's keys have: a quarter of a second of a core


@pytest.fixture(scope="session")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def jwk_of(key, *, private=False, **members):
    """A JWK of an RSA key."""
    made = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key if private else key.public_key()))
    del made["key_ops"]
    return {**made, "kid": "k1", "use": "sig", **members}


@pytest.fixture
def keyed(tmp_path):
    """Writes a key set; gives the part ``auth`` of a configuration that names it."""

    def write(*keys, more=""):
        path = tmp_path / "jwks.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({"keys": keys}))
        return f'[auth.jwt]\njwks_file = "jwks.json"\n{more}'

    return write


def signed(key, algorithm="RS256", **claims):
    """A token with good claims, but for those given."""
    now = int(time.time())
    good = {"sub": "dave", "iat": now, "exp": now + 600, "aud": "us"} | claims
    chosen = {name: value for name, value in good.items() if value is not None}
    return jwt.encode(chosen, key, algorithm, {"kid": "k1"})


async def test_get_token_does_not_give_away_the_upstreams_token(start, willing):
    gateway = await start(willing, route=COPILOT)
    answers = [await gateway.ask("GET", path) for path in ("/token", "/token/", "/usage")]

    assert [answer.status for answer in answers] == [405, 403, 403]
    assert willing.received == b""


async def test_post_token_is_the_gateways(start, willing, signing):
    gateway = await start(willing, auth=signing, route=COPILOT)
    answer = await gateway.ask("POST", "/token")

    assert (answer.status, answer.json["alg"]) == (200, "ES256")
    assert willing.received == b""


@pytest.mark.parametrize("claims", [{"exp": None}, {"aud": None}, {"aud": "others"}])
async def test_token_without_end_or_audience_is_refused(start, willing, keyed, rsa_key, claims):
    gateway = await start(willing, auth=keyed(jwk_of(rsa_key), more='audience = "us"'))

    assert (await gateway.ask("GET", "/", key=signed(rsa_key))).status == 200
    assert (await gateway.ask("GET", "/", key=signed(rsa_key, **claims))).status == 401


async def test_algorithm_is_the_keys_not_the_tokens(start, willing, keyed, rsa_key):
    gateway = await start(willing, auth=keyed(jwk_of(rsa_key, alg="RS256")))
    statuses = [
        (await gateway.ask("GET", "/", key=signed(rsa_key, algorithm))).status
        for algorithm in ("RS256", "RS384", "RS512", "PS256")
    ]

    assert statuses == [200, 401, 401, 401]


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
async def test_pss_signatures_verify(start, willing, keyed, rsa_key, algorithm):
    gateway = await start(willing, auth=keyed(jwk_of(rsa_key, alg=algorithm)))

    assert (await gateway.ask("GET", "/", key=signed(rsa_key, algorithm))).status == 200


async def test_symmetric_key_beside_a_private_one_does_no_harm(start, willing, keyed, rsa_key):
    symmetric = {
        "kty": "oct",
        "kid": "k",
        "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0",
        "use": "sig",
    }
    gateway = await start(
        willing, auth=keyed(symmetric, jwk_of(rsa_key, private=True, alg="RS256"))
    )
    answer = await gateway.ask("POST", "/token")

    assert (answer.status, answer.json["alg"]) == (200, "RS256")
    assert (await gateway.ask("GET", "/", key=answer.json["token"])).status == 200


async def test_symmetric_key_alone_mints_nothing_and_says_so(start, willing, keyed):
    symmetric = {"kty": "oct", "kid": "k1", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}
    gateway = await start(willing, auth=keyed(symmetric))
    forged = jwt.encode(
        {"sub": "x", "exp": int(time.time()) + 60},
        "secret-secret-secret-secret!!!!!",
        "HS256",
        {"kid": "k1"},
    )

    assert (await gateway.ask("POST", "/token")).status == 501
    assert (await gateway.ask("GET", "/", key=forged)).status == 401


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "found"])
async def test_local_key_set_is_loaded(start, willing, keyed, rsa_key, is_named):
    auth = keyed(jwk_of(rsa_key))
    gateway = await start(willing, auth=auth if is_named else "")

    assert (await gateway.ask("GET", "/", key=signed(rsa_key))).status == 200


async def test_good_requests_never_meet_the_limit_auth(start, willing):
    more = '[rate_limits.auth]\nrate = "1r/h"\nburst = 0'
    gateway = await start(willing, more=more)
    client = await gateway.connect()

    assert {(await client.ask("GET", "/")).status for _ in range(30)} == {200}


async def test_limit_auth_is_answered_with_429(start, willing):
    more = '[rate_limits.auth]\nrate = "1r/h"\nburst = 0'
    gateway = await start(willing, more=more)
    await gateway.ask("GET", "/", key="wrong")
    answer = await gateway.ask("GET", "/", key="wrong")

    assert (answer.status, answer.json["error"]) == (429, "rate_limited")
    assert answer.value("retry-after") == "60"


async def test_wrong_key_stalls_nobody(start, willing):
    hashes = [bcrypt.hashpw(b"key-%d" % i, bcrypt.gensalt(COST)).decode() for i in range(2)]
    keys = "".join(f"user{i}:{each}\n" for i, each in enumerate(hashes)) + hashed("alice", KEY)
    gateway = await start(willing, keys_text=keys, route="rate_limits = []")
    client = await gateway.connect()
    await client.ask("GET", "/")
    wrong = asyncio.ensure_future(gateway.ask("GET", "/", key="wrong"))
    began, slowest, count = time.perf_counter(), 0.0, 0
    while not wrong.done():
        started = time.perf_counter()
        assert (await client.ask("GET", "/")).status == 200
        slowest, count = max(slowest, time.perf_counter() - started), count + 1

    assert (await wrong).status == 401
    assert count > 5
    assert slowest < (time.perf_counter() - began) / 2


async def test_right_key_is_hashed_once(start, willing):
    keys = f"user:{bcrypt.hashpw(OTHER_KEY.encode(), bcrypt.gensalt(COST)).decode()}\n"
    gateway = await start(willing, keys_text=keys)
    client = await gateway.connect()
    began = time.perf_counter()
    await client.ask("GET", "/", key=OTHER_KEY)
    started = time.perf_counter()
    statuses = {(await client.ask("GET", "/", key=OTHER_KEY)).status for _ in range(20)}

    assert statuses == {200}
    assert time.perf_counter() - started < 2 * (started - began)


@pytest.mark.parametrize("length", [72, 73, 4000])
async def test_key_longer_than_bcrypt_takes_is_refused(start, willing, length):
    first = "k" * 72
    keys = f"user:{bcrypt.hashpw(first.encode(), bcrypt.gensalt(4)).decode()}\n"
    gateway = await start(willing, keys_text=keys)
    answer = await gateway.ask("GET", "/", key="k" * length)

    assert answer.status == (200 if length == 72 else 401)


async def test_gateways_key_is_not_forwarded(start, willing):
    gateway = await start(willing, route=COPILOT)

    assert (await gateway.ask("GET", "/v1/models")).status == 200
    assert b"authorization" not in willing.received.lower()


async def test_errors_have_the_security_headers(start, willing):
    gateway = await start(willing)
    answer = await gateway.ask("GET", "/", key="wrong")

    assert answer.value("x-content-type-options") == "nosniff"
    assert answer.value("x-frame-options") == "DENY"


async def test_health_exists(start, willing):
    gateway = await start(willing)
    answer = await gateway.ask("GET", "/health", key=None)

    assert (answer.status, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEARER"])
async def test_scheme_may_have_any_case(start, willing, scheme):
    # RFC 9110 section 11.1
    gateway = await start(willing)

    assert (await gateway.ask("GET", "/", f"Authorization: {scheme} {KEY}", key=None)).status == 200
