"""A request goes up: to which endpoint, over which connection, and how often."""

import asyncio

import pytest

from pyproxy.errors.refusal import (
    BodyTooLarge,
    Refusal,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from pyproxy.gateway.forward import forward
from pyproxy.telemetry.record import Record
from pyproxy.transform.request import UpwardHead
from pyproxy.wire.head import read_response_head

HOST = b"Host: upstream.example\r\n"
UP = UpwardHead(b"GET / HTTP/1.1\r\n", b"A: b\r\n", has_length=False)
START = b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\nX-Request-Id: id-1\r\n"
HEAD = START + b"\r\n"
OK = read_response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")


class Connection:
    """Answers as its script says, when the request was sent."""

    def __init__(self, script, *, was_used=False):
        self.was_used = was_used
        self.has_answered = False
        self.is_aborted = False
        self.is_open = True
        self.offered = ()
        self.read_timeout = 60.0
        self.shaped = None
        self.sent = []
        self._script = script

    def request(self, head, method, *, is_chunked, receiver, read_timeout):
        self.sent += [head, method, is_chunked, read_timeout]
        self.receiver = receiver

    def offer(self, switch):
        self.offered = switch.protocols

    def body_arrived(self, data):
        self.sent.append(data)

    def body_ended(self, trailers):
        self.sent.append(trailers)

    def flush_request(self):
        self._script(self)

    def abort(self):
        self.is_aborted = True


def answers(connection):
    connection.has_answered = connection.was_used = True
    connection.receiver.head_arrived(OK, 2)
    connection.receiver.body_arrived(b"ok")
    connection.receiver.body_ended([])
    connection.receiver.flush()


def breaks(connection):
    connection.has_answered = True
    connection.receiver.head_arrived(OK, 2)
    connection.receiver.flush()
    connection.receiver.failed(UpstreamUnreachable("reset"))


def ends(connection):
    connection.receiver.failed(UpstreamUnreachable())


def ends_in_the_head(connection):
    connection.has_answered = True
    connection.receiver.failed(UpstreamUnreachable())


def stays_silent(connection):
    connection.receiver.failed(UpstreamTimeout())


def speaks_no_http(connection):
    connection.receiver.failed(UpstreamProtocolError())


class Endpoint:
    """Has one idle connection, or none, and connects to what it is told."""

    def __init__(self, *fresh, idle=None):
        self.name = "upstream.example:80"
        self.host_line = HOST
        self.busy = 0
        self.fresh = list(fresh)
        self.idle = idle
        self.fates = []

    def worked(self):
        self.fates.append("worked")

    def failed(self, _now):
        self.fates.append("failed")

    def idle_connection(self):
        taken, self.idle = self.idle, None
        return taken

    async def connect(self, timeout_s):
        assert timeout_s == 1.0
        connection = self.fresh.pop(0)
        if connection is None:
            raise UpstreamUnreachable("refused")
        return connection


class Endpoints:
    """Endpoints in the order in which they are picked."""

    def __init__(self, *endpoints):
        self.endpoints = endpoints
        self.tried = []

    def pick(self, tried, _now):
        self.tried.append(tuple(tried))
        return self.endpoints[min(len(tried), len(self.endpoints) - 1)]


@pytest.fixture
def record():
    return Record(request_id="id-1", status=499)


@pytest.fixture
def forwarded(desk, plan_of, record):
    """Sends an exchange to endpoints."""

    async def forwarded_(exchange, *endpoints, head=UP, **changes):
        upstream = Endpoints(*endpoints)
        plan = plan_of(upstream=upstream, **changes)
        await forward(desk, plan, exchange, head, record, b"")
        return upstream

    return forwarded_


async def test_request_goes_up_and_its_answer_down(asked, channel, forwarded, record):
    connection = Connection(answers)
    endpoint = Endpoint(connection)
    await forwarded(asked(), endpoint)

    assert connection.sent == [HEAD, b"GET", False, 60.0, []]
    assert channel.written.endswith(b"\r\n\r\nok")
    assert not connection.is_aborted
    assert (record.status, record.upstream) == (200, "upstream.example:80")
    assert record.upstream_ms == 1000.0
    assert not record.is_aborted
    assert endpoint.busy == 0


async def test_idle_connection_is_used_first(asked, forwarded):
    idle = Connection(answers, was_used=True)
    endpoint = Endpoint(idle=idle)
    await forwarded(asked(), endpoint)

    assert idle.sent[0] == HEAD


async def test_body_goes_with_it_and_its_trailers(asked, forwarded):
    exchange = asked("POST / HTTP/1.1", "Transfer-Encoding: chunked")
    exchange.body.feed(b"1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n")
    connection = Connection(answers)
    await forwarded(exchange, Endpoint(connection))

    assert connection.sent == [
        START + b"Transfer-Encoding: chunked\r\n\r\n", b"POST", True, 60.0, b"x",
        [(b"x-sum", b"X-Sum: 1\r\n")],
    ]  # fmt: skip


async def test_each_endpoint_is_asked_by_its_own_name(asked, forwarded):
    connection = Connection(answers)
    dead, living = Endpoint(None), Endpoint(connection)
    living.host_line = b"Host: living.example:8080\r\n"
    await forwarded(asked(), dead, living)

    assert connection.sent[0] == HEAD.replace(HOST, living.host_line)


# --- Another attempt


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_connect_is_tried_elsewhere(asked, channel, forwarded, record, method):
    dead, living = Endpoint(None), Endpoint(Connection(answers))
    living.name = "living"
    upstream = await forwarded(asked(f"{method} / HTTP/1.1"), dead, living)

    assert upstream.tried == [(), (dead,)]
    assert record.upstream == "living"
    assert channel.written.endswith(b"ok")


@pytest.mark.parametrize("retries", [0, 1, 2])
async def test_connects_are_tried_so_often_and_no_more(asked, forwarded, retries):
    endpoint = Endpoint(*[None] * 5)
    with pytest.raises(UpstreamUnreachable):
        await forwarded(asked(), endpoint, retries=retries)

    assert len(endpoint.fresh) == 5 - retries - 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_stale_connection_costs_a_safe_request_nothing(asked, channel, forwarded, method):
    stale, fresh = Connection(ends, was_used=True), Connection(answers)
    await forwarded(asked(f"{method} / HTTP/1.1"), Endpoint(fresh, idle=stale))

    assert (stale.sent[0], fresh.sent[0]) == (HEAD, HEAD)
    assert stale.is_aborted
    assert channel.written.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_another_attempt_is_never_over_an_idle_connection(asked, forwarded):
    stale, also_stale = Connection(ends, was_used=True), Connection(ends, was_used=True)
    fresh = Connection(answers)
    await forwarded(asked(), Endpoint(idle=stale), Endpoint(fresh, idle=also_stale))

    assert also_stale.sent == []
    assert fresh.sent != []


@pytest.mark.parametrize(
    ("start", "lines", "script", "was_used", "retries"),
    [
        pytest.param("POST / HTTP/1.1", [], ends, True, 1, id="POST"),
        pytest.param("PATCH / HTTP/1.1", [], ends, True, 1, id="PATCH"),
        pytest.param("PUT / HTTP/1.1", ["Content-Length: 1"], ends, True, 1, id="a body"),
        pytest.param("PUT / HTTP/1.1", ["Transfer-Encoding: chunked"], ends, True, 1, id="chunks"),
        pytest.param("GET / HTTP/1.1", [], ends, False, 1, id="a fresh connection"),
        pytest.param("GET / HTTP/1.1", [], ends, True, 0, id="no retries"),
        pytest.param("GET / HTTP/1.1", [], ends_in_the_head, True, 1, id="begun answer"),
    ],
)
async def test_what_may_do_harm_twice_is_sent_once(
    asked, forwarded, start, lines, script, was_used, retries
):
    connection, other = Connection(script, was_used=was_used), Connection(answers)
    endpoint = Endpoint(other, idle=connection)
    with pytest.raises(UpstreamUnreachable):
        await forwarded(asked(start, *lines), endpoint, retries=retries)

    assert other.sent == []
    assert endpoint.busy == 0


async def test_silence_is_not_tried_again(asked, forwarded, record):
    connection, other = Connection(stays_silent, was_used=True), Connection(answers)
    with pytest.raises(UpstreamTimeout):
        await forwarded(asked(), Endpoint(other, idle=connection))

    assert other.sent == []
    assert (record.status, record.upstream_ms) == (499, -1.0)


# --- Ends


async def test_trouble_that_no_client_sees_is_told_the_operator(asked, forwarded, troubles):
    await forwarded(asked(), Endpoint(None), Endpoint(Connection(breaks)))

    assert [trouble["reason"] for trouble in troubles] == ["refused", "reset"]


async def test_answer_that_breaks_is_broken_off(asked, channel, forwarded, record):
    connection = Connection(breaks)
    exchange = asked()
    await forwarded(exchange, Endpoint(connection))

    assert channel.calls == ["abort"]
    assert connection.is_aborted
    assert (record.status, record.is_aborted) == (200, True)
    assert (exchange.source, exchange.on_broken) == (None, None)


async def test_body_that_broke_while_connecting_never_goes_up(asked, forwarded):
    connection = Connection(answers)
    exchange = asked("POST / HTTP/1.1", "Content-Length: 9")
    exchange.break_body(BodyTooLarge())
    with pytest.raises(BodyTooLarge):
        await forwarded(exchange, Endpoint(connection))

    assert connection.is_aborted
    assert connection.sent == []


async def test_body_that_breaks_on_the_way_ends_the_upstreams_request(asked, forwarded):
    exchange = asked("POST / HTTP/1.1", "Content-Length: 9")
    connection = Connection(lambda _: exchange.break_body(BodyTooLarge()))
    with pytest.raises(BodyTooLarge):
        await forwarded(exchange, Endpoint(connection))

    assert connection.is_aborted


async def test_rest_of_a_body_that_was_answered_early_goes_nowhere(asked, forwarded):
    exchange = asked("POST / HTTP/1.1", "Content-Length: 9")
    connection = Connection(answers)
    await forwarded(exchange, Endpoint(connection))
    exchange.body.feed(b"the rest!")

    assert exchange.body.is_complete
    assert connection.sent == [START + b"Content-Length: 9\r\n\r\n", b"POST", False, 60.0]


async def test_client_that_leaves_ends_the_upstreams_request(asked, forwarded, record):
    is_asked = asyncio.Event()
    connection = Connection(lambda _: is_asked.set())
    endpoint = Endpoint(connection)
    task = asyncio.get_running_loop().create_task(forwarded(asked(), endpoint))
    async with asyncio.timeout(5):
        await is_asked.wait()
    busy = endpoint.busy
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (busy, endpoint.busy) == (1, 0)
    assert connection.is_aborted
    assert record.status == 499


async def test_upstream_is_paused_at_the_clients_pace_while_it_answers(asked, forwarded):
    exchange, seen = asked(), []

    def script(connection):
        seen.append(exchange.source)
        answers(connection)

    connection = Connection(script)
    await forwarded(exchange, Endpoint(connection))

    assert seen == [connection]
    assert exchange.source is None


async def test_a_connection_that_ended_before_its_request_is_unreachable(asked, forwarded):
    gone = Connection(answers)
    gone.is_open = False

    with pytest.raises(UpstreamUnreachable, match="before it was used"):
        await forwarded(asked(), Endpoint(gone), retries=0)
    assert not gone.sent


@pytest.mark.parametrize(
    ("behaviour", "is_kept", "fates"),
    [
        pytest.param(ends, True, [], id="stale"),
        pytest.param(ends, False, ["failed"], id="ended before its head"),
        pytest.param(stays_silent, True, ["failed"], id="silent"),
        pytest.param(ends_in_the_head, True, ["failed"], id="ended within its head"),
        pytest.param(speaks_no_http, False, [], id="no HTTP"),
    ],
)
async def test_what_an_endpoint_is_blamed_for(asked, forwarded, behaviour, is_kept, fates):
    connection = Connection(behaviour, was_used=is_kept)
    endpoint = Endpoint(idle=connection) if is_kept else Endpoint(connection)
    with pytest.raises(Refusal):
        await forwarded(asked(), endpoint, retries=0)

    assert endpoint.fates == fates


async def test_refused_connection_is_the_endpoints_fault(asked, forwarded):
    bad, good = Endpoint(None), Endpoint(Connection(answers))
    await forwarded(asked(), bad, good, retries=1)

    assert (bad.fates, good.fates) == (["failed"], ["worked"])


async def test_what_was_not_sent_is_sent_elsewhere_whatever_it_is(asked, forwarded):
    closed, good = Connection(answers), Connection(answers)
    closed.is_open = False
    await forwarded(asked("POST / HTTP/1.1"), Endpoint(closed), Endpoint(good), retries=1)

    assert not closed.sent
    assert good.sent


# --- Another protocol

ASKING = UpwardHead(UP.start, UP.lines, has_length=False, protocols=(b"foo",))


async def test_change_of_protocol_is_asked_for_and_offered(asked, forwarded, channel):
    connection = Connection(answers)
    await forwarded(asked(), Endpoint(connection), head=ASKING)

    assert b"\r\nConnection: Upgrade\r\nUpgrade: foo\r\n" in connection.sent[0]
    assert connection.offered == (b"foo",)
    assert channel.written.endswith(b"\r\n\r\nok")


async def test_request_with_a_body_asks_for_no_change(asked, forwarded):
    exchange = asked("POST / HTTP/1.1", "Content-Length: 1")
    exchange.body.feed(b"x")
    connection = Connection(answers)
    await forwarded(exchange, Endpoint(connection), head=ASKING)

    assert b"Upgrade" not in connection.sent[0]
    assert connection.offered == ()
