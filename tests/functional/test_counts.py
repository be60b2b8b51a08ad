"""What a worker counts of real requests, and what it says of what it works with."""

import asyncio
import json

import pytest

from pyproxy.telemetry.catalogue import (
    ABORTED,
    AUTH_FAILURES,
    BCRYPT_WAITING,
    BUCKETS,
    BY_NAME,
    CONNECTIONS,
    DURATION,
    FILES_REFUSED,
    FIRST_BYTE,
    IN_FLIGHT,
    KINDS_OF_FILES,
    LIMIT_EXCEEDED,
    REFUSALS,
    REQUEST_BYTES,
    REQUESTS,
    RESPONSE_BYTES,
    STREAMS,
    UPSTREAM_DURATION,
    USER_REQUESTS,
)
from tests.functional.scripted import KEY, OK, OTHER_KEY, PATIENCE_S, Cut, request
from tests.functional.test_streaming import chunk, streaming
from tests.functional.test_tunnel import handshake
from tests.waiting import turns

EVENTS = b"Content-Type: text/event-stream\r\n"
ANSWER = b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\nno"


def of(gateway, name):
    """The series of a counter, but for those that are 0, by their labels."""
    counters = gateway.worker.report().counters
    return {labels: n for (family, labels), n in counters.items() if family == name and n}


def seen(gateway, name, route="main"):
    """How many durations were observed, and their sum."""
    histogram = gateway.worker.report().histograms[name, (route,)]
    assert len(histogram.counts) == BUCKETS
    return sum(histogram.counts), histogram.total


def gauge(gateway, name):
    return gateway.worker.report().gauges[name, ()]


def refused_files(gateway):
    gauges = gateway.worker.report().gauges
    return [kind for kind in KINDS_OF_FILES if gauges[FILES_REFUSED, (kind,)]]


async def until_gauge(gateway, name, value):
    async with asyncio.timeout(PATIENCE_S):
        while gauge(gateway, name) != value:
            await turns(1)


# --- Requests


@pytest.mark.parametrize(
    ("status", "label"),
    [
        (b"200 OK", "2xx"), (b"304 Not Modified", "3xx"), (b"404 Not Found", "4xx"),
        (b"429 Too Many", "4xx"), (b"500 Oh", "5xx"), (b"599 Odd", "5xx"),
    ],
)  # fmt: skip
async def test_a_request_counts_by_route_method_and_class_of_status(start, upstream, status, label):
    upstream.plays(ANSWER % status if b"304" not in status else b"HTTP/1.1 304 Same\r\n\r\n")
    gateway = await start(upstream)
    await gateway.ask("POST", "/a-path", body=b"12345")
    await gateway.lines.next("request")

    assert of(gateway, REQUESTS) == {("main", "POST", label): 1}
    assert of(gateway, REQUEST_BYTES) == {("main",): 5}
    assert of(gateway, RESPONSE_BYTES) == ({} if label == "3xx" else {("main",): 2})
    assert of(gateway, REFUSALS) == of(gateway, ABORTED) == {}
    assert [seen(gateway, name)[0] for name in (DURATION, FIRST_BYTE, UPSTREAM_DURATION)] == [1] * 3


async def test_requests_of_one_connection_add_up(start, willing):
    gateway = await start(willing)
    client = await gateway.connect()
    for method in ("GET", "GET", "HEAD", "PURGE", "get", "BREW"):
        await client.ask(method, "/")
    await gateway.lines.next("request", 6)

    assert of(gateway, REQUESTS) == {
        ("main", "GET", "2xx"): 2, ("main", "HEAD", "2xx"): 1, ("main", "other", "2xx"): 3,
    }  # fmt: skip
    assert seen(gateway, DURATION)[0] == 6


@pytest.mark.parametrize("path", ["/health", "/verify", "/.well-known/jwks.json"])
async def test_an_endpoint_of_our_own_is_a_route_and_asks_no_upstream(
    start, willing, signing, path
):
    gateway = await start(willing, auth=signing)
    await gateway.ask("GET", path)
    await gateway.lines.next("request")

    ((route, method, status),) = of(gateway, REQUESTS)
    assert (route, method, status) == (path.rpartition("/")[2].removesuffix(".json"), "GET", "2xx")
    assert seen(gateway, FIRST_BYTE, route)[0] == 1
    assert seen(gateway, UPSTREAM_DURATION, route)[0] == 0


