"""Requests made to be expensive, and texts made to break logs: clear answers, nothing broken."""

import asyncio
import json
import time
from urllib.parse import quote

import jwt
import pytest

from tests.functional.scripted import KEY, OK, request

# An honest request takes 2 ms here, the worst of these 50; a busy machine takes its time.
MAX_S = 0.5
IDENTITY = 'identity_header = "X-User"'
# Each is a way to forge a line, to hide in one, or to break its reader.
NASTY = {
    "line feed": "a\nb",
    "carriage return": "a\rb",
    "NUL": "a\0b",
    "escape": "a\x1b[31mb",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
}
ODD = {
    "accents": "Jos\u00e9",
    "emoji": "\U0001f600",
    "right to left override": "a\u202eb",
    "zero width": "a\u200bb",
    "quotes": 'a"b\\',
    "markup": "<script>alert(1)</script>",
    "fields": 'a","user":"root',
    "combining": "e" + "\u0301" * 200,
}


def is_clean(text):
    """One line that every reader of logs takes for one."""
    return text.isascii() and text.isprintable() and isinstance(json.loads(text), dict)


async def timed(gateway, *arguments, **named):
    """Status of an answer, and the seconds that it took after a first one."""
    client = await gateway.connect()
    await client.ask("GET", "/")
    began = time.perf_counter()
    client.send(request(*arguments, **named))
    answer = await client.answer()
    return answer.status, time.perf_counter() - began


# --- Bombs


@pytest.mark.parametrize("route", ["", "auth = []"], ids=["keyed", "open"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("a=b&" * 100_000, 414, id="100,000 parameters"),
        pytest.param("&" * 10_000, 200, id="10,000 ampersands"),
        pytest.param("a=b&" * 4_000, 200, id="4,000 parameters"),
        pytest.param("%61=%62&" * 2_000, 200, id="2,000 escaped parameters"),
        pytest.param("key=&" * 3_000, 200, id="3,000 empty keys"),
        pytest.param("=" * 16_000, 200, id="16,000 equals signs"),
        pytest.param("%25" * 5_000, 200, id="5,000 escapes of the escape"),
    ],
)
async def test_query_bomb(start, willing, route, query, status):
    gateway = await start(willing, route=route)

    got, took_s = await timed(gateway, "GET", f"/?{query}")

    assert got == status
    assert took_s < MAX_S
    assert status != 200 or f"GET /?{query} ".encode() in willing.received or "key" in query


@pytest.mark.parametrize("route", ["", "auth = []"], ids=["keyed", "open"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param(["Cookie: a=" + "b" * 1_000_000], 431, id="1 MB cookie"),
        pytest.param(["Cookie: " + "a=b; " * 3_000], 200, id="3,000 cookies"),
        pytest.param([f"X-{i}: " + "a" * 40 for i in range(190)], 200, id="190 fields"),
        pytest.param(["Connection: " + "x-a, " * 3_000], 200, id="3,000 nominations"),
        pytest.param(["Accept: " + "*/*;q=0.1, " * 1_400], 200, id="1,400 media types"),
        pytest.param(["Authorization: " + "a " * 4_000], 401, id="4,000 words of a credential"),
        pytest.param(["X-Forwarded-For: " + "1.1.1.1, " * 1_700], 200, id="1,700 hops"),
        pytest.param(["X-Any: " + "pyp_" * 4_000], 200, id="4,000 beginnings of keys"),
        pytest.param(["Sec-WebSocket-Protocol: a" + ", a" * 2_000], 200, id="2,000 sub-protocols"),
    ],
)
async def test_header_bomb(start, willing, route, fields, status):
    gateway = await start(willing, route=route, server='trusted_proxies = ["127.0.0.1"]')
    has_own = any(field.startswith("Authorization") for field in fields)
    if has_own and route:
        status = 200

    got, took_s = await timed(gateway, "GET", "/", *fields, key=None if has_own else KEY)

    assert got == status
    assert took_s < MAX_S


async def test_path_of_many_segments_and_escapes(start, willing):
    gateway = await start(willing, route='deny_paths = ["/**/admin/**", "/a*b*c*d"]')

    for path in ("/a" * 8_000, "/" + "%61" * 5_000, "/" + "a*b" * 5_000, "/" + "ab" * 8_000):
        status, took_s = await timed(gateway, "GET", path)
        assert status == 200
        assert took_s < MAX_S


