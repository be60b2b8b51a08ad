"""What arrives at the upstream, byte for byte, and what comes back."""

import gzip
import ssl

import pytest

from tests.functional.scripted import KEY, OK, Message, Upstream, request

OWN = b"Host: gateway.example\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n"


async def exchanged(gateway, upstream, asked, answer=OK):
    """What the upstream got of a request, and what the client got of the answer."""
    client = await gateway.connect()
    client.send(asked)
    connection, head = await upstream.asked()
    length = int(Message(head).value("content-length") or 0)
    body = await connection.exactly(length)
    connection.send(answer)
    return Message(head, body), await client.answer(asked.split(b" ")[0].decode())


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/v1/chat/completions",
        "/a%20b%2fc%2Fd",
        "/caf%C3%A9/%e2%82%ac",
        "/%ff%fe",
        "/a;p=1,2/b:c@d!$&'()*+,=~_-.",
        "/.well-known/x",
        "/a/",
        "/a?",
        "/a?b=1&b=2&a=%20+&c",
        "/a?q=x/../y//z?%00&%zz",
        "/a?%6bez=1&&=&",
        "/models/%2e%2e%2e",
    ],
)
async def test_target_passes_unchanged(start, upstream, target):
    gateway = await start(upstream)

    sent, _ = await exchanged(gateway, upstream, request("GET", target))

    assert sent.start == f"GET {target} HTTP/1.1".encode()


async def test_path_encoded_twice_passes_unchanged_beside_other_routes(start, upstream):
    more = f'[[routes]]\nname = "more"\npath = "/more"\nupstream = "{upstream.url}"'
    gateway = await start(upstream, more=more)

    sent, _ = await exchanged(gateway, upstream, request("GET", "/more/a%252F..%252Fb%252e"))

    assert sent.start == b"GET /a%252F..%252Fb%252e HTTP/1.1"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "x-own"])
async def test_method_passes_unchanged(start, upstream, method):
    gateway = await start(upstream)

    sent, _ = await exchanged(gateway, upstream, request(method, "/a"))

    assert sent.start == f"{method} /a HTTP/1.1".encode()


async def test_fields_keep_case_order_spacing_and_repetition(start, upstream):
    gateway = await start(upstream)
    fields = (
        b"x-LOWER: a\r\nAccept:*/*\r\nX-Twice:  1\r\nx-empty:\r\nCookie: a=b\r\nx-twice: 2\r\n"
        b"X-Obs: caf\xe9\r\ncookie: c=d\r\nX-Tab: a\tb\r\nContent-Type: text/plain\r\n"
    )

    sent, _ = await exchanged(gateway, upstream, b"GET / HTTP/1.1\r\n" + OWN + fields + b"\r\n")

    assert fields in sent.head


async def test_upstream_gets_exactly_this(start, upstream):
    gateway = await start(upstream)
    asked = request("POST", "/v1?x=1", "X-Request-Id: r1", "a: b", body=b"12345")

    sent, _ = await exchanged(gateway, upstream, asked)

    assert (
        sent.head
        == (
            f"POST /v1?x=1 HTTP/1.1\r\nHost: 127.0.0.1:{upstream.port}\r\n"
            "a: b\r\nVia: 1.1 pyproxy\r\n"
            "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
            "X-Forwarded-Host: gateway.example\r\nX-Real-IP: 127.0.0.1\r\nX-Request-Id: r1\r\n"
            "Content-Length: 5\r\n\r\n"
        ).encode()
    )
    assert sent.body == b"12345"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(bytes(range(256)) * 4, id="every byte"),
        pytest.param(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", id="looks like a request"),
        pytest.param(b"x" * 300_000, id="many reads"),
    ],
)
async def test_request_body_passes_unchanged(start, upstream, body):
    gateway = await start(upstream)

    sent, _ = await exchanged(gateway, upstream, request("POST", "/", body=body))

    assert sent.body == body


@pytest.mark.parametrize(
    ("method", "lines", "length"),
    [
        ("GET", [], None),
        ("GET", ["Content-Length: 0"], "0"),
        ("DELETE", [], None),
        ("POST", [], "0"),
        ("PUT", [], "0"),
    ],
)
async def test_empty_body_is_announced_where_it_is_expected(start, upstream, method, lines, length):
    # RFC 9110 section 8.6
    gateway = await start(upstream)

    sent, _ = await exchanged(gateway, upstream, request(method, "/", *lines))

    assert sent.value("content-length") == length


