"""Fields that end here, fields that are ours, and whose word is believed."""

import re

import pytest

from tests.functional.scripted import KEY, Message, field_names, request

SECURITY = {
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "x-xss-protection": "1; mode=block",
    "referrer-policy": "strict-origin-when-cross-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
PAGE = "https://app.example.com"
CORS = f'[cors]\norigins = ["{PAGE}"]'
TRUSTED = 'trusted_proxies = ["127.0.0.1"]'


# So that the next request comes over a connection of its own.
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


async def sent_up(gateway, upstream, *lines, path="/", key=KEY):
    """The head that the upstream gets of a request with these field lines."""
    client = await gateway.connect()
    client.send(request("GET", path, *lines, key=key))
    connection, head = await upstream.asked()
    connection.send(LAST)
    await client.answer()
    return Message(head)


async def sent_down(gateway, upstream, *lines):
    """The head that the client gets of an answer with these field lines."""
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    fields = "".join(f"{line}\r\n" for line in (*lines, "Connection: close"))
    connection.send(f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n".encode("latin-1"))
    return await client.answer()


# --- Hop by hop (RFC 9110 section 7.6.1)


@pytest.mark.parametrize(
    "line",
    [
        "Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "TE: gzip",
        "Trailer: X-T",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Proxy-Authorization: Basic eA==",
        'Proxy-Authentication-Info: nextnonce="x"',
        "X_Forwarded_For: 6.6.6.6",
        "X_Custom: underscore",
    ],
)
async def test_field_ends_here_on_the_way_up(start, upstream, line):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream, line, "X-Kept: 1")

    assert line.split(":")[0].lower() not in field_names(head.head)
    assert head.value("x-kept") == "1"


@pytest.mark.parametrize(
    "line",
    [
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authenticate: Basic",
        'Proxy-Authentication-Info: nextnonce="x"',
        "Trailer: X-T",
        "Upgrade: h2c",
        "Server: secret/1.0",
        "Alt-Svc: h3=':443'",
        "Access-Control-Allow-Origin: *",
    ],
)
async def test_field_ends_here_on_the_way_down(start, upstream, line):
    gateway = await start(upstream)

    head = await sent_down(gateway, upstream, line, "X-Kept: 1")

    assert line.split(":")[0].lower() not in field_names(head.head)
    assert head.value("x-kept") == "1"


async def test_nominated_fields_end_here_both_ways(start, upstream):
    gateway = await start(upstream)

    up = await sent_up(
        gateway, upstream, "Connection: X-One , x-two", "X-One: 1", "x-TWO: 2",
        "connection: X-Three", "X-Three: 3", "X-Four: 4",
    )  # fmt: skip
    down = await sent_down(
        gateway,
        upstream,
        "Connection: X-One",
        "x-one: 1",
        "connection: X-Two",
        "X-Two: 2",
        "X-3: 3",
    )

    assert [name for name in field_names(up.head) if name in {"x-one", "x-two", "x-three"}] == []
    assert up.value("x-four") == "4"
    assert [name for name in field_names(down.head) if name in {"x-one", "x-two"}] == []
    assert down.value("x-3") == "3"


async def test_connection_cannot_remove_what_is_ours(start, upstream, secrets):
    secrets.append("sk-the-providers-own")
    route = """
identity_header = "X-User"
credential = { header = "X-Provider", value = "sk-the-providers-own" }
request_headers = { X-Set = "by us" }
"""
    gateway = await start(upstream, route=route)
    ours = (
        "X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP, X-Request-Id, Via, Host, "
        "X-User, X-Provider, X-Set, Authorization, Content-Type"
    )

    head = await sent_up(gateway, upstream, f"Connection: {ours}", "Content-Type: a/b")

    wanted = {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "gateway.example",
        "x-real-ip": "127.0.0.1",
        "via": "1.1 pyproxy",
        "host": f"127.0.0.1:{upstream.port}",
        "x-user": "alice",
        "x-provider": "sk-the-providers-own",
        "x-set": "by us",
        "content-type": "a/b",
    }
    assert {name: head.value(name) for name in wanted} == wanted
    assert head.value("x-request-id")


async def test_upstream_cannot_nominate_our_fields_away(start, upstream):
    gateway = await start(upstream)
    names = ", ".join(SECURITY)

    head = await sent_down(gateway, upstream, f"Connection: {names}, Content-Length, X-Request-Id")

    assert {name: head.value(name) for name in SECURITY} == SECURITY
    assert head.value("content-length") == "0"
    assert head.value("x-request-id")


async def test_te_trailers_passes(start, upstream):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream, "TE: trailers, deflate", "Connection: TE")

    assert head.value("te") == "trailers"


