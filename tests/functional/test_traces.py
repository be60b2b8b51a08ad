"""A request's place in a trace: passed on always, and told to a collector where one is named."""

import asyncio
import re
from contextlib import ExitStack

import pytest

from tests.collector import Collector
from tests.functional.scripted import KEY, Message, Upstream, request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"traceparent: 00-{TRACE}-{SPAN}-01"
STATE = "tracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
SENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
OPENAI = 'provider = "openai"\ncredential = { value = "sk-of-the-provider-0123456789" }'


@pytest.fixture
def collector():
    with ExitStack() as stack:
        yield stack.enter_context(Collector())


def traces(collector, more=""):
    return f'[traces]\nendpoint = "{collector.url}"\n{more}'


async def sent_up(gateway, upstream, *lines, method="GET", path="/v1/models", answer=LAST):
    client = await gateway.connect()
    client.send(request(method, path, *lines))
    connection, head = await upstream.asked()
    connection.send(answer)
    await client.answer()
    return Message(head)


async def spans(collector, count, **values):
    return await asyncio.to_thread(collector.wait_for, count, **values)


# --- Without a collector


@pytest.mark.parametrize(
    "route", ["", OPENAI, 'provider = "anthropic"'], ids=["own", "public API", "no credential"]
)
async def test_a_trace_passes_on_as_it_came(start, upstream, route):
    gateway = await start(upstream, route=route)
    if "anthropic" in route:
        route = 'credential = { value = "sk-ant-0123456789abcdef" }'
        gateway = await start(upstream, route=f'provider = "anthropic"\n{route}')
    head = await sent_up(gateway, upstream, PARENT, STATE)

    assert PARENT.encode() in head.lines
    assert STATE.encode() in head.lines


async def test_without_one_none_is_begun(start, upstream):
    gateway = await start(upstream)
    head = await sent_up(gateway, upstream)
    line = await gateway.lines.next("request")

    assert head.value("traceparent") is head.value("tracestate") is None
    assert "trace_id" not in line


# --- With one


async def test_a_request_is_a_span_and_what_it_asks_is_its_child(start, upstream, collector):
    gateway = await start(upstream, more=traces(collector, 'service_name = "edge"'))
    head = await sent_up(
        gateway, upstream, PARENT, STATE, "User-Agent: someone/1", method="GET",
        path="/v1/models?secret=hunter2",
    )  # fmt: skip
    server, client = await spans(collector, 2)
    line = await gateway.lines.next("request")
    sent = SENT.fullmatch(head.value("traceparent"))

    assert (server.name, server.kind, client.name, client.kind) == (
        "GET main", "SERVER", "GET", "CLIENT",
    )  # fmt: skip
    assert {server.trace_id, client.trace_id, line["trace_id"], sent[1]} == {TRACE}
    assert (server.parent_id, client.parent_id) == (SPAN, server.span_id)
    assert (sent[2], sent[3]) == (client.span_id, "01")
    assert head.value("tracestate") == STATE.partition(": ")[2]
    assert server.state == client.state == STATE.partition(": ")[2]
    assert server.attributes == {
        "http.request.method": "GET",
        "http.route": "main",
        "url.scheme": "https",
        "url.path": "/v1/models",
        "server.address": "gateway.example",
        "client.address": "127.0.0.1",
        "http.response.status_code": 200,
        "http.response.body.size": 2,
        "pyproxy.request_id": line["request_id"],
    }
    assert client.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": upstream.port,
        "http.response.status_code": 200,
    }
    assert server.resource["service.name"] == "edge"
    assert 0.0 < client.seconds <= server.seconds < 5.0
    assert not server.is_error
    assert not client.is_error
    for hidden in (KEY.encode(), b"hunter2", b"someone", b"alice"):
        assert hidden not in collector.received


