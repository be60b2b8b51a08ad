"""Which models a route lets through, wherever a request names its own."""

import json

import pytest

from tests.functional.scripted import KEY, OK, Cut, request
from tests.waiting import turns

ROUTE = 'provider = "openai"\nmodels = ["gpt-4o*", "o?"]'
ENVIRON = {"OPENAI_API_KEY": "the-providers-own-key-0123456789"}
JSON = "Content-Type: application/json"
PEEK = 64 * 1024


@pytest.fixture
def gate(start):
    """Starts a gateway whose route allows a few models."""

    async def gate_(upstream, route=ROUTE, environ=ENVIRON):
        return await start(upstream, route=route, environ=environ)

    return gate_


def asks(model="gpt-4o-mini", *, size=10):
    """A body that asks for a model, the messages before it."""
    return json.dumps({"messages": "x" * size, "model": model}).encode()


async def test_an_allowed_model_passes_and_the_body_is_untouched(gate, willing):
    gateway = await gate(willing)
    body = b'\n{ "messages": [{"model": "o1"}],\t"model" :"gpt-4o-mini" , "n": 1.50}\n'
    answer = await gateway.ask("POST", "/v1/chat/completions", JSON, body=body)

    assert answer.status == 200
    assert willing.received.endswith(b"\r\n\r\n" + body)
    assert (await gateway.lines.next("request"))["model"] == "gpt-4o-mini"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"model": "gpt-5"}', id="another model"),
        pytest.param(b'{"model": "o?"}'.replace(b"?", b"11"), id="pattern is no class"),
        pytest.param(b'{"model": "GPT-4o"}', id="case differs"),
        pytest.param(b'{"messages": []}', id="none"),
        pytest.param(b'{"model": "gpt-4o", "model": "gpt-5"}', id="duplicate key"),
        pytest.param(b'{"model": "gpt-4o", "Model": "gpt-5"}', id="key in other case"),
        pytest.param(rb'{"model": "gpt-4o", "mod\u0065l": "gpt-5"}', id="escaped key"),
        pytest.param(b'{"model": "gpt-4o"}{"model": "gpt-5"}', id="second document"),
        pytest.param(b'{"model": ["gpt-4o"]}', id="no string"),
        pytest.param(b'{"model": "gpt-4o"', id="half a document"),
        pytest.param(b'[{"model": "gpt-4o"}]', id="list"),
        pytest.param('{"model": "gpt-4o"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"model=gpt-4o", id="form"),
        pytest.param(b"{'model': 'gpt-4o'}", id="single quotes"),
    ],
)
async def test_whatever_is_not_surely_an_allowed_model_is_refused(gate, willing, body):
    gateway = await gate(willing)
    answer = await gateway.ask("POST", "/v1/responses", JSON, body=body)

    assert (answer.status, answer.json["error"]["code"]) == (403, "model_not_allowed")
    assert answer.value("x-should-retry") == "false"
    assert willing.connections == []
    assert (await gateway.lines.next("access.denied"))["result"] == "model_not_allowed"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(("Content-Type:",), id="empty type"),
        pytest.param(("Content-Type: application/x-www-form-urlencoded",), id="form"),
        pytest.param(("Content-Type: multipart/form-data; boundary=x",), id="multipart"),
        pytest.param(("Content-Type: application/json; charset=utf-7",), id="UTF-7"),
        pytest.param((JSON, "Content-Type: text/plain"), id="two types"),
        pytest.param((JSON, "Content-Encoding: gzip"), id="compressed"),
    ],
)
async def test_a_body_that_could_be_read_in_another_way_is_refused(gate, willing, fields):
    gateway = await gate(willing)
    answer = await gateway.ask("POST", "/v1/responses", *fields, body=asks())

    assert (answer.status, answer.json["error"]["code"]) == (403, "model_not_allowed")
    assert willing.connections == []


