"""The gateway's own paths: tokens, verification, health and public keys."""

import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from tests.functional.scripted import KEY, OTHER_KEY, hashed, request


async def minted(gateway, **named):
    """A fresh token."""
    answer = await gateway.ask("POST", "/token", **named)
    assert answer.status == 200, answer.body
    return answer.json["token"]


# --- All


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/token", "token"),
        ("POST", "/token/revoke", "revoke"),
        ("GET", "/verify", "verify"),
        ("GET", "/health", "health"),
        ("GET", "/.well-known/jwks.json", "jwks"),
    ],
)
async def test_access_line_names_the_endpoint(start, willing, signing, method, path, name):
    gateway = await start(willing, auth=signing)
    await gateway.ask(method, path)

    assert (await gateway.lines.next("request"))["route"] == name


# --- Health


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_health_needs_no_key(start, willing, method):
    gateway = await start(willing)
    client = await gateway.connect()
    answer = await client.ask(method, "/health", key=None)

    assert answer.status == 200
    assert answer.body == (b'{"status":"ok"}' if method == "GET" else b"")
    assert answer.value("cache-control") == "no-store"
    assert willing.received == b""


async def test_health_has_a_limit_of_its_own(start, willing):
    gateway = await start(willing, more='[rate_limits.health]\nrate = "1r/h"\nburst = 2')
    client = await gateway.connect()
    statuses = [(await client.ask("GET", "/health", key=None)).status for _ in range(5)]

    assert statuses == [200, 200, 200, 429, 429]
    assert (await client.ask("GET", "/")).status == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/health", "GET, HEAD"),
        ("/verify", "GET, HEAD"),
        ("/token", "POST"),
        ("/token/revoke", "POST"),
    ],
)
async def test_wrong_method_is_told_the_right_ones(start, willing, path, allowed):
    gateway = await start(willing)
    answer = await gateway.ask("DELETE", path)

    assert (answer.status, answer.value("allow")) == (405, allowed)
    assert willing.received == b""


# --- Tokens


async def test_key_buys_a_token_that_opens_the_gateway(start, willing, signing, signing_keys):
    gateway = await start(willing, auth=signing)
    answer = await gateway.ask("POST", "/token")
    token = answer.json["token"]
    claims = jwt.decode(token, options={"verify_signature": False})

    assert answer.value("cache-control") == "no-store"
    assert set(answer.json) == {"token", "expires_in", "kid", "alg"}
    assert (answer.json["kid"], answer.json["alg"]) == (signing_keys["keys"][0]["kid"], "ES256")
    assert {"sub", "iat", "nbf", "exp", "jti", "iss", "aud"} <= set(claims)
    assert (claims["sub"], claims["iss"], claims["aud"]) == ("alice", "us", "them")
    assert claims["exp"] - claims["iat"] == answer.json["expires_in"] == 3600
    assert abs(claims["iat"] - time.time()) < 10
    assert (await gateway.ask("GET", "/", key=token)).status == 200
    assert token.encode() not in willing.received
    assert not [text for text in gateway.lines.texts if token in text]


