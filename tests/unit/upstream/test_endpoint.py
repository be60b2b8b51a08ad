"""An address, and the connections to it, over a loop that connects as a test says."""

import asyncio
import ssl

import pytest

from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.endpoint import Address, Endpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CERTIFICATE = b"DER"
READ_TIMEOUT = 1.0


class Certified:
    """The TLS of a connection."""

    def getpeercert(self, *, binary_form):
        assert binary_form
        return CERTIFICATE


class Transport:
    """Knows whether it is open."""

    def __init__(self):
        self.end = ""

    def get_extra_info(self, name):
        return {"ssl_object": Certified()}[name]

    def is_closing(self):
        return bool(self.end)

    def write(self, data):
        pass

    def close(self):
        self.end = "closed"

    def abort(self):
        self.end = "aborted"


class Timer:
    """Is never due."""

    def cancel(self):
        pass


class Loop:
    """Connects, or does what a test has in mind instead."""

    def __init__(self):
        self.asked = []
        self.error = None
        self.due = []

    def time(self):
        return 100.0

    def call_at(self, when, _callback):
        self.due.append(when - 100.0)
        return Timer()

    async def create_connection(self, make, *address, **named):
        self.asked.append((*address, named))
        if self.error is not None:
            raise self.error
        connection, transport = make(), Transport()
        connection.connection_made(transport)
        return transport, connection


class Silent(Loop):
    """Never connects."""

    async def create_connection(self, *_, **__):
        await asyncio.get_running_loop().create_future()


class Receiver:
    """Does not care."""

    def head_arrived(self, head, length):
        pass

    def body_arrived(self, data):
        pass

    def body_ended(self, trailers):
        pass

    def flush(self):
        pass


def answered(connection):
    """Take a connection through a request, to where it is idle again."""
    connection.request(
        b"", b"GET", is_chunked=False, receiver=Receiver(), read_timeout=READ_TIMEOUT
    )
    connection.body_ended([])
    connection.flush_request()
    connection.data_received(OK)


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def endpoint(loop):
    return Endpoint(Address("upstream.example", 8080), loop)


# --- Connecting


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


def test_endpoint_is_named_for_logs(endpoint):
    assert endpoint.name == "upstream.example:8080"


async def test_plain_connection(endpoint, loop):
    connection = await endpoint.connect(1.0)

    assert loop.asked == [("upstream.example", 8080, {"ssl": None, "server_hostname": None})]
    assert connection.is_open
    assert not connection.was_used


async def test_connection_over_tls_is_to_a_name(loop):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    seen = []
    endpoint = Endpoint(Address("192.0.2.1", 443, tls, "api.example", seen.append), loop)
    await endpoint.connect(1.0)

    assert loop.asked == [("192.0.2.1", 443, {"ssl": tls, "server_hostname": "api.example"})]
    assert seen == [CERTIFICATE]


async def test_certificate_that_is_not_the_pinned_one_ends_the_connection(loop):
    refusal = UpstreamUnreachable("another key")
    connections = []

    def check(_certificate):
        raise refusal

    endpoint = Endpoint(Address("a", 443, None, None, check), loop)
    make = endpoint._protocol
    endpoint._protocol = lambda: connections.append(make()) or connections[0]
    with pytest.raises(UpstreamUnreachable) as caught:
        await endpoint.connect(1.0)

    assert caught.value is refusal
    assert connections[0].transport.end == "aborted"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ConnectionRefusedError("refused"), id="refused"),
        pytest.param(OSError("no such name"), id="unknown name"),
        pytest.param(ssl.SSLCertVerificationError("wrong name"), id="wrong certificate"),
        pytest.param(TimeoutError("the system's"), id="the system's patience ended"),
    ],
)
async def test_failure_to_connect_is_unreachable(endpoint, loop, error):
    loop.error = error
    with pytest.raises(UpstreamUnreachable) as caught:
        await endpoint.connect(1.0)

    assert caught.value.__cause__ is error


async def test_connecting_for_too_long_is_unreachable():
    endpoint = Endpoint(Address("a", 80), Silent())
    with pytest.raises(UpstreamUnreachable):
        await endpoint.connect(0.0)


# --- The pool


async def test_pool_is_empty_at_first(endpoint):
    await endpoint.connect(1.0)

    assert endpoint.idle_connection() is None


async def test_connection_that_was_used_last_is_used_next(endpoint):
    first, second = await endpoint.connect(1.0), await endpoint.connect(1.0)
    answered(second)
    answered(first)

    assert endpoint.idle_connection() is first
    assert endpoint.idle_connection() is second
    assert endpoint.idle_connection() is None


async def test_connection_waits_as_long_as_the_upstream_keeps_it(endpoint, loop):
    connection = await endpoint.connect(1.0)
    connection.idle_s = 0.5
    answered(connection)

    assert loop.due == [READ_TIMEOUT, 0.5]


async def test_connection_that_is_about_to_close_is_passed_over(endpoint):
    first, second = await endpoint.connect(1.0), await endpoint.connect(1.0)
    answered(first)
    answered(second)
    second.transport.close()

    assert endpoint.idle_connection() is first


async def test_connection_that_was_lost_is_forgotten(endpoint):
    connection = await endpoint.connect(1.0)
    answered(connection)
    connection.connection_lost(None)

    assert endpoint.idle_connection() is None


async def test_lost_connection_that_was_not_idle_is_nothing_to_forget(endpoint):
    connection = await endpoint.connect(1.0)
    connection.connection_lost(None)

    assert endpoint.idle_connection() is None


async def test_closing_takes_the_idle_now_and_the_busy_with_their_requests(endpoint):
    idle, busy = await endpoint.connect(1.0), await endpoint.connect(1.0)
    answered(idle)
    endpoint.close()
    before = (idle.is_open, busy.is_open)
    answered(busy)

    assert before == (False, True)
    assert not busy.is_open
    assert endpoint.idle_connection() is None