# --- Who is believed (RFC 9700 section 4.13)


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded-Server",
        "X-Real-IP",
        "Forwarded",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Fastly-Client-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "X-Original-Forwarded-For",
        "Proxy",
    ],
)
@pytest.mark.parametrize("spelling", [str, str.lower, lambda name: name.replace("-", "_")])
async def test_claims_of_a_stranger_go_no_further(start, upstream, name, spelling):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream, f"{spelling(name)}: 6.6.6.6", f"{name}: 6.6.6.6")

    assert b"6.6.6.6" not in head.head


async def test_stranger_cannot_evade_limits_or_networks(start, willing):
    route = 'allow_from = ["10.0.0.0/8"]'
    gateway = await start(willing, route=route)
    answer = await gateway.ask("GET", "/", "X-Forwarded-For: 10.1.1.1", "X-Real-IP: 10.1.1.1")

    assert (answer.status, answer.json["error"]) == (403, "ip_not_allowed")


@pytest.mark.parametrize(
    ("chains", "address"),
    [
        pytest.param(["203.0.113.7"], "203.0.113.7", id="one hop"),
        pytest.param(["6.6.6.6, 203.0.113.7"], "203.0.113.7", id="hearsay on the left"),
        pytest.param(["203.0.113.7, 127.0.0.1"], "203.0.113.7", id="over a second trusted hop"),
        pytest.param(["6.6.6.6", "203.0.113.7"], "203.0.113.7", id="two fields"),
        pytest.param(["203.0.113.7:4711"], "203.0.113.7", id="with a port"),
        pytest.param(["[2001:db8::1]:4711"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param(["6.6.6.6, rubbish"], "127.0.0.1", id="rubbish"),
        pytest.param([""], "127.0.0.1", id="empty"),
        pytest.param([], "127.0.0.1", id="none"),
    ],
)
async def test_trusted_proxy_says_who_the_client_is(start, upstream, chains, address):
    gateway = await start(upstream, server=TRUSTED)

    head = await sent_up(gateway, upstream, *(f"X-Forwarded-For: {chain}" for chain in chains))

    assert head.value("x-real-ip") == address
    assert (await gateway.lines.next("request"))["ip"] == address


async def test_trusted_proxys_chain_is_continued(start, upstream):
    gateway = await start(upstream, server=TRUSTED)

    head = await sent_up(
        gateway, upstream, "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: http",
        "X-Forwarded-Host: front.example", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 6.6.6.6",
        "True-Client-IP: 6.6.6.6",
    )  # fmt: skip

    assert head.value("x-forwarded-for") == "203.0.113.7, 127.0.0.1, 127.0.0.1"
    assert head.value("x-forwarded-proto") == "http"
    assert head.value("x-forwarded-host") == "front.example"
    assert head.value("x-real-ip") == "203.0.113.7"


async def test_plain_listener_says_http(start, upstream):
    gateway = await start(upstream, is_tls=False)

    head = await sent_up(gateway, upstream)

    assert head.value("x-forwarded-proto") == "http"


# --- Ours


async def test_host_is_the_upstreams(start, upstream):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream)

    assert head.value("host") == f"127.0.0.1:{upstream.port}"
    assert head.lines[0].startswith(b"Host:")


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("aZ09._-", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("a b", False),
        ('a"b', False),
        ("<script>", False),
        ("", False),
    ],
)
async def test_request_id(start, upstream, given, is_kept):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream, f"X-Request-Id: {given}")

    sent = head.value("x-request-id")
    assert (sent == given) is is_kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", sent)
    assert (await gateway.lines.next("request"))["request_id"] == sent