async def test_a_trace_that_begins_here_is_begun_once_a_request(start, upstream, collector):
    gateway = await start(upstream, more=traces(collector))
    heads = [await sent_up(gateway, upstream) for _ in range(3)]
    found = await spans(collector, 3, kind="SERVER")

    assert len({span.trace_id for span in found}) == 3
    assert {SENT.fullmatch(head.value("traceparent"))[1] for head in heads} == {
        span.trace_id for span in found
    }
    assert {span.parent_id for span in found} == {""}


async def test_a_client_that_repeats_its_head_gets_a_span_each_time(start, willing, collector):
    gateway = await start(willing, more=traces(collector))
    client = await gateway.connect()
    for _ in range(5):
        await client.ask("GET", "/v1")
    found = await spans(collector, 5, kind="CLIENT")
    heads = bytes(willing.connections[0].received).decode().split("\r\n\r\n")[:-1]
    sent = [SENT.search(head)[2] for head in heads]

    assert sent == [span.span_id for span in found]
    assert len(set(sent)) == 5
    assert [head.count("traceparent") for head in heads] == [1] * 5


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((f"traceparent: 00-{TRACE}-{'0' * 16}-01", STATE), id="no span"),
        pytest.param(("traceparent: rubbish", STATE), id="rubbish"),
        pytest.param((PARENT, PARENT, STATE), id="twice"),
    ],
)
async def test_a_malformed_trace_is_replaced_and_its_state_dropped(
    start, upstream, collector, lines
):
    gateway = await start(upstream, more=traces(collector))
    head = await sent_up(gateway, upstream, *lines)
    [span] = await spans(collector, 1, kind="SERVER")

    assert SENT.fullmatch(head.value("traceparent"))[1] == span.trace_id != TRACE
    assert head.value("tracestate") is None
    assert span.parent_id == ""


@pytest.mark.parametrize(
    ("line", "sample", "flags"),
    [
        pytest.param(f"traceparent: 00-{TRACE}-{SPAN}-00", 1.0, "00", id="its parent is not"),
        pytest.param("X-Other: 1", 0.0, "02", id="none is"),
    ],
)
async def test_what_is_not_recorded_passes_on_and_is_told_to_nobody(
    start, upstream, collector, line, sample, flags
):
    gateway = await start(upstream, more=traces(collector, f"sample = {sample}"))
    head = await sent_up(gateway, upstream, line)
    recorded = await sent_up(gateway, upstream, PARENT)
    found = await spans(collector, 2)

    assert SENT.fullmatch(head.value("traceparent"))[3] == flags
    assert SENT.fullmatch(recorded.value("traceparent"))[3] == "01"
    assert {span.trace_id for span in found} == {TRACE}


async def test_two_gateways_are_two_hops_of_one_trace(start, upstream, collector):
    inner = await start(upstream, is_tls=False, route="auth = []", more=traces(collector))
    outer = await start(f"http://127.0.0.1:{inner.port}", more=traces(collector))
    head = await sent_up(outer, upstream)
    found = await spans(collector, 4)
    by_id = {span.span_id: span for span in found}
    last = by_id[SENT.fullmatch(head.value("traceparent"))[2]]

    chain = [last]
    while chain[-1].parent_id:
        chain.append(by_id[chain[-1].parent_id])
    assert [span.kind for span in chain] == ["CLIENT", "SERVER"] * 2
    assert len({span.trace_id for span in found}) == 1


async def test_each_attempt_is_a_span_and_sends_its_own(start, collector):
    async with Upstream() as first, Upstream() as second:
        await first.leave()
        gateway = await start(
            [first, second], route='balance = "round-robin"\nretries = 1', more=traces(collector)
        )
        heads = [await sent_up(gateway, second) for _ in range(2)]
        servers = await spans(collector, 2, kind="SERVER")
        clients = await spans(collector, 4, kind="CLIENT")
    failed = [span for span in clients if span.is_error]
    good = [span for span in clients if not span.is_error]

    for attempts in (failed, good):
        assert {span.parent_id for span in attempts} == {span.span_id for span in servers}
    for span in failed:
        assert span.attributes["error.type"] == "upstream_unreachable"
        assert span.attributes["server.port"] == first.port
        assert "http.response.status_code" not in span.attributes
    for span in good:
        assert span.attributes["http.request.resend_count"] == 1
        assert span.attributes["server.port"] == second.port
    assert [SENT.fullmatch(head.value("traceparent"))[2] for head in heads] == [
        span.span_id for span in good
    ]