async def test_the_first_byte_comes_before_the_last_and_the_upstream_after_its_question(
    start, upstream
):
    gateway = await start(upstream)
    client, connection = await streaming(gateway, upstream)
    await asyncio.sleep(0.05)
    connection.send(chunk(b"data: 2\n\n"), b"0\r\n\r\n")
    await client.chunked()
    await gateway.lines.next("request")

    first, whole, upstreams = (
        seen(gateway, name)[1] for name in (FIRST_BYTE, DURATION, UPSTREAM_DURATION)
    )
    assert first < 0.05 <= upstreams <= whole


# --- Refusals


@pytest.mark.parametrize(
    ("asked", "route", "code", "status"),
    [
        pytest.param(request("GET", "/", key=None), "main", "missing_token", "4xx", id="no key"),
        pytest.param(request("GET", "/", key="wrong"), "main", "invalid_token", "4xx", id="wrong"),
        pytest.param(
            request("GET", "/", "x-api-key: another"), "main", "ambiguous_credentials", "4xx",
            id="two keys",
        ),
        pytest.param(request("GET", "/../x"), "", "bad_request", "4xx", id="two readings"),
        pytest.param(request("GET", "/usage"), "main", "path_denied", "4xx", id="denied"),
        pytest.param(request("POST", "/health"), "", "method_not_allowed", "4xx", id="method"),
        pytest.param(
            request("POST", "/", "Content-Length: 100"), "main", "body_too_large", "4xx", id="body"
        ),
    ],
)  # fmt: skip
async def test_a_refusal_counts_by_route_and_code(start, willing, asked, route, code, status):
    parts = 'deny_paths = ["/usage"]\nmax_body = "50B"'
    gateway = await start(willing, route=parts)
    client = await gateway.connect()
    client.send(asked)
    await client.answer()
    await gateway.lines.next("request")

    assert of(gateway, REFUSALS) == {(route, code): 1}
    ((_, _, label),) = of(gateway, REQUESTS)
    assert label == status
    failed = code in {"invalid_token", "ambiguous_credentials"}
    assert of(gateway, AUTH_FAILURES) == ({(): 1} if failed else {})
    assert seen(gateway, UPSTREAM_DURATION, route)[0] == 0


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(b"GET /\x00 HTTP/1.1\r\n\r\n", "bad_request", id="NUL"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", "bad_request", id="bare LF"),
        pytest.param(b"GET /" + b"a" * 20_000, "uri_too_long", id="a target without end"),
    ],
)
async def test_what_is_no_request_counts_too_by_nothing_that_it_says(start, willing, sent, code):
    gateway = await start(willing, is_tls=False)
    client = await gateway.connect()
    client.send(sent)
    await client.answer()

    assert of(gateway, REQUESTS) == {("", "other", "4xx"): 1}
    assert of(gateway, REFUSALS) == {("", code): 1}
    assert gauge(gateway, IN_FLIGHT) == 0


async def test_an_unreachable_upstream_is_a_refusal_without_an_upstreams_duration(start, upstream):
    await upstream.leave()
    gateway = await start(upstream)
    await gateway.ask("GET", "/")
    await gateway.lines.next("request")

    assert of(gateway, REFUSALS) == {("main", "upstream_unreachable"): 1}
    assert of(gateway, REQUESTS) == {("main", "GET", "5xx"): 1}
    assert seen(gateway, UPSTREAM_DURATION)[0] == 0


LIMITS = (
    '[rate_limits.few]\nrate = "1r/h"\nburst = 1\n[rate_limits.many]\nrate = "99r/s"\nburst = 9'
)


async def test_a_limit_that_refuses_counts_by_its_name(start, willing):
    gateway = await start(willing, route='rate_limits = ["many", "few"]', more=LIMITS)
    statuses = [(await gateway.ask("GET", "/")).status for _ in range(5)]
    await gateway.lines.next("request", 5)

    assert statuses == [200, 200, 429, 429, 429]
    assert of(gateway, LIMIT_EXCEEDED) == {("few",): 3}
    assert of(gateway, REFUSALS) == {("main", "rate_limited"): 3}


# --- Broken off


