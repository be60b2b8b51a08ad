"""What the gateway says no to, in which words, and in which order it looks."""

import asyncio

import pytest

from tests.functional.scripted import KEY, OK, request

PREFIX = 'path = "/api"'


# --- What is asked for


@pytest.mark.parametrize(
    "target",
    [
        "/..",
        "/a/../b",
        "/a/..",
        "/./a",
        "/a/.",
        "/a/%2e%2e/b",
        "/a/.%2E/b",
        "/a/%2e/b",
        "/a/..;x/b",
        "/a/..%2fb",
        "/a%2f..%2fb",
        "//a",
        "/a//b",
        "/a/%2fb",
        "/a\\b",
        "/a%5cb",
        "/a%5C..%5Cb",
        "/a%00",
        "/a%0d%0aX:y",
        "/a%7f",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a#b",
        "/a?b#c",
        "a",
        "*",
        "http://",
        "ftp://gateway.example/",
        "http://user@gateway.example/",
        "gateway.example:443",
    ],
)
async def test_target_with_two_readings_is_refused(start, willing, target):
    gateway = await start(willing)
    answer = await gateway.ask("GET", target)

    assert (answer.status, answer.json["error"]) == (400, "bad_request")
    assert willing.received == b""


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api", 200),
        ("/api/x", 200),
        ("/apix", 404),
        ("/API/x", 404),
        ("/", 404),
        ("/x/api", 404),
        ("/api%2fx", 400),
        ("/%61pi/x", 200),
    ],
)
async def test_prefix_ends_at_a_segment(start, willing, target, status):
    gateway = await start(willing, route=PREFIX)

    assert (await gateway.ask("GET", target)).status == status


async def test_host_chooses_the_route(start, willing):
    gateway = await start(willing, route='hosts = ["api.example", "*.wild.example"]')
    client = await gateway.connect()
    statuses = []
    for host in ("api.example", "API.example:5000", "a.wild.example", "wild.example", "other"):
        client.send(request("GET", "/").replace(b"gateway.example", host.encode()))
        statuses.append((await client.answer()).status)

    assert statuses == [200, 200, 200, 404, 404]


async def test_longest_path_wins(start, upstream, willing):
    more = f'[[routes]]\nname = "deep"\npath = "/api/deep"\nupstream = "{willing.url}/deep"'
    gateway = await start(willing, route=PREFIX, more=more)
    await gateway.ask("GET", "/api/deep/x")
    await gateway.ask("GET", "/api/deepx")

    assert b"GET /deep/x " in upstream.received
    assert b"GET /deepx " in upstream.received


async def test_method_that_no_route_takes(start, willing):
    gateway = await start(willing, route='methods = ["GET", "POST"]')
    answer = await gateway.ask("DELETE", "/")

    assert (answer.status, answer.json["error"]) == (405, "method_not_allowed")
    assert set(answer.value("allow").split(", ")) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(("method", "target"), [("TRACE", "/"), ("CONNECT", "example.com:443")])
async def test_method_for_no_gateway(start, willing, method, target):
    # RFC 9110 sections 9.3.6 and 9.3.8
    gateway = await start(willing)
    answer = await gateway.ask(method, target)

    assert answer.status == 405
    assert answer.value("allow") is not None
    assert willing.received == b""


# --- Sizes


async def test_long_request_line_is_a_414(start, willing):
    gateway = await start(willing)

    assert (await gateway.ask("GET", "/" + "a" * 20_000)).status == 414


async def test_endless_request_line_is_a_414(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(b"GET /" + b"a" * 20_000)

    assert (await client.answer()).status == 414


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["X-Big: " + "a" * 20_000], id="one field"),
        pytest.param([f"X-{i}: {'a' * 100}" for i in range(180)], id="many fields"),
    ],
)
async def test_large_header_is_a_431(start, willing, fields):
    gateway = await start(willing)
    answer = await gateway.ask("GET", "/", *fields)

    assert (answer.status, answer.json["error"]) == (431, "headers_too_large")
    assert answer.value("connection") == "close"


async def test_endless_header_is_a_431(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 5000)

    assert (await client.answer()).status == 431


async def test_header_below_the_limit_passes(start, willing):
    gateway = await start(willing, server='max_header_size = "2KiB"')

    assert (await gateway.ask("GET", "/", "X: " + "a" * 1800)).status == 200
    assert (await gateway.ask("GET", "/", "X: " + "a" * 2100)).status == 431