# --- Texts


@pytest.fixture
def token_of(signing_keys):
    """Signs claims that are good but for those given."""
    key = signing_keys["keys"][0]
    private = jwt.algorithms.ECAlgorithm.from_jwk(json.dumps(key))

    def sign(headers=None, **claims):
        now = int(time.time())
        good = {"sub": "dave", "iat": now, "exp": now + 60, "iss": "us", "aud": "them"}
        return jwt.encode(good | claims, private, "ES256", {"kid": key["kid"], **(headers or {})})

    return sign


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("claim", ["sub", "jti", "kid"])
async def test_control_characters_in_a_token_let_nobody_in(
    start, willing, signing, token_of, text, claim
):
    gateway = await start(willing, auth=signing)
    token = token_of({"kid": text}) if claim == "kid" else token_of(**{claim: text})

    answer = await gateway.ask("GET", "/", key=token)
    await gateway.lines.next("auth.failed")

    assert (answer.status, answer.json["error"]) == (401, "invalid_token")
    assert all(map(is_clean, gateway.lines.texts))


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_subject_is_one_line_and_one_field(start, willing, signing, token_of, text):
    gateway = await start(willing, auth=signing, route=IDENTITY)

    answer = await gateway.ask("GET", "/", key=token_of(sub=text))
    line = await gateway.lines.next("request")

    assert answer.status == 200
    assert line["user"] == text
    assert all(map(is_clean, gateway.lines.texts))
    assert f"X-User: {quote(text, safe='')}\r\n".encode() in willing.received


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_subject_is_told_to_another_proxy_in_the_same_words(
    start, willing, signing, token_of, text
):
    gateway = await start(willing, auth=signing)

    answer = await gateway.ask("GET", "/verify", key=token_of(sub=text))

    assert answer.value("x-auth-user") == quote(text, safe="")
    assert answer.json == {"user": text}


@pytest.mark.parametrize("text", [*NASTY.values(), *ODD.values()], ids=[*NASTY, *ODD])
async def test_odd_model_is_one_line(start, willing, text):
    gateway = await start(willing, route='models = ["*"]')
    body = json.dumps({"model": text}).encode()

    answer = await gateway.ask("POST", "/v1/x", "Content-Type: application/json", body=body)
    await gateway.lines.next("request")

    assert answer.status in {200, 403}
    assert all(map(is_clean, gateway.lines.texts))
    assert text not in answer.body.decode()


@pytest.mark.parametrize(
    "host",
    [
        "a\x01b",
        "a\x7fb",
        "a\tb",
        "caf\u00e9",
        "a b",
        "a\x00b",
        "<script>",
        "a,b",
        "a@b",
        "[::1",
    ],
)
async def test_odd_host_is_a_400_that_repeats_nothing(start, willing, host):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
    answer = await client.answer()
    await asyncio.sleep(0)

    assert answer.status == 400
    assert host.encode("latin-1") not in answer.head + answer.body
    assert all(map(is_clean, gateway.lines.texts))
    assert willing.received == b""


@pytest.mark.parametrize("octet", [*range(32), 127, 128, 255])
@pytest.mark.parametrize("place", ["request id", "path", "query", "method"])
async def test_any_octet_anywhere_is_answered_and_logged_in_one_line(start, willing, place, octet):
    gateway = await start(willing)
    client = await gateway.connect()
    mark = bytes([octet])
    lines = {
        "request id": b"GET / HTTP/1.1\r\nX-Request-Id: a%bb\r\n" % mark,
        "path": b"GET /a%bb HTTP/1.1\r\n" % mark,
        "query": b"GET /?a%bb HTTP/1.1\r\n" % mark,
        "method": b"GE%bT / HTTP/1.1\r\n" % mark,
    }[place]
    client.send(lines, b"Host: x\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n\r\n")
    answer = await client.answer()

    assert answer.status in ({200, 400} if place == "request id" else {400})
    assert all(map(is_clean, gateway.lines.texts))


async def test_after_all_of_it_the_gateway_serves(start, willing):
    gateway = await start(willing)
    for bomb in (b"\0" * 70_000, b"\r\n" * 40_000, b"\xff" * 20_000, b"GET " * 5_000):
        client = await gateway.connect()
        client.send(bomb)
        assert len(await client.rest()) < 4096
    willing.plays(OK)

    assert (await gateway.ask("GET", "/")).status == 200