@pytest.mark.parametrize(
    ("route", "base", "asked", "got"),
    [
        pytest.param('path = "/api"', "", "/api/v1?q", "/v1?q", id="prefix removed"),
        pytest.param('path = "/api"', "", "/api", "/", id="nothing but the prefix"),
        pytest.param('path = "/api"', "", "/api?q", "/?q", id="prefix and query"),
        pytest.param('path = "/api"', "", "/api/a%2fb", "/a%2fb", id="rest stays encoded"),
        pytest.param('path = "/api"', "/v1", "/api/x", "/v1/x", id="base path of the upstream"),
        pytest.param('path = "/api"\nstrip_path = false', "", "/api/v1", "/api/v1", id="kept"),
        pytest.param("", "/v1", "/chat", "/v1/chat", id="root with a base"),
    ],
)
async def test_prefix(start, upstream, route, base, asked, got):
    gateway = await start(upstream.url + base, route=route)

    sent, _ = await exchanged(gateway, upstream, request("GET", asked))

    assert sent.start == f"GET {got} HTTP/1.1".encode()


async def test_absolute_form_becomes_origin_form(start, upstream):
    gateway = await start(upstream)

    sent, _ = await exchanged(gateway, upstream, request("GET", "http://gateway.example/a?b"))

    assert sent.start == b"GET /a?b HTTP/1.1"


@pytest.mark.parametrize("status", ["200 OK", "201 Made it", "404 ", "429", "500 Caf\xe9", "599 x"])
async def test_status_line_passes(start, upstream, status):
    gateway = await start(upstream)
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")

    _, got = await exchanged(gateway, upstream, request("GET", "/"), answer)

    assert got.start.strip() == f"HTTP/1.1 {status}".encode("latin-1").strip()


async def test_answers_fields_keep_case_order_and_repetition(start, upstream):
    gateway = await start(upstream)
    fields = (
        b'content-type: a/b\r\nSet-Cookie: a=1\r\nX-b:2\r\nset-cookie: b=2\r\nETag: W/"\xe9"\r\n'
    )
    answer = b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n"

    _, got = await exchanged(gateway, upstream, request("GET", "/"), answer)

    assert got.head.startswith(b"HTTP/1.1 200 OK\r\n" + fields)


async def test_compression_is_left_alone(start, upstream):
    gateway = await start(upstream)
    body = gzip.compress(b"text" * 100)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    asked = request("GET", "/", "Accept-Encoding: gzip, br;q=0.5")

    sent, got = await exchanged(gateway, upstream, asked, answer + body)

    assert sent.value("accept-encoding") == "gzip, br;q=0.5"
    assert got.value("content-encoding") == "gzip"
    assert got.body == body


async def test_upstreams_own_error_passes(start, upstream):
    gateway = await start(upstream)
    answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait"

    _, got = await exchanged(gateway, upstream, request("GET", "/"), answer)

    assert (got.status, got.value("retry-after"), got.body) == (429, "7", b"wait")


@pytest.mark.parametrize(
    ("method", "answer", "length"),
    [
        pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "9", id="HEAD"),
        pytest.param(
            "HEAD",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            None,
            id="HEAD chunked",
        ),
        pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\n", None, id="204"),
        pytest.param(
            "GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "9", id="304"
        ),
        pytest.param("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0", id="length 0"),
    ],
)
async def test_answer_without_body_leaves_both_connections_in_step(
    start, upstream, method, answer, length
):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request(method, "/1"))
    connection, _ = await upstream.asked()
    connection.send(answer)
    first = await client.answer(method)
    client.send(request("GET", "/2"))
    await connection.head()
    connection.send(OK)
    second = await client.answer()

    assert first.value("content-length") == length
    assert first.value("transfer-encoding") is None
    assert second.body == b"ok"
    assert len(upstream.connections) == 1