async def test_a_refusal_is_a_span_without_a_child(start, willing, collector):
    gateway = await start(willing, more=traces(collector))
    client = await gateway.connect()
    refused = await client.ask("POST", "/v1", PARENT, key="wrong")
    [span] = await spans(collector, 1, kind="SERVER")

    assert refused.status == 401
    assert span.attributes["http.response.status_code"] == 401
    assert span.attributes["error.type"] == "invalid_token"
    assert not span.is_error  # the client's fault is none of the server's
    assert [each.kind for each in collector.spans] == ["SERVER"]


async def test_an_answer_of_an_upstream_that_failed_is_an_error_of_both(start, upstream, collector):
    gateway = await start(upstream, more=traces(collector))
    await sent_up(
        gateway, upstream,
        answer=b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    )  # fmt: skip
    server, client = await spans(collector, 2)

    assert server.is_error
    assert client.is_error
    assert server.attributes["error.type"] == client.attributes["error.type"] == "503"


@pytest.mark.parametrize("method", ["BREW", "PURGE"])
async def test_a_method_that_nobody_knows_makes_no_name_of_its_own(
    start, upstream, collector, method
):
    gateway = await start(upstream, more=traces(collector))
    await sent_up(gateway, upstream, method=method)
    server, client = await spans(collector, 2)

    assert (server.name, client.name) == ("HTTP main", "HTTP")
    assert server.attributes["http.request.method"] == "_OTHER"


async def test_the_collectors_key_is_sent_to_it_and_shown_to_nobody_else(
    start, upstream, collector, secrets
):
    secrets.append("key-of-the-collector-0123456789")
    header = 'headers = { Authorization = "Bearer key-of-the-collector-0123456789" }'
    gateway = await start(upstream, more=traces(collector, header))
    head = await sent_up(gateway, upstream)
    await spans(collector, 2)

    assert b"key-of-the-collector-0123456789" in collector.received
    assert b"key-of-the-collector" not in head.head


async def test_a_key_in_the_path_is_in_no_span(start, willing, collector):
    gateway = await start(willing, more=traces(collector))
    client = await gateway.connect()
    assert (await client.ask("GET", f"/v1/{KEY}")).status == 400
    [span] = await spans(collector, 1)

    assert KEY.encode() not in collector.received
    assert "url.path" not in span.attributes


# --- A collector in trouble


@pytest.mark.parametrize("trouble", ["down", "refuses", "never answers"])
async def test_a_collector_in_trouble_costs_requests_nothing(start, willing, trouble):
    with Collector() as collector:
        url = collector.url
        collector.status = 400 if trouble == "refuses" else 200
        if trouble == "never answers":
            collector.released.clear()
        if trouble == "down":
            collector.server_close()
        gateway = await start(willing, more=f'[traces]\nendpoint = "{url}"')
        client = await gateway.connect()
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for _ in range(200):
            began = loop.time()
            assert (await client.ask("GET", "/v1")).status == 200
            slowest = max(slowest, loop.time() - began)
        if trouble != "down":
            await asyncio.to_thread(collector.wait_asked)
        for _ in range(50):
            assert (await client.ask("GET", "/v1")).status == 200
        if trouble == "refuses":
            line = await gateway.lines.next("traces.lost")
            assert line["reason"] == "the collector did not take them"
            assert gateway.worker._resources.tracer.dropped_total >= 200
        # Its libraries are loaded meanwhile, on another thread.
        assert slowest < 1.0
