"""An address, and the connections to it, over real sockets."""

import asyncio
import socket
import ssl
from contextlib import suppress

import pytest

from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.names import RECHECK_S, Place
from pyproxy.upstream.standing import FAILURES
from tests.unit.upstream.reached import (
    HOST,
    NAME,
    OK,
    PATIENCE_S,
    Resolver,
    Told,
    answered,
    peer,
    refused,
    serving,
)
from tests.waiting import turns, until

ELSEWHERE = "127.0.0.2"
SOON_GONE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=1\r\n\r\nok"


def made(port, host=HOST, look_up=None, tell=None, **tls):
    """An endpoint of the running loop."""
    told = tell or Told()
    return Endpoint(Address(host, port, **tls), asyncio.get_running_loop(), look_up, told)


# --- What it is called


@pytest.mark.parametrize(
    ("host", "port", "is_tls", "line"),
    [
        pytest.param("a.example", 80, False, b"Host: a.example\r\n", id="http"),
        pytest.param("a.example", 443, True, b"Host: a.example\r\n", id="https"),
        pytest.param("a.example", 443, False, b"Host: a.example:443\r\n", id="another port"),
        pytest.param("a.example", 8443, True, b"Host: a.example:8443\r\n", id="https, another"),
        pytest.param("::1", 80, False, b"Host: [::1]\r\n", id="IPv6"),
        pytest.param("::1", 8080, False, b"Host: [::1]:8080\r\n", id="IPv6, another port"),
    ],
)
def test_endpoint_is_asked_by_its_name(host, port, is_tls, line):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_tls else None

    assert Endpoint(Address(host, port, tls), None).host_line == line


def test_endpoint_is_named_for_logs():
    assert Endpoint(Address(NAME, 8080), None).name == "api.example:8080"


# --- Connecting


async def test_connection_is_new_and_open(port):
    connection = await made(port).connect(PATIENCE_S)

    assert connection.is_open
    assert not connection.was_used
    connection.abort()


async def test_little_is_sent_at_once(port):
    connection = await made(port).connect(PATIENCE_S)
    sock = connection.transport.get_extra_info("socket")

    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.abort()


@pytest.mark.parametrize("host", ["::1", HOST])
async def test_both_families_are_spoken_to(host):
    async with serving(host) as port:
        connection = await made(port, host).connect(PATIENCE_S)
        await answered(connection)

        assert peer(connection) == host


async def test_tls_is_to_the_name_and_its_certificate_is_looked_at(server_tls, client_tls):
    seen = []
    async with serving(tls=server_tls) as port:
        endpoint = made(port, tls=client_tls, server_name=NAME, check=seen.append)
        connection = await endpoint.connect(PATIENCE_S)
        await answered(connection)
        shown = connection.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)

        assert seen == [shown]


async def test_certificate_that_is_not_the_pinned_one_ends_the_connection(server_tls, client_tls):
    refusal = UpstreamUnreachable("another key")

    def check(_certificate):
        raise refusal

    async with serving(tls=server_tls) as port:
        endpoint = made(port, tls=client_tls, server_name=NAME, check=check)
        with pytest.raises(UpstreamUnreachable) as caught:
            await endpoint.connect(PATIENCE_S)

        assert caught.value is refusal
        assert endpoint.idle_connection() is None
        assert endpoint.busy == 0


async def test_refused_connection_is_unreachable(dead):
    assert await refused(made(dead)) == "connecting failed: connection refused"


async def test_certificate_for_another_name_is_unreachable(server_tls, client_tls):
    async with serving(tls=server_tls) as port:
        why = await refused(made(port, tls=client_tls, server_name="b.example"))

    assert why.startswith("connecting failed: certificate verify failed: hostname mismatch")


async def test_slow_connect_is_unreachable(silent, sockets):
    before = sockets()

    assert await refused(made(silent), 0.05) == "connecting took too long"
    assert sockets() == before


async def test_handshake_is_within_the_time_for_connecting(client_tls):
    async with serving() as port:
        endpoint = made(port, tls=client_tls, server_name=NAME)

        assert await refused(endpoint, 0.1) == "the TLS handshake took too long"


async def test_name_without_an_answer_is_unreachable():
    async def look_up(_host, _port):
        await asyncio.get_running_loop().create_future()

    assert await refused(made(80, NAME, look_up), 0.05) == "resolving the name took too long"