@pytest.mark.parametrize(
    "type_", ["application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"', JSON[14:]]
)
async def test_json_is_known_by_its_type(gate, willing, type_):
    gateway = await gate(willing)
    answer = await gateway.ask("POST", "/v1/responses", f"Content-Type: {type_}", body=asks())

    assert answer.status == 200


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5"])
async def test_a_body_of_no_type_is_judged_as_json(gate, willing, model):
    gateway = await gate(willing)
    answer = await gateway.ask("POST", "/v1/responses", body=asks(model))

    assert answer.status == (200 if model == "gpt-4o" else 403)


async def test_what_asks_no_model_for_anything_passes(gate, willing):
    gateway = await gate(willing)

    assert (await gateway.ask("GET", "/v1/models")).status == 200
    assert (await gateway.ask("DELETE", "/v1/responses/r")).status == 200
    assert (await gateway.ask("POST", "/v1/responses/r/cancel")).status == 200


async def test_every_request_of_a_connection_is_looked_at(gate, willing):
    gateway = await gate(willing)
    client = await gateway.connect()

    found = [
        (await client.ask("POST", "/v1/responses", JSON, body=asks(model))).status
        for model in ("gpt-4o-a", "gpt-4o-b", "gpt-4o-a", "gpt-5-ab")
    ]
    assert found == [200, 200, 200, 403]


async def test_a_user_who_may_not_is_told_so_before_the_limits(start, willing):
    gateway = await start(
        willing,
        route=f'{ROUTE}\nrate_limits = ["api", "little"]',
        more='[rate_limits.little]\nrate = "1r/h"\nburst = 1',
        environ=ENVIRON,
    )
    found = [
        (await gateway.ask("POST", "/v1/responses", JSON, body=asks(model))).status
        for model in ("gpt-5", "gpt-5", "gpt-4o", "gpt-4o", "gpt-4o", "gpt-5")
    ]
    assert found == [403, 403, 200, 200, 429, 403]


# --- Bodies that come in pieces


async def test_a_body_in_pieces_is_held_until_its_model_is_known(gate, upstream):
    gateway = await gate(upstream)
    client = await gateway.connect()
    body = asks()
    client.send(request("POST", "/v1/responses", JSON, f"Content-Length: {len(body)}"), body[:20])
    await turns(20)
    assert upstream.connections == []

    client.send(body[20:-1])
    connection, _ = await upstream.asked()
    client.send(body[-1:])

    assert await connection.exactly(len(body)) == body


async def test_the_end_of_a_body_waits_until_all_of_it_was_seen(gate, upstream):
    gateway = await gate(upstream)
    client = await gateway.connect()
    head, tail = b'{"model": "gpt-4o", "x": "', b'", "model": "gpt-5"}'
    length = f"Content-Length: {len(head) + len(tail)}"
    client.send(request("POST", "/v1/responses", JSON, length), head)
    connection, _ = await upstream.asked()
    client.send(tail)
    answer = await client.answer("POST")

    assert (answer.status, answer.json["error"]["code"]) == (403, "model_not_allowed")
    with pytest.raises(Cut):
        await connection.exactly(len(head) + len(tail))


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5"])
async def test_a_model_behind_what_is_held_is_found_too(gate, upstream, model, is_chunked):
    gateway = await gate(upstream)
    client = await gateway.connect()
    body = asks(model, size=4 * PEEK)
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    pieces = [body[at : at + 5000] for at in range(0, len(body), 5000)]
    if is_chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
    client.send(request("POST", "/v1/responses", JSON, framing), *pieces)
    connection, _ = await upstream.asked()

    async def arrived():
        return (
            (await connection.chunked())[0] if is_chunked else await connection.exactly(len(body))
        )

    if model == "gpt-4o":
        assert await arrived() == body
        connection.send(OK)
        assert (await client.answer("POST")).status == 200
        assert (await gateway.lines.next("request"))["model"] == model
    else:
        assert (await client.answer("POST")).status == 403
        with pytest.raises(Cut):
            await arrived()


async def test_the_next_request_waits_for_a_body_that_is_looked_at_piece_by_piece(gate, willing):
    gateway = await gate(willing)
    client = await gateway.connect()
    bodies = [asks(size=100_000), asks("gpt-5", size=100_000), asks(size=100_000)]
    client.send(*[request("POST", "/v1/responses", JSON, body=body) for body in bodies])

    assert [(await client.answer("POST")).status for _ in bodies[:2]] == [200, 403]
    assert [willing.received.count(body) for body in bodies[:2]] == [1, 0]


async def test_an_upstream_may_leave_while_a_body_is_looked_at(gate, upstream):
    gateway = await gate(upstream)
    client = await gateway.connect()
    body = b'{"model": "gpt-4o", "x": [%b1]}' % (b"[[[[[[]]]]]]," * 50_000)
    client.send(request("POST", "/v1/responses", JSON, body=body))
    connection, _ = await upstream.asked()
    connection.reset()

    assert (await client.answer("POST")).status == 502


async def test_who_waits_to_be_asked_for_the_body_is_asked_once(gate, upstream):
    gateway = await gate(upstream)
    client = await gateway.connect()
    body = asks()
    length = f"Content-Length: {len(body)}"
    client.send(request("POST", "/v1/responses", JSON, length, "Expect: 100-continue"))
    assert (await client.head()).startswith(b"HTTP/1.1 100 Continue\r\n")

    client.send(body)
    connection, _ = await upstream.asked()
    assert await connection.exactly(len(body)) == body
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")

    assert (await client.answer("POST")).status == 204


async def test_a_client_that_leaves_before_its_model_is_known_leaves_nothing(gate, upstream):
    gateway = await gate(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/v1/responses", JSON, "Content-Length: 100"), b'{"messages')
    await turns(10)
    client.reset()

    assert (await gateway.lines.next("request"))["status"] == 499
    assert upstream.connections == []


async def test_a_body_that_breaks_before_its_model_is_known_is_malformed(gate, upstream):
    gateway = await gate(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/v1/responses", JSON, "Transfer-Encoding: chunked"), b"1\r\n{\r\n")
    await turns(10)
    client.send(b"rubbish\r\n")

    assert (await client.answer("POST")).status == 400


# --- Models in the URL

GEMINI = 'provider = "gemini"\nmodels = ["gemini-2.5-*"]'
AZURE = 'provider = "azure-openai"\nmodels = ["mine", "gpt-4o"]'
PROVIDERS = {
    "GEMINI_API_KEY": "the-providers-own-key-0123456789",
    "AZURE_OPENAI_API_KEY": "the-providers-own-key-0123456789",
}


@pytest.mark.parametrize(
    ("route", "path", "body", "status"),
    [
        pytest.param(
            GEMINI, "/v1beta/models/gemini-2.5-pro:generateContent", b"{}", 200, id="gemini"
        ),
        pytest.param(
            GEMINI, "/v1beta/models/gemini-3-pro:generateContent", b"{}", 403, id="gemini, another"
        ),
        pytest.param(
            GEMINI,
            "/v1beta/models/gemini-3-pro:generateContent",
            b'{"model": "gemini-2.5-pro"}',
            403,
            id="gemini, another in the path",
        ),
        pytest.param(
            GEMINI, "/v1beta/models/gemini-2.5-x%253A:countTokens", b"{}", 403, id="encoded twice"
        ),
        pytest.param(
            GEMINI,
            "/v1beta/openai/chat/completions",
            b'{"model": "gemini-2.5-flash"}',
            200,
            id="gemini, compatible",
        ),
        pytest.param(
            GEMINI,
            "/v1beta/cachedContents",
            b'{"model": "models/gemini-2.5-flash"}',
            200,
            id="gemini, with its collection",
        ),
        pytest.param(GEMINI, "/v1beta/models", b"", 200, id="gemini, list"),
        pytest.param(
            AZURE,
            "/openai/deployments/mine/chat/completions?api-version=1",
            b'{"model": "x"}',
            200,
            id="azure, deployment",
        ),
        pytest.param(
            AZURE, "/openai/deployments/other/chat/completions", b"{}", 403, id="azure, another"
        ),
        pytest.param(AZURE, "/openai/v1/responses", b'{"model": "gpt-4o"}', 200, id="azure, body"),
        pytest.param(
            AZURE, "/openai/v1/responses", b'{"model": "gpt-5"}', 403, id="azure, another's body"
        ),
    ],
)
async def test_a_model_in_the_path_counts(gate, willing, route, path, body, status):
    gateway = await gate(willing, route, PROVIDERS)
    method = "POST" if body else "GET"
    answer = await gateway.ask(method, path, JSON, body=body)

    assert answer.status == status
    assert bool(willing.connections) is (status == 200)


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize(
    ("target", "is_let_in"),
    [
        ("/v1/realtime?model=gpt-4o-realtime", True),
        ("/v1/realtime?model=gpt-5-realtime", False),
        ("/v1/realtime?model=gpt-4o&model=gpt-5", False),
        ("/v1/realtime?model=gpt-4o&%6dodel=gpt-5", False),
        ("/v1/realtime?call_id=1", False),
        ("/v1/responses", False),
        ("/v1/responses?model=gpt-4o", False),
    ],
)
async def test_a_web_socket_must_name_its_model_in_the_url(gate, upstream, target, is_let_in):
    gateway = await gate(upstream)
    client = await gateway.connect()
    client.send(request("GET", target, *UPGRADE))
    if is_let_in:
        _, head = await upstream.asked()
        assert head.startswith(f"GET {target} ".encode())
    else:
        assert (await client.answer()).status == 403
        assert upstream.connections == []


# --- Asked for another proxy


@pytest.mark.parametrize(
    ("route", "method", "uri", "status"),
    [
        pytest.param(ROUTE, "POST", "/v1/responses", 403, id="body is not shown"),
        pytest.param(ROUTE, "GET", "/v1/models", 200, id="no body"),
        pytest.param(
            GEMINI, "POST", "/v1beta/models/gemini-2.5-pro:generateContent", 200, id="in the path"
        ),
        pytest.param(
            GEMINI, "POST", "/v1beta/models/gemini-3:generateContent", 403, id="another's path"
        ),
    ],
)
async def test_a_proxy_that_asks_is_told_of_the_model_it_names(
    start, willing, route, method, uri, status
):
    gateway = await start(
        willing,
        server='trusted_proxies = ["127.0.0.1"]',
        route=route,
        environ=ENVIRON | PROVIDERS,
    )
    answer = await gateway.ask(
        "GET", "/verify", f"X-Original-URI: {uri}", f"X-Original-Method: {method}", key=KEY
    )

    assert answer.status == status