async def test_a_client_that_leaves_before_an_answer_is_4xx_and_had_no_first_byte(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    await upstream.asked()
    assert gauge(gateway, IN_FLIGHT) == 1
    client.reset()
    await gateway.lines.next("request")

    assert of(gateway, REQUESTS) == {("main", "GET", "4xx"): 1}
    assert of(gateway, ABORTED) == of(gateway, REFUSALS) == {}
    assert [seen(gateway, name)[0] for name in (DURATION, FIRST_BYTE, UPSTREAM_DURATION)] == [
        1, 0, 1,
    ]  # fmt: skip
    assert gauge(gateway, IN_FLIGHT) == 0


@pytest.mark.parametrize("who", ["client", "upstream"])
async def test_a_stream_that_is_cut_is_aborted_whoever_cut_it(start, upstream, who):
    gateway = await start(upstream)
    client, connection = await streaming(gateway, upstream)
    (client if who == "client" else connection).reset()
    await gateway.lines.next("request")

    assert of(gateway, ABORTED) == {("main",): 1}
    assert of(gateway, REQUESTS) == {("main", "GET", "2xx"): 1}
    assert of(gateway, RESPONSE_BYTES) == {("main",): 9}
    assert gauge(gateway, STREAMS) == gauge(gateway, IN_FLIGHT) == 0
    if who == "upstream":
        with pytest.raises(Cut):
            await client.chunk()


# --- Now


async def test_event_streams_count_while_they_last(start, upstream):
    gateway = await start(upstream)
    client, connection = await streaming(gateway, upstream)
    assert (gauge(gateway, STREAMS), gauge(gateway, IN_FLIGHT)) == (1, 1)
    assert of(gateway, REQUESTS) == {}
    connection.send(b"0\r\n\r\n")
    await client.chunked()
    await gateway.lines.next("request")

    assert (gauge(gateway, STREAMS), gauge(gateway, IN_FLIGHT)) == (0, 0)
    await client.ask("GET", "/", key="wrong")  # a refusal is none, whatever came before it
    assert gauge(gateway, STREAMS) == 0


@pytest.mark.parametrize(
    ("fields", "streams"),
    [
        pytest.param(b"Content-Type: Text/Event-Stream; charset=utf-8\r\n", 1, id="with charset"),
        pytest.param(EVENTS + b"Content-Encoding: gzip\r\n", 1, id="compressed"),
        pytest.param(b"Content-Type: application/json\r\n", 0, id="JSON"),
        pytest.param(b"", 0, id="untyped"),
    ],
)
async def test_an_event_stream_is_known_by_its_type(start, upstream, fields, streams):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", fields, b"\r\n")
    await client.head()

    assert (gauge(gateway, STREAMS), gauge(gateway, IN_FLIGHT)) == (streams, 1)


async def test_a_tunnel_is_a_stream_until_it_ends(start, upstream):
    gateway = await start(upstream)
    client, connection, *_ = await handshake(gateway, upstream)
    assert (gauge(gateway, STREAMS), gauge(gateway, IN_FLIGHT)) == (1, 1)
    client.send(b"up")
    await connection.exactly(2)
    connection.send(b"down")
    await client.exactly(4)
    connection.close()
    client.close()
    await gateway.lines.next("request")

    assert (gauge(gateway, STREAMS), gauge(gateway, IN_FLIGHT)) == (0, 0)
    assert of(gateway, REQUESTS) == {("main", "GET", "1xx"): 1}
    assert of(gateway, REQUEST_BYTES) == {("main",): 2}
    assert of(gateway, RESPONSE_BYTES) == {("main",): 4}


async def test_open_connections_count_until_they_end(start, willing):
    gateway = await start(willing)
    clients = [await gateway.connect() for _ in range(3)]
    for client in clients:
        await client.ask("GET", "/")
    assert gauge(gateway, CONNECTIONS) == 3
    clients[0].close()

    await until_gauge(gateway, CONNECTIONS, 2)
    assert gauge(gateway, BCRYPT_WAITING) == 0


# --- Users


async def test_users_are_counted_only_where_that_is_wanted(start, willing):
    gateway = await start(willing)
    await gateway.ask("GET", "/")
    await gateway.lines.next("request")

    assert of(gateway, USER_REQUESTS) == {}
    assert "alice" not in repr(gateway.worker.report())


async def test_users_are_counted_once_it_is_known_who_they_are(start, willing):
    gateway = await start(willing, more="[metrics]\nusers = true")
    for key in (KEY, KEY, OTHER_KEY, "wrong", None):
        await gateway.ask("GET", "/", key=key)
    await gateway.lines.next("request", 5)

    assert of(gateway, USER_REQUESTS) == {
        ("alice", "main", "2xx"): 2, ("bob", "main", "2xx"): 1,
    }  # fmt: skip
    assert of(gateway, REQUESTS) == {("main", "GET", "2xx"): 3, ("main", "GET", "4xx"): 2}


# --- What it works with


async def test_upstreams_are_up_until_they_fail_and_again_when_they_work(start, upstream):
    gateway = await start(upstream)
    await upstream.leave()
    states = [gateway.worker.report().endpoints[0].state]
    for _ in range(3):
        await gateway.ask("GET", "/")
    states.append(gateway.worker.report().endpoints[0].state)
    upstream.plays(OK)
    await upstream.come_back()
    await gateway.ask("GET", "/")
    (endpoint,) = gateway.worker.report().endpoints

    assert [*states, endpoint.state] == ["up", "out", "up"]
    assert (endpoint.route, endpoint.name) == ("main", f"127.0.0.1:{upstream.port}")
    assert (endpoint.under_way, endpoint.idle) == (0, 1)


async def test_an_upstream_that_fails_its_checks_is_unhealthy(start, upstream):
    health = 'health = { path = "/", interval = "10ms", unhealthy_after = 1 }'
    await upstream.leave()
    gateway = await start(upstream, route=health)
    await gateway.lines.next("upstream.unhealthy")

    assert [each.state for each in gateway.worker.report().endpoints] == ["unhealthy"]


async def test_certificates_and_key_sets_are_told(start, willing, certificates, signing):
    gateway = await start(willing, auth=signing)
    report = gateway.worker.report()

    (certificate,) = report.certificates
    assert certificate.bind == "127.0.0.1:0"
    assert certificate.file == str(certificates / "server.crt")
    assert certificate.names == ("localhost", "127.0.0.1")
    assert certificate.not_after > 1_700_000_000
    (key_set,) = report.key_sets
    assert key_set.source.endswith("signing.json")
    assert (key_set.keys, key_set.age_s, key_set.state) == (1, 0.0, "fresh")


async def test_without_tls_and_tokens_there_is_nothing_to_tell_of_them(start, willing):
    report = (await start(willing, is_tls=False)).worker.report()

    assert report.certificates == report.key_sets == ()
    assert (report.store.kind, report.store.is_up, report.store.failures) == ("memory", True, 0)


async def test_a_key_set_that_turns_to_rubbish_is_stale(start, willing, signing, tmp_path):
    gateway = await start(willing, auth=signing)
    sound = (tmp_path / "signing.json").read_text()
    (tmp_path / "signing.json").write_text("rubbish")
    await gateway.worker._reloading.poll_now()
    (stale,) = gateway.worker.report().key_sets
    refused = refused_files(gateway)
    (tmp_path / "signing.json").write_text(json.dumps(json.loads(sound), indent=1))
    await gateway.worker._reloading.poll_now()
    (fresh,) = gateway.worker.report().key_sets

    assert (stale.state, stale.keys) == ("stale", 1)
    assert (refused, refused_files(gateway)) == (["key_sets"], [])
    assert stale.age_s > 0.0
    assert (fresh.state, fresh.age_s) == ("fresh", 0.0)


async def test_a_remote_key_set_that_never_came_is_lost(start, willing):
    url = "https://127.0.0.1:1/jwks?secret=x"
    gateway = await start(willing, auth=f'[auth.jwt]\njwks_url = "{url}"')
    await gateway.lines.next("jwks.reloaded")
    (key_set,) = gateway.worker.report().key_sets

    assert (key_set.source, key_set.keys) == ("https://127.0.0.1:1/jwks", 0)
    assert key_set.state == "lost"
    assert 0.0 <= key_set.age_s < PATIENCE_S


async def test_every_series_is_of_the_catalogue_and_has_its_labels(start, willing):
    gateway = await start(willing, more="[metrics]\nusers = true")
    for key in (KEY, "wrong"):
        await gateway.ask("GET", "/", key=key)
    await gateway.lines.next("request", 2)
    report = gateway.worker.report()

    for kind, series in (
        ("counter", report.counters), ("histogram", report.histograms), ("gauge", report.gauges),
    ):  # fmt: skip
        for name, labels in series:
            assert BY_NAME[name].kind == kind
            assert len(labels) == len(BY_NAME[name].labels)