async def test_name_that_is_none_is_unreachable_and_told():
    async def look_up(_host, _port):
        raise socket.gaierror(socket.EAI_NONAME, "x")

    told = Told()
    endpoint = made(80, NAME, look_up, told)

    assert await refused(endpoint) == "connecting failed: name not known"
    assert told.news == [("upstream.name_failed", "api.example:80", "name not known")]


async def test_name_that_is_found_again_is_told(port):
    answers = [socket.gaierror(socket.EAI_AGAIN, "x"), [Place(socket.AF_INET, (HOST, port))]]

    async def look_up(_host, _port):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    told = Told()
    endpoint = made(port, NAME, look_up, told)
    await refused(endpoint)
    (await endpoint.connect(PATIENCE_S)).abort()

    assert [event for event, *_ in told.news] == ["upstream.name_failed", "upstream.name_found"]


async def test_cancelled_connect_leaves_nothing(port, silent, client_tls, sockets):
    before = sockets()
    for endpoint in (made(port), made(silent), made(port, tls=client_tls, server_name=NAME)):
        for count in range(6):
            connecting = asyncio.ensure_future(endpoint.connect(PATIENCE_S))
            await turns(count)
            connecting.cancel()
            await asyncio.wait({connecting})
            if not connecting.cancelled():
                connecting.result().abort()
        assert endpoint.busy == 0
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: sockets() <= before)  # the loop closes them in its own time


# --- Names with several addresses


async def test_dead_address_is_passed_over_and_comes_last_from_now_on(port):
    resolver = Resolver(ELSEWHERE, HOST, port=port)
    endpoint = made(port, NAME, resolver)
    connection = await endpoint.connect(PATIENCE_S)
    known = await endpoint._names.places()

    assert peer(connection) == HOST
    assert [place.ip for place in known] == [HOST, ELSEWHERE]
    assert resolver.asked == 1
    connection.abort()


async def test_name_is_looked_up_soon_when_nobody_answers(port, dead):
    resolver = Resolver(HOST, port=dead)
    endpoint = made(port, NAME, resolver)
    await refused(endpoint)
    due = endpoint._names._due

    assert due <= asyncio.get_running_loop().time() + RECHECK_S


async def test_idle_connection_to_an_address_that_is_gone_is_not_used():
    async with serving() as port, serving(ELSEWHERE, port):
        resolver = Resolver(HOST, port=port)
        endpoint = made(port, NAME, resolver)
        idle, busy = [await endpoint.connect(PATIENCE_S) for _ in range(2)]
        await answered(idle)
        resolver.moved(ELSEWHERE)
        kept = []
        for _ in range(2):
            kept.append(idle.is_open)
            await looked_up_again(endpoint)
        await answered(busy)
        kept += [idle.is_open, busy.is_open]
        new = await endpoint.connect(PATIENCE_S)
        await answered(new)

        assert kept == [True, True, False, False]
        assert peer(new) == ELSEWHERE
        assert endpoint.idle_connection() is new
        new.abort()


async def test_connections_in_use_keep_the_name_fresh(port):
    resolver = Resolver(HOST, port=port)
    endpoint = made(port, NAME, resolver)
    connection = await endpoint.connect(PATIENCE_S)
    await answered(connection)
    endpoint._names._due = 0.0

    assert endpoint.idle_connection() is connection
    await endpoint._names._looking
    assert resolver.asked == 2
    connection.abort()


async def looked_up_again(endpoint):
    endpoint._names._due = 0.0
    endpoint._names.keep_fresh()
    await endpoint._names._looking


# --- The pool


@pytest.fixture
async def endpoint(port):
    made_ = made(port)
    yield made_
    made_.close()


async def connected(endpoint, count):
    return [await endpoint.connect(PATIENCE_S) for _ in range(count)]


async def test_pool_is_empty_at_first(endpoint):
    connection = await endpoint.connect(PATIENCE_S)

    assert endpoint.idle_connection() is None
    connection.abort()


async def test_connection_that_was_used_last_is_used_next(endpoint):
    first, second = await connected(endpoint, 2)
    await answered(second)
    await answered(first)
    found = [endpoint.idle_connection() for _ in range(3)]

    assert found == [first, second, None]
    first.abort()
    second.abort()


async def test_connection_waits_as_long_as_the_upstream_keeps_it():
    async with serving(answer=SOON_GONE) as port:
        endpoint = made(port)
        connection = await endpoint.connect(PATIENCE_S)
        await answered(connection)
        await until(lambda: not connection.is_open)

        assert not connection.is_open
        assert endpoint.idle_connection() is None