async def test_request_id_that_comes_twice_is_replaced(start, upstream):
    gateway = await start(upstream)

    head = await sent_up(gateway, upstream, "X-Request-Id: a", "X-Request-Id: b")

    assert head.value("x-request-id") not in {"a", "b"}


async def test_upstreams_request_id_wins(start, upstream):
    gateway = await start(upstream)

    assert (await sent_down(gateway, upstream, "X-Request-ID: req_1")).value(
        "x-request-id"
    ) == "req_1"


@pytest.mark.parametrize("name", ["alice", "o'neil/é€", "a b"])
async def test_identity_is_told_and_never_believed(start, upstream, name):
    gateway = await start(
        upstream, is_tls=False, route='identity_header = "X-User"\nauth = []\nallow_from = []'
    )

    head = await sent_up(gateway, upstream, f"X-User: {name.encode('utf-8').decode('latin-1')}")

    assert head.value("x-user") is None


async def test_identity_is_the_callers(start, upstream):
    gateway = await start(upstream, route='identity_header = "X-User"')

    head = await sent_up(gateway, upstream, "X-User: root", "x-user: root", "X_User: root")

    assert head.value("x-user") == "alice"


async def test_configured_fields_are_set_and_removed(start, upstream):
    route = """
request_headers = { X-Set = "1", X-Gone = "" }
response_headers = { X-Down = "2", X-Lost = "" }
"""
    gateway = await start(upstream, route=route)

    up = await sent_up(gateway, upstream, "x-set: 9", "X-GONE: 9", "X-Down: 9")
    down = await sent_down(gateway, upstream, "x-down: 9", "X-LOST: 9", "X-Set: 9")

    assert (up.value("x-set"), up.value("x-gone"), up.value("x-down")) == ("1", None, "9")
    assert (down.value("x-down"), down.value("x-lost"), down.value("x-set")) == ("2", None, "9")


@pytest.mark.parametrize(("server", "said"), [("", None), ('decoy_server_header = "x"', "x")])
async def test_server_says_what_is_configured(start, upstream, server, said):
    gateway = await start(upstream, server=server)

    answer = await sent_down(gateway, upstream, "Server: secret/1.0")
    refusal = await gateway.ask("GET", "/", key="wrong")

    assert (answer.value("server"), refusal.value("server")) == (said, said)


async def test_date_is_added_where_it_is_missing(start, upstream):
    date = "Tue, 15 Nov 1994 08:12:31 GMT"
    gateway = await start(upstream)

    assert (await sent_down(gateway, upstream, f"Date: {date}")).value("date") == date
    assert (await sent_down(gateway, upstream)).value("date").endswith(" GMT")
    assert (await gateway.ask("GET", "/", key="wrong")).value("date").endswith(" GMT")


# --- On every answer


async def test_security_fields_are_on_every_answer(start, willing):
    gateway = await start(willing)
    answers = [
        await gateway.ask("GET", "/"),
        await gateway.ask("GET", "/", key="wrong"),
        await gateway.ask("GET", "/../x"),
        await gateway.ask("TRACE", "/"),
        await gateway.ask("GET", "/health"),
        await gateway.ask("GET", "/token"),
    ]
    client = await gateway.connect()
    client.send(b"rubbish\r\n\r\n")
    answers.append(await client.answer())

    statuses = [answer.status for answer in answers]
    assert statuses == [200, 401, 400, 405, 200, 405, 400]
    for answer in answers:
        assert {name: answer.value(name) for name in SECURITY} == SECURITY