async def test_interim_answers_pass_on(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\n")
    first = await client.head()
    connection.send(b"HTTP/1.1 102 Processing\r\n\r\n", OK)
    second = await client.head()
    final = await client.answer()

    assert first == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert second == b"HTTP/1.1 102 Processing\r\n\r\n"
    assert final.body == b"ok"


async def test_http_1_0_hears_of_no_interim_answer(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/", version="1.0"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK)

    assert (await client.answer()).status == 200


async def test_continue_comes_from_the_upstream(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    asked = request("POST", "/", "Expect: 100-continue", body=b"body")
    client.send(asked[:-4])
    connection, head = await upstream.asked()
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    interim = await client.head()
    client.send(b"body")
    body = await connection.exactly(4)
    connection.send(OK)
    final = await client.answer()

    assert Message(head).value("expect") == "100-continue"
    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (body, final.body) == (b"body", b"ok")


async def test_continue_does_not_wait_for_an_upstream_without_a_word(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/", "Expect: 100-continue", body=b"body")[:-4])
    connection, _ = await upstream.asked()
    interim = await client.head()
    client.send(b"body")
    body = await connection.exactly(4)
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n", OK)
    final = await client.answer()

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (body, final.status, final.body) == (b"body", 200, b"ok")


async def test_upstream_that_wants_no_body_says_so_at_once(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/", "Expect: 100-continue", body=b"body")[:-4])
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
    answer = await client.answer()

    assert (answer.status, answer.body, answer.value("connection")) == (403, b"no", "close")
    assert await connection.gone() < 0.5


async def test_nobody_is_told_to_continue_before_being_known(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/", "Expect: 100-continue", body=b"body", key="wrong")[:-4])

    assert (await client.answer()).status == 401
    assert upstream.connections == []


@pytest.mark.parametrize(
    ("lines", "connection"),
    [
        pytest.param([], "close", id="closes by default"),
        pytest.param(["Connection: keep-alive"], "keep-alive", id="stays if asked to"),
    ],
)
async def test_http_1_0_client(start, upstream, lines, connection):
    gateway = await start(upstream)

    sent, got = await exchanged(gateway, upstream, request("GET", "/", *lines, version="1.0"))

    assert sent.start == b"GET / HTTP/1.1"
    assert (got.start, got.value("connection")) == (b"HTTP/1.1 200 OK", connection)


async def test_http_1_0_client_gets_a_chunked_answer_without_chunks(start, upstream):
    gateway = await start(upstream)
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    asked = request("GET", "/", "Connection: keep-alive", version="1.0")

    _, got = await exchanged(gateway, upstream, asked, answer)

    assert (got.value("transfer-encoding"), got.value("connection")) == (None, "close")
    assert got.body == b"ok"


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_client_that_asks_to_close_is_closed(start, willing, version):
    gateway = await start(willing)
    client = await gateway.connect()
    answer = await client.ask("GET", "/", "Connection: close", version=version)

    assert answer.value("connection") == "close"
    assert await client.rest() == b""


async def test_pipelined_requests_are_answered_in_order(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(*(request("POST", f"/{i}", body=b"%d" % i) for i in range(3)))
    connection = await upstream.accepted()
    for i in range(3):
        assert (await connection.head()).startswith(b"POST /%d " % i)
        assert await connection.exactly(1) == b"%d" % i
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % i)

    assert [(await client.answer()).body for _ in range(3)] == [b"0", b"1", b"2"]


async def test_malformed_request_behind_a_good_one_costs_only_itself(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(request("GET", "/"), b"GET / HTTP/1.1\nHost: x\n\n")

    assert (await client.answer()).body == b"ok"
    assert (await client.answer()).status == 400
    assert await client.rest() == b""


async def test_thousand_pipelined_requests_are_all_answered(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    client.send(request("GET", "/") * 1000)

    assert {(await client.answer()).body for _ in range(1000)} == {b"ok"}


# --- Upstreams over TLS


@pytest.fixture
def secure(authority):
    """TLS of an upstream called ``upstream.example``, and of one on this address."""

    def context(*names):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(made)
        return made

    return context


async def test_https_upstream(start, certificates, secure):
    async with Upstream(OK, tls=secure("127.0.0.1")) as upstream:
        gateway = await start(upstream, route=f'tls.ca = "{certificates}/ca.crt"')

        assert (await gateway.ask("GET", "/")).body == b"ok"


@pytest.mark.parametrize(
    ("name", "route"),
    [
        pytest.param("other.example", 'tls.ca = "{ca}"', id="another name"),
        pytest.param("127.0.0.1", "", id="unknown authority"),
        pytest.param(
            "127.0.0.1",
            'tls = { ca = "{ca}", pin_sha256 = ["%s="] }' % ("A" * 43),
            id="another key",
        ),
    ],
)
async def test_https_upstream_that_cannot_prove_itself(start, certificates, secure, name, route):
    async with Upstream(OK, tls=secure(name)) as upstream:
        gateway = await start(upstream, route=route.replace("{ca}", f"{certificates}/ca.crt"))
        answer = await gateway.ask("GET", "/")

        assert (answer.status, answer.json["error"]) == (502, "upstream_unreachable")
        assert upstream.received == b""


async def test_https_upstream_under_another_name(start, certificates, secure):
    async with Upstream(OK, tls=secure("upstream.example")) as upstream:
        route = f'tls = {{ ca = "{certificates}/ca.crt", server_name = "upstream.example" }}'
        gateway = await start(upstream, route=route)

        assert (await gateway.ask("GET", "/")).status == 200