@pytest.mark.parametrize("where", ["server", "route"])
async def test_body_that_says_it_is_too_large_is_a_413(start, willing, where):
    gateway = await start(willing, **{where: 'max_body = "1KiB"'})
    client = await gateway.connect()
    client.send(request("POST", "/", body=b"x" * 1025))
    answer = await client.answer()

    assert (answer.status, answer.json["error"]) == (413, "body_too_large")
    assert willing.received == b""
    assert (await gateway.ask("POST", "/", body=b"x" * 1024)).status == 200


async def test_body_that_grows_too_large_is_a_413_and_ends_the_upstreams_request(start, upstream):
    gateway = await start(upstream, route='max_body = "1KiB"')
    client = await gateway.connect()
    client.send(
        request("POST", "/", "Transfer-Encoding: chunked"), b"200\r\n" + b"x" * 512 + b"\r\n"
    )
    connection, _ = await upstream.asked()
    client.send(b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n")
    answer = await client.answer()
    await connection.gone()

    assert answer.status == 413
    assert b"0\r\n\r\n" not in connection.received


async def test_other_expectations_are_a_417(start, willing):
    gateway = await start(willing)

    assert (await gateway.ask("GET", "/", "Expect: 200-ok")).status == 417


async def test_refused_body_is_read_a_while_so_that_the_answer_arrives(start, willing):
    # RFC 9112 section 9.6
    gateway = await start(willing, route='max_body = "1KiB"')
    client = await gateway.connect()
    client.send(request("POST", "/", body=b"x" * 500_000))
    answer = await client.answer()

    assert answer.status == 413
    assert await client.rest() == b""


# --- Order


async def test_checks_come_in_the_contracts_order(start, willing):
    more = (
        f'[[routes]]\nname = "closed"\npath = "/closed"\nupstream = "{willing.url}"\n'
        'allow_from = ["10.0.0.0/8"]\nmax_body = "1KiB"\n'
        f'[[routes]]\nname = "small"\npath = "/small"\nupstream = "{willing.url}"\n'
        'max_body = "1KiB"\nusers = ["carol"]\nrate_limits = ["one"]\ndeny_paths = ["/x"]\n'
        '[rate_limits.one]\nrate = "1r/h"'
    )
    gateway = await start(willing, route='path = "/main"', more=more)
    big = {"body": b"x" * 2000}

    assert (await gateway.ask("POST", "/closed/../x", key="wrong", **big)).status == 400
    assert (await gateway.ask("POST", "/closed", key="wrong", **big)).status == 403
    assert (await gateway.ask("POST", "/nowhere", key="wrong", **big)).status == 404
    assert (await gateway.ask("POST", "/small", key="wrong", **big)).status == 413
    assert (await gateway.ask("POST", "/small", key="wrong")).status == 401
    assert (await gateway.ask("POST", "/small")).json["error"] == "user_not_allowed"


# --- Words


OPENAI = {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("dialect", "shape"),
    [
        pytest.param("openai", lambda body: set(body["error"]) == OPENAI, id="openai"),
        pytest.param("anthropic", lambda body: body["type"] == "error", id="anthropic"),
        pytest.param("plain", lambda body: body == {"error": "invalid_token"}, id="plain"),
    ],
)
async def test_errors_speak_the_routes_dialect(start, willing, dialect, shape):
    gateway = await start(willing, route=f'errors = "{dialect}"')
    answer = await gateway.ask("GET", "/", key="wrong")

    assert shape(answer.json)
    assert answer.value("content-type") == "application/json"
    assert int(answer.value("content-length")) == len(answer.body)


@pytest.mark.parametrize(
    ("target", "is_anthropics"),
    [
        ("/v1/messages", True),
        ("/v1/messages/count_tokens", True),
        ("/v1/messages?beta=true", True),
        ("http://gateway.example/v1/messages", True),
        ("/v1/messagesx", False),
        ("/v1/chat/completions", False),
    ],
)
async def test_copilot_apis_dialect_follows_the_path(start, willing, target, is_anthropics):
    gateway = await start(willing, route='provider = "copilot-api"')
    body = (await gateway.ask("POST", target, key="wrong")).json

    assert ("type" in body) is is_anthropics
    assert body["error"]["type"] == "authentication_error"


async def test_dialect_of_a_prefixed_route_follows_the_upstreams_path(start, willing):
    gateway = await start(willing, route='provider = "copilot-api"\npath = "/claude"')
    body = (await gateway.ask("POST", "/claude/v1/messages", key="wrong")).json

    assert body["type"] == "error"


async def test_unauthorised_is_told_how_and_not_to_retry(start, willing):
    gateway = await start(willing)
    answers = [await gateway.ask("GET", "/", key=None), await gateway.ask("GET", "/", key="wrong")]

    assert [answer.json["error"] for answer in answers] == ["missing_token", "invalid_token"]
    for answer in answers:
        assert answer.value("www-authenticate") == "Bearer"
        assert answer.value("x-should-retry") == "false"


async def test_refusals_carry_the_request_id(start, willing):
    gateway = await start(willing, route='errors = "anthropic"')
    answer = await gateway.ask("GET", "/", "X-Request-Id: my-id", key="wrong")

    assert answer.value("x-request-id") == "my-id"
    assert answer.json["request_id"] == "my-id"
    assert (await gateway.lines.next("auth.failed"))["request_id"] == "my-id"


async def test_refused_head_has_no_body(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    refused = await client.ask("HEAD", "/", key="wrong")
    after = await client.ask("GET", "/")

    assert (refused.status, after.status) == (401, 200)
    assert int(refused.value("content-length")) > 0


async def test_refused_connection_stays_in_step(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(
        request("POST", "/", body=b"GET /x HTTP/1.1\r\n\r\n", key="wrong"), request("GET", "/")
    )

    assert (await client.answer()).status == 401
    assert (await client.answer()).status == 200


async def test_errors_repeat_nothing_of_the_request(start, willing):
    gateway = await start(willing, route='errors = "openai"')
    marks = ["<script>alert(1)</script>", "%3Cscript%3E"]
    answers = [
        await gateway.ask("GET", "/%3Cscript%3E/..", f"X: {marks[0]}"),
        await gateway.ask("GET", f"/?{marks[1]}", f"X-Request-Id: {marks[0]}", key=marks[1]),
        await gateway.ask("DELETE", "/token", f"X: {marks[0]}"),
    ]

    for answer in answers:
        assert b"cript" not in answer.head + answer.body


async def test_malformed_head_request_gets_no_body(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n")
    written = await client.rest()

    assert written.startswith(b"HTTP/1.1 400 ")
    assert written.endswith(b"\r\n\r\n")


async def test_malformed_request_leaves_one_short_line(start, willing):
    gateway = await start(willing)
    before = len(gateway.lines.texts)
    client = await gateway.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nBad\x00: " + b"a" * 5000 + b"\r\n\r\n")
    await client.answer()
    await gateway.lines.next("request")

    assert len(gateway.lines.texts) == before + 1
    assert len(gateway.lines.texts[-1]) < 400


async def test_refusal_has_its_own_line(start, willing):
    gateway = await start(willing)
    await gateway.ask("GET", "/a?b=c", key="wrong")
    line = await gateway.lines.next("request")

    assert (line["status"], line["code"], line["path"]) == (401, "invalid_token", "/a")
    assert (line["user"], line["upstream"], line["upstream_ms"]) == ("", "", None)


async def test_no_fault_of_ours_shows_its_cause(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nbroken " + KEY[:9].encode() + b"\r\n\r\n")
    answer = await client.answer()

    assert answer.json == {"error": "upstream_protocol_error"}
    assert str(upstream.port).encode() not in answer.head + answer.body


async def test_refusal_waits_for_no_body(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(request("POST", "/", "Content-Length: 1000000", key="wrong"))
    async with asyncio.timeout(1):
        answer = await client.answer()

    assert (answer.status, answer.value("connection")) == (401, "close")


async def test_open_route_wants_no_credential(start, upstream):
    gateway = await start(upstream, route="auth = []")
    client = await gateway.connect()
    client.send(request("GET", "/", key=None))
    connection, _ = await upstream.asked()
    connection.send(OK)

    assert (await client.answer()).status == 200
    assert (await gateway.lines.next("request"))["user"] == ""
    assert gateway.lines.of("auth.ok") == []