async def test_token_does_not_outlive_its_key(start, willing, signing):
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    end = datetime.combine(tomorrow + timedelta(days=1), datetime.min.time(), UTC).timestamp()
    auth = f'{signing}\nttl = "72h"\nmax_lifetime = "72h"'
    keys = hashed("alice", KEY, f"expires={tomorrow}") + hashed("bob", OTHER_KEY)
    gateway = await start(willing, auth=auth, keys_text=keys)
    until = {}
    for name, key in (("alice", KEY), ("bob", OTHER_KEY)):
        answer = await gateway.ask("POST", "/token", key=key)
        claims = jwt.decode(answer.json["token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == answer.json["expires_in"]
        until[name] = claims["exp"]

    assert until["alice"] == end < until["bob"]


async def test_token_buys_no_other_token(start, willing, signing):
    gateway = await start(willing, auth=signing)
    token = await minted(gateway)
    answer = await gateway.ask("POST", "/token", key=token)

    assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    line = await gateway.lines.next("auth.failed")
    assert line["details"]["reason"] == "only an API key is exchanged for a token"
    told = [json.loads(text) for text in gateway.lines.texts]
    of_it = [each["event"] for each in told if each.get("request_id") == line["request_id"]]
    assert of_it == ["auth.failed", "request"]


@pytest.mark.parametrize("key", ["wrong", None])
async def test_nobody_gets_no_token(start, willing, signing, key):
    gateway = await start(willing, auth=signing)
    answer = await gateway.ask("POST", "/token", key=key)

    assert answer.status == 401
    assert b"token" not in answer.body.replace(b"invalid_token", b"").replace(b"missing_token", b"")


async def test_without_signing_key_there_are_no_tokens(start, willing):
    gateway = await start(willing)

    assert (await gateway.ask("POST", "/token")).status == 501


async def test_token_request_has_no_body_to_speak_of(start, willing, signing):
    gateway = await start(willing, auth=signing)
    client = await gateway.connect()
    client.send(request("POST", "/token", "Transfer-Encoding: chunked"), b"1\r\n")
    empty = await gateway.connect()
    empty.send(request("POST", "/token", "Transfer-Encoding: chunked") + b"0\r\n\r\n")

    assert (await gateway.ask("POST", "/token", body=b"x" * 1025)).status == 413
    assert (await gateway.ask("POST", "/token", body=b"x" * 1024)).status == 200
    assert (await client.answer()).status == 413
    assert (await empty.answer()).status == 200


async def test_tokens_are_limited_by_auth(start, willing, signing):
    more = '[rate_limits.auth]\nrate = "1r/h"\nburst = 2'
    gateway = await start(willing, auth=signing, more=more)
    client = await gateway.connect()
    answers = [await client.ask("POST", "/token") for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].value("retry-after") == "60"


async def test_minting_is_written_down(start, willing, signing):
    gateway = await start(willing, auth=signing)
    await minted(gateway)
    line = await gateway.lines.next("token.minted")

    assert (line["user"], line["result"], line["details"]["expires_in"]) == ("alice", "ok", 3600)


async def test_revoked_token_is_refused_from_then_on(start, willing, signing):
    gateway = await start(willing, auth=signing)
    token, other = await minted(gateway), await minted(gateway)
    client = await gateway.connect()
    before = await client.ask("GET", "/", key=token)
    revoked = await client.ask("POST", "/token/revoke", key=token)
    after = await client.ask("GET", "/", key=token)

    assert (before.status, revoked.status, after.status) == (200, 200, 401)
    assert (await client.ask("GET", "/", key=other)).status == 200
    assert (await gateway.lines.next("token.revoked"))["user"] == "alice"


async def test_key_cannot_be_revoked(start, willing, signing):
    gateway = await start(willing, auth=signing)

    assert (await gateway.ask("POST", "/token/revoke")).status == 400
    assert (await gateway.ask("GET", "/")).status == 200


async def test_keys_limits_go_with_its_tokens(start, willing, signing):
    keys = hashed("alice", KEY, "routes=main limit=2r/h") + hashed("bob", OTHER_KEY, "routes=other")
    gateway = await start(willing, auth=signing, keys_text=keys)
    client = await gateway.connect()
    token, other = await minted(gateway), await minted(gateway, key=OTHER_KEY)

    assert [(await client.ask("GET", "/", key=token)).status for _ in range(3)] == [200, 200, 429]
    assert (await client.ask("GET", "/", key=other)).json["error"] == "user_not_allowed"


# --- Public keys


async def test_public_halves_are_public(start, willing, signing, signing_keys):
    gateway = await start(willing, auth=signing)
    answer = await gateway.ask("GET", "/.well-known/jwks.json", key=None)
    (key,) = answer.json["keys"]

    assert answer.value("cache-control") == "max-age=300"
    assert key["kid"] == signing_keys["keys"][0]["kid"]
    assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"}


async def test_without_signing_key_there_are_no_public_keys(start, willing):
    gateway = await start(willing)

    assert (await gateway.ask("GET", "/.well-known/jwks.json")).status == 404


# --- Verification for another proxy


async def test_verify_names_the_caller(start, willing, signing):
    gateway = await start(willing, auth=signing)
    token = await minted(gateway)
    answers = [await gateway.ask("GET", "/verify"), await gateway.ask("GET", "/verify", key=token)]

    for answer in answers:
        assert (answer.status, answer.value("x-auth-user")) == (200, "alice")
        assert answer.value("cache-control") == "no-store"


@pytest.mark.parametrize("key", ["wrong", None, "a.b.c"])
async def test_verify_refuses_strangers(start, willing, key):
    gateway = await start(willing)
    answer = await gateway.ask("GET", "/verify", key=key)

    assert (answer.status, answer.value("x-auth-user")) == (401, None)


# --- Where they are


async def test_own_endpoints_come_before_every_route(start, willing):
    gateway = await start(willing, route='path = "/token"\nauth = []')
    answers = [await gateway.ask(method, "/token") for method in ("GET", "PUT", "OPTIONS", "PATCH")]

    assert {answer.status for answer in answers} == {405}
    assert willing.received == b""


async def test_own_endpoints_can_be_elsewhere(start, willing, signing):
    gateway = await start(willing, auth=signing, more='[endpoints]\ntoken = "/_gateway/token"')

    assert (await gateway.ask("POST", "/_gateway/token")).status == 200
    assert (await gateway.ask("POST", "/token")).body == b"ok"


async def test_own_endpoint_can_be_switched_off(start, willing):
    gateway = await start(willing, more='[endpoints]\nhealth = ""')

    assert (await gateway.ask("GET", "/health")).body == b"ok"
    assert (await gateway.ask("GET", "/health", key=None)).status == 401


async def test_query_makes_no_difference_to_an_own_endpoint(start, willing):
    gateway = await start(willing)

    assert (await gateway.ask("GET", "/token?x=1")).status == 405
    assert (await gateway.ask("GET", "http://gateway.example/token")).status == 405
    assert willing.received == b""