async def test_connection_that_is_about_to_close_is_passed_over(endpoint):
    first, second = await connected(endpoint, 2)
    await answered(first)
    await answered(second)
    second.transport.close()

    assert endpoint.idle_connection() is first
    first.abort()


@pytest.mark.parametrize(
    "stir",
    [
        pytest.param(lambda sock: sock.sendall(OK), id="an answer that nobody asked for"),
        pytest.param(lambda sock: sock.shutdown(socket.SHUT_WR), id="the end"),
    ],
)
async def test_connection_is_passed_over_before_the_loop_has_read_what_came(stir):
    with socket.create_server((HOST, 0)) as server:
        endpoint = made(server.getsockname()[1])
        connection = await endpoint.connect(PATIENCE_S)
        accepted, _ = server.accept()
        with accepted:
            asked = asyncio.create_task(answered(connection))
            await asyncio.sleep(0)
            accepted.sendall(OK)
            await asked
            stir(accepted)

            assert endpoint.idle_connection() is None
            assert not connection.is_open


@pytest.mark.parametrize("is_tls", [False, True])
async def test_quiet_connection_is_used_again(server_tls, client_tls, is_tls):
    tls = {"tls": client_tls, "server_name": NAME} if is_tls else {}
    async with serving(tls=server_tls if is_tls else None) as port:
        endpoint = made(port, **tls)
        connection = await endpoint.connect(PATIENCE_S)
        found = []
        for _ in range(3):
            await answered(connection)
            found.append(endpoint.idle_connection())

        assert found == [connection] * 3
        connection.abort()


async def test_connection_that_was_lost_is_forgotten(endpoint):
    used, unused = await connected(endpoint, 2)
    await answered(used)
    for connection in (used, unused):
        connection.transport.abort()
        connection.connection_lost(None)

    assert endpoint.idle_connection() is None
    assert not endpoint._ips


async def test_closing_takes_the_idle_now_and_the_busy_with_their_requests(endpoint):
    idle, busy = await connected(endpoint, 2)
    await answered(idle)
    endpoint.close()
    before = (idle.is_open, busy.is_open)
    assert endpoint.idle == 1
    await answered(busy)

    assert before == (False, True)
    assert not busy.is_open
    assert endpoint.idle_connection() is None


async def test_connection_being_made_counts_as_work(silent):
    endpoint = made(silent)
    connecting = asyncio.ensure_future(endpoint.connect(PATIENCE_S))
    await turns(1)
    during = endpoint.busy
    connecting.cancel()
    await asyncio.wait({connecting})

    assert (during, endpoint.busy) == (1, 0)


async def test_connection_for_no_request_is_no_work(silent):
    endpoint = made(silent)
    reaching = asyncio.ensure_future(endpoint.reach(PATIENCE_S))
    await turns(1)
    during = endpoint.busy
    reaching.cancel()
    await asyncio.wait({reaching})

    assert during == 0


# --- Its standing


def test_failures_in_a_row_and_their_end_are_told_once():
    told = Told()
    endpoint = Endpoint(Address(NAME, 80), None, tell=told)
    for _ in range(2 * FAILURES):
        endpoint.failed(100.0)
    out_until = endpoint.standing.out_until
    endpoint.worked()
    endpoint.worked()

    assert (out_until, endpoint.standing.out_until) == (110.0, 0.0)
    assert [news[:2] for news in told.news] == [
        ("upstream.ejected", "api.example:80"), ("upstream.recovered", "api.example:80"),
    ]  # fmt: skip
    assert told.news[0][2] == "3 failures in a row: others are asked for 10 s"


# --- TLS that never ends


class Deaf(asyncio.Protocol):
    """Ends a handshake, and after that reads nothing and says nothing."""

    def __init__(self, context, gone):
        self._into, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._into, self._out, server_side=True)
        self._gone = gone
        self._is_deaf = False

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        if self._is_deaf:
            return
        self._into.write(data)
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
            self._is_deaf = True
        self._transport.write(self._out.read())

    def eof_received(self):
        self._gone.set()


async def test_upstream_that_never_ends_tls_holds_no_connection(server_tls, client_tls):
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(lambda: Deaf(server_tls, gone), HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection = await made(port, tls=client_tls, server_name=NAME).connect(PATIENCE_S)
        connection.transport.close()
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