async def test_upstreams_own_security_fields_are_replaced(start, upstream):
    gateway = await start(upstream)

    head = await sent_down(gateway, upstream, *(f"{name}: weak" for name in SECURITY))

    assert {name: head.value(name) for name in SECURITY} == SECURITY


async def test_security_field_that_is_switched_off_is_the_upstreams(start, upstream):
    more = '[headers]\nframe_options = ""\ncontent_security_policy = ""'
    gateway = await start(upstream, more=more)

    head = await sent_down(gateway, upstream, "X-Frame-Options: SAMEORIGIN")

    assert head.value("x-frame-options") == "SAMEORIGIN"
    assert head.value("content-security-policy") is None


async def test_hsts_is_not_said_over_plain_http(start, willing):
    gateway = await start(willing, is_tls=False)
    answers = [await gateway.ask("GET", "/"), await gateway.ask("GET", "/", key="wrong")]

    assert [answer.value("strict-transport-security") for answer in answers] == [None, None]
    assert [answer.value("x-frame-options") for answer in answers] == ["DENY", "DENY"]


# --- Web pages (Fetch standard, CORS protocol)


async def test_preflight_is_answered_here_and_needs_no_key(start, willing):
    gateway = await start(willing, more=CORS)
    client = await gateway.connect()
    lines = [f"Origin: {PAGE}", "Access-Control-Request-Method: POST"]
    answer = await client.ask("OPTIONS", "/v1/chat", *lines, key=None)
    after = await client.ask("GET", "/")

    assert answer.status == 204
    assert answer.value("access-control-allow-origin") == PAGE
    assert answer.value("access-control-allow-methods") == "GET, POST, OPTIONS"
    assert answer.value("access-control-allow-headers") == "Authorization, Content-Type"
    assert answer.value("access-control-max-age") == "600"
    assert answer.value("access-control-allow-credentials") is None
    assert answer.value("vary") == "Origin"
    assert answer.value("x-frame-options") == "DENY"
    assert after.status == 200
    assert len(willing.connections) == 1


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", PAGE.upper(), f"{PAGE}.evil.com"]
)
async def test_strange_page_is_granted_nothing(start, willing, origin):
    gateway = await start(willing, more=CORS)
    lines = [f"Origin: {origin}", "Access-Control-Request-Method: POST"]
    answers = [
        await gateway.ask("OPTIONS", "/", *lines, key=None),
        await gateway.ask("GET", "/", *lines),
        await gateway.ask("GET", "/", *lines, key="wrong"),
    ]

    for answer in answers:
        assert answer.value("access-control-allow-origin") is None
        assert answer.value("vary") == "Origin"


async def test_allowed_page_may_read_answers_and_errors(start, upstream):
    gateway = await start(upstream, more=CORS)
    client = await gateway.connect()
    client.send(request("GET", "/", f"Origin: {PAGE}"))
    connection, _ = await upstream.asked()
    connection.send(
        b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n"
        b"Access-Control-Allow-Credentials: true\r\nContent-Length: 0\r\n\r\n"
    )
    answers = [
        await client.answer(),
        await gateway.ask("GET", "/", f"Origin: {PAGE}", key="wrong"),
        await gateway.ask("GET", "/health", f"Origin: {PAGE}"),
    ]

    for answer in answers:
        assert answer.value("access-control-allow-origin") == PAGE
        assert answer.value("access-control-allow-credentials") is None


async def test_every_page(start, willing):
    gateway = await start(willing, more='[cors]\norigins = ["*"]')
    answer = await gateway.ask("GET", "/", f"Origin: {PAGE}")

    assert answer.value("access-control-allow-origin") == "*"


async def test_without_cors_a_preflight_is_a_request_like_any_other(start, willing):
    gateway = await start(willing)
    lines = [f"Origin: {PAGE}", "Access-Control-Request-Method: POST"]

    assert (await gateway.ask("OPTIONS", "/", *lines, key=None)).status == 401
    assert (await gateway.ask("OPTIONS", "/", *lines)).status == 200
