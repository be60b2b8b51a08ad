"""Bytes leave as they come, in bounded memory, and a broken stream ends broken."""

import asyncio
import hashlib
import socket
import ssl
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.functional.scripted import (
    HOST,
    KEY,
    OK,
    OTHER_KEY,
    Cut,
    Message,
    Upstream,
    hashed,
    request,
)

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
SOON_S = 0.5
STALL_S = 0.5
# What lies in a socket at so many looks in a row stays there.
LOOKS = 10
LOOK_S = 0.005
MANY_BYTES = 64 * 1024 * 1024
PIECE = bytes(256 * 1024)
# Socket buffers of four sockets and the gateway's own; what must never grow with the body.
BOUND_BYTES = 24 * 1024 * 1024


def chunk(text):
    return b"%x\r\n%b\r\n" % (len(text), text)


async def streaming(gateway, upstream, asked=None):
    """A client in the middle of a stream, and the upstream's end of it."""
    client = await gateway.connect()
    client.send(asked or request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(CHUNKED, chunk(b"data: 1\n\n"))
    await client.head()
    assert await client.chunk() == b"data: 1\n\n"
    return client, connection


def upload(length):
    """The head of a POST with so long a body."""
    return request("POST", "/", f"Content-Length: {length}")


async def sent_until_stalled(stream):
    """Send until no more is taken, and say how much was."""
    sent = 0
    with suppress(TimeoutError):
        while sent < MANY_BYTES:
            stream.send(PIECE)
            sent += len(PIECE)
            async with asyncio.timeout(STALL_S):
                await stream.drain()
    return sent


async def send_the_rest(stream, sent):
    """Send what is missing to ``MANY_BYTES``."""
    while sent < MANY_BYTES:
        stream.send(PIECE)
        sent += len(PIECE)
        await stream.sent()


def queued(sender, receiver):
    """Bytes that are on their way between two ports of this machine: unsent, and unread."""
    ends = (f":{sender:04X}", f":{receiver:04X}")
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    queues = {(local[-5:], remote[-5:]): queue for _, local, remote, _, queue, *_ in sockets}
    return [int(queues[pair].split(":")[at], 16) for at, pair in enumerate((ends, ends[::-1]))]


async def held_back(gateway, client):
    """Send until the gateway leaves what arrives in its socket, and everything has arrived."""
    port = client.transport.get_extra_info("sockname")[1]
    looks = 0
    while looks < LOOKS:
        unsent, unread = queued(port, gateway.port)
        looks = looks + 1 if unread and not unsent else 0
        if not unread:
            client.send(PIECE[:65536])
            await client.sent()
        await asyncio.sleep(LOOK_S)


# --- As they come


async def test_each_event_arrives_before_the_next_is_sent(start, upstream):
    gateway = await start(upstream)
    client, connection = await streaming(gateway, upstream)
    for i in range(20):
        connection.send(chunk(b"data: %d\n\n" % i))

        assert await client.chunk() == b"data: %d\n\n" % i
    connection.send(b"0\r\n\r\n")
    assert await client.chunked() == (b"", b"")


async def test_head_arrives_before_the_body(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(CHUNKED)

    assert Message(await client.head()).value("content-type") == "text/event-stream"


async def test_upload_arrives_while_it_is_sent(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(upload(20))
    connection, _ = await upstream.asked()
    for i in range(10):
        client.send(b"%02d" % i)

        assert await connection.exactly(2) == b"%02d" % i
    connection.send(OK)
    assert (await client.answer()).status == 200


async def test_both_directions_at_once(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/", "Transfer-Encoding: chunked"), chunk(b"a"))
    connection, _ = await upstream.asked()
    connection.send(CHUNKED)
    await client.head()
    for text in (b"b", b"c", b"d"):
        connection.send(chunk(text))
        assert await client.chunk() == text
        client.send(chunk(text))
    client.send(b"0\r\n\r\n")
    content, _ = await connection.chunked()
    connection.send(b"0\r\n\r\n")

    assert content == b"abcd"
    assert await client.chunked() == (b"", b"")


async def test_fifty_streams_do_not_mix(start, upstream):
    gateway = await start(upstream)
    pairs = [await streaming(gateway, upstream) for _ in range(50)]
    for i, (_, connection) in enumerate(pairs):
        connection.send(chunk(b"%d" % i), b"0\r\n\r\n")

    assert [await client.chunk() for client, _ in pairs] == [b"%d" % i for i in range(50)]


async def test_large_bodies_stay_whole(start, upstream):
    gateway = await start(upstream)
    body = bytes(range(256)) * 32 * 1024
    client = await gateway.connect()
    client.send(request("POST", "/", body=body))
    connection, _ = await upstream.asked()
    arrived = await connection.exactly(len(body))
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), arrived)
    answer = await client.answer()

    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()


# --- Bounded memory


async def test_client_that_does_not_read_holds_the_upstream_back(start, upstream):
    gateway = await start(upstream, server='idle_timeout = "30s"')
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MANY_BYTES)
    taken = await sent_until_stalled(connection)
    async with asyncio.TaskGroup() as group:
        group.create_task(send_the_rest(connection, taken))
        answer = await client.answer()

    assert taken < BOUND_BYTES
    assert len(answer.body) == MANY_BYTES


async def test_upstream_that_does_not_read_holds_the_client_back(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(upload(MANY_BYTES))
    connection, _ = await upstream.asked()
    taken = await sent_until_stalled(client)
    async with asyncio.TaskGroup() as group:
        group.create_task(send_the_rest(client, taken))
        body = await connection.exactly(MANY_BYTES)
    connection.send(OK)

    assert taken < BOUND_BYTES
    assert len(body) == MANY_BYTES
    assert (await client.answer()).status == 200


async def test_client_that_never_reads_is_given_up(start, upstream):
    gateway = await start(upstream, server='idle_timeout = "300ms"')
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MANY_BYTES, bytes(MANY_BYTES)
    )
    await connection.gone()

    assert (await gateway.lines.next("request"))["aborted"] is True


# --- The client leaves


@pytest.mark.parametrize("leave", ["close", "reset"])
class TestClientLeaves:
    """The upstream hears of it at once, so that it stops to work."""

    async def test_before_the_first_byte(self, start, upstream, leave):
        gateway = await start(upstream)
        client = await gateway.connect()
        client.send(request("GET", "/"))
        connection, _ = await upstream.asked()
        getattr(client, leave)()

        assert await connection.gone() < SOON_S
        assert (await gateway.lines.next("request"))["status"] == 499

    async def test_in_the_middle_of_a_stream(self, start, upstream, leave):
        gateway = await start(upstream)
        client, connection = await streaming(gateway, upstream)
        getattr(client, leave)()

        assert await connection.gone() < SOON_S
        line = await gateway.lines.next("request")
        assert (line["status"], line["aborted"]) == (200, True)

    async def test_in_the_middle_of_an_upload(self, start, upstream, leave):
        gateway = await start(upstream)
        client = await gateway.connect()
        client.send(upload(1000), b"half")
        connection, _ = await upstream.asked()
        await connection.exactly(4)
        getattr(client, leave)()

        assert await connection.gone() < SOON_S

    async def test_while_its_upload_is_held_back(self, start, upstream, leave):
        # Nothing is read from the client then, and so no end of its connection either.
        # (Over TLS this client does not close before it has read our farewell.)
        gateway = await start(upstream, is_tls=leave == "reset")
        client = await gateway.connect()
        client.send(upload(MANY_BYTES))
        connection, _ = await upstream.asked()
        await held_back(gateway, client)
        left_at = time.monotonic()
        getattr(client, leave)()
        line = await gateway.lines.next("request")

        assert time.monotonic() - left_at < SOON_S
        assert (line["status"], line["aborted"]) == (499, False)
        await connection.gone()
        assert len(connection.received) < MANY_BYTES

    async def test_without_reading(self, start, upstream, leave):
        gateway = await start(upstream)
        client, connection = await streaming(gateway, upstream)
        connection.send(chunk(bytes(MANY_BYTES)))
        await client.exactly(1)
        getattr(client, leave)()

        assert await connection.gone() < SOON_S

    async def test_in_the_middle_of_a_head(self, start, willing, leave):
        gateway = await start(willing)
        client = await gateway.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
        getattr(client, leave)()

        assert (await gateway.ask("GET", "/")).status == 200

    async def test_while_the_upstream_is_connected_to(self, start, leave):
        with silent_listener() as port:
            gateway = await start(f"http://{HOST}:{port}", route='connect_timeout = "60s"')
            client = await gateway.connect()
            client.send(request("GET", "/"))
            await gateway.lines.next("auth.ok")
            getattr(client, leave)()

            assert (await gateway.lines.next("request"))["status"] == 499


async def test_upload_that_ends_early_is_never_taken_for_whole(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("POST", "/", "Transfer-Encoding: chunked"), chunk(b"half"))
    connection, _ = await upstream.asked()
    client.close()
    await connection.gone()

    assert b"0\r\n\r\n" not in connection.received


# --- The upstream breaks off


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Hints\r\n\r\n"],
    ids=["nothing", "half", "1xx"],
)
async def test_upstream_that_leaves_before_its_head_is_a_502(start, upstream, leave, begun):
    gateway = await start(upstream, route='errors = "openai"')
    client = await gateway.connect()
    client.send(request("POST", "/", body=b"x"))
    connection, _ = await upstream.asked()
    await connection.exactly(1)
    if begun:
        connection.send(begun)
        await connection.sent()
    getattr(connection, leave)()
    answer = await client.answer()
    while answer.status == 103:
        answer = await client.answer()

    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_unreachable")
    assert len(upstream.connections) == 1


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", id="inside a length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", id="after the head"),
        pytest.param(CHUNKED + b"9\r\nhalf", id="inside a chunk"),
        pytest.param(CHUNKED + b"4\r\nhalf\r\n", id="between chunks"),
        pytest.param(CHUNKED + b"4\r\nhalf\r\n0\r\n", id="before the last line"),
        pytest.param(CHUNKED + b"4\r\nhalf\r\n0\r\nX-T: 1\r\n", id="inside the trailers"),
    ],
)
async def test_broken_answer_never_looks_complete(start, upstream, leave, begun):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(begun)
    head = Message(await client.head())
    getattr(connection, leave)()
    rest = client.chunked() if head.value("transfer-encoding") else client.exactly(9)
    with pytest.raises(Cut):
        await rest

    assert (await gateway.lines.next("request"))["aborted"] is True


async def test_reset_in_a_close_delimited_body_is_a_cut(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
    await client.head()
    await client.chunk()
    connection.reset()

    with pytest.raises(Cut):
        await client.chunked()


def _read_to_the_end(port, context):
    """What a plain blocking client reads, and whether the end was in order."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection((HOST, port), 5))
        if context is not None:
            secure = context.wrap_socket(
                sock, server_hostname="localhost", suppress_ragged_eofs=False
            )
            sock = stack.enter_context(secure)
        sock.sendall(request("GET", "/", version="1.0"))
        read = b""
        try:
            while piece := sock.recv(65536):
                read += piece
        except (ssl.SSLEOFError, ConnectionResetError):
            return read, False
        return read, True


@pytest.mark.parametrize("is_tls", [True, False], ids=["TLS", "plain"])
@pytest.mark.parametrize("leave", ["close", "reset"])
async def test_http_1_0_client_sees_the_cut_too(start, upstream, leave, is_tls):
    # Its answer has no framing: only the connection's end can say that it broke.
    gateway = await start(upstream, is_tls=is_tls)
    reading = asyncio.ensure_future(
        asyncio.to_thread(_read_to_the_end, gateway.port, gateway.trust)
    )
    connection, _ = await upstream.asked()
    connection.send(CHUNKED + chunk(b"half"))
    await connection.sent()
    getattr(connection, leave)()
    _, was_in_order = await reading

    assert not was_in_order


@pytest.mark.parametrize("is_tls", [True, False], ids=["TLS", "plain"])
async def test_http_1_0_client_sees_an_end_in_order(start, upstream, is_tls):
    gateway = await start(upstream, is_tls=is_tls)
    reading = asyncio.ensure_future(
        asyncio.to_thread(_read_to_the_end, gateway.port, gateway.trust)
    )
    connection, _ = await upstream.asked()
    connection.send(CHUNKED + chunk(b"all") + b"0\r\n\r\n")
    read, was_in_order = await reading

    assert read.endswith(b"\r\n\r\nall")
    assert was_in_order


# --- Answers before the request is whole


async def test_early_answer_reaches_a_client_that_is_still_sending(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(upload(900_000), bytes(400_000))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
    answer = await client.answer()
    client.send(bytes(400_000))

    assert (answer.status, answer.body, answer.value("connection")) == (413, b"big", "close")
    await connection.gone()
    assert await client.rest() == b""


async def test_connection_of_an_early_answer_is_not_used_again(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(upload(10), b"12345")
    connection, _ = await upstream.asked()
    connection.send(OK)
    await client.answer()
    client.send(b"GET / ", request("GET", "/2"))
    await connection.gone()
    other = await gateway.connect()
    other.send(request("GET", "/3"))
    fresh, head = await upstream.asked()
    fresh.send(OK)

    assert head.startswith(b"GET /3 ")
    assert (await other.answer()).status == 200
    assert b"/2" not in upstream.received


# --- Connections to the upstream


async def test_connections_are_kept_and_shared(start, upstream):
    gateway = await start(upstream)
    first, second = await gateway.connect(), await gateway.connect()
    first.send(request("GET", "/1"))
    connection, _ = await upstream.asked()
    connection.send(OK)
    await first.answer()
    second.send(request("POST", "/2", body=b"x", key=OTHER_KEY))
    head = await connection.head()
    await connection.exactly(1)
    connection.send(OK)

    assert head.startswith(b"POST /2 ")
    assert (await second.answer()).status == 200
    assert len(upstream.connections) == 1


async def kept(gateway, upstream):
    """A client, and a connection to the upstream that waits in the pool."""
    client = await gateway.connect()
    client.send(request("GET", "/warm"))
    connection, _ = await upstream.asked()
    connection.send(OK)
    await client.answer()
    return client, connection


@pytest.mark.parametrize("leave", ["close", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
async def test_stale_connection_costs_a_safe_request_nothing(start, upstream, method, leave):
    gateway = await start(upstream)
    client, stale = await kept(gateway, upstream)
    client.send(request(method, "/again"))
    await stale.head()
    getattr(stale, leave)()
    fresh, head = await upstream.asked()
    fresh.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert head.startswith(f"{method} /again ".encode())
    assert (await client.answer(method)).status == 200


@pytest.mark.parametrize(
    ("method", "body", "route"),
    [
        pytest.param("POST", b"", "", id="POST"),
        pytest.param("POST", b"body", "", id="POST with a body"),
        pytest.param("PATCH", b"", "", id="PATCH"),
        pytest.param("PUT", b"body", "", id="PUT with a body"),
        pytest.param("GET", b"", "retries = 0", id="retries switched off"),
    ],
)
async def test_request_that_may_not_be_repeated_is_sent_once(start, upstream, method, body, route):
    gateway = await start(upstream, route=route)
    client, stale = await kept(gateway, upstream)
    client.send(request(method, "/once", body=body))
    await stale.head()
    stale.reset()
    answer = await client.answer()

    assert answer.status == 502
    assert upstream.received.count(b" /once ") == 1
    assert len(upstream.connections) == 1


async def test_begun_answer_is_not_asked_for_again(start, upstream):
    gateway = await start(upstream)
    client, stale = await kept(gateway, upstream)
    client.send(request("GET", "/once"))
    await stale.head()
    stale.send(b"HTTP/1.1 200")
    await stale.sent()
    stale.close()

    assert (await client.answer()).status == 502
    assert upstream.received.count(b" /once ") == 1


async def test_second_failure_is_told(start, upstream):
    gateway = await start(upstream)
    client, stale = await kept(gateway, upstream)
    client.send(request("GET", "/again"))
    await stale.head()
    stale.close()
    fresh, _ = await upstream.asked()
    fresh.close()

    assert (await client.answer()).status == 502
    assert len(upstream.connections) == 2


async def test_connection_that_the_upstream_closed_is_not_used(start, upstream):
    gateway = await start(upstream)
    client, stale = await kept(gateway, upstream)
    stale.close()
    await stale.gone()
    client.send(request("POST", "/", body=b"x"))
    fresh, _ = await upstream.asked()
    await fresh.exactly(1)
    fresh.send(OK)

    assert (await client.answer()).status == 200


async def test_keep_alive_hint_is_heeded(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n")
    await client.answer()

    assert await connection.gone() < SOON_S


def unused_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def test_refused_connection_is_a_502(start):
    gateway = await start(f"http://{HOST}:{unused_port()}")
    answer = await gateway.ask("GET", "/")

    assert (answer.status, answer.json["error"]) == (502, "upstream_unreachable")


async def test_unknown_name_is_a_502(start):
    gateway = await start("http://nowhere.invalid")

    assert (await gateway.ask("GET", "/")).status == 502


class silent_listener:  # noqa: N801 - reads as what it is: a block with one in it
    """A port whose backlog is full, so that connecting to it takes for ever."""

    def __enter__(self):
        self._sockets = [socket.socket()]
        self._sockets[0].bind((HOST, 0))
        self._sockets[0].listen(0)
        port = self._sockets[0].getsockname()[1]
        for _ in range(8):
            self._sockets.append(socket.socket())
            self._sockets[-1].setblocking(False)
            self._sockets[-1].connect_ex((HOST, port))
        return port

    def __exit__(self, *_):
        for each in self._sockets:
            each.close()


async def test_connecting_that_takes_too_long_is_a_502(start):
    with silent_listener() as port:
        route = 'connect_timeout = "200ms"\nretries = 0'
        gateway = await start(f"http://{HOST}:{port}", route=route)

        assert (await gateway.ask("GET", "/")).status == 502


@pytest.mark.parametrize("balance", ["round-robin", "least-connections"])
async def test_dead_upstream_beside_a_living_one_is_not_noticed(start, willing, balance):
    dead = f"http://{HOST}:{unused_port()}"
    gateway = await start([dead, willing.url], route=f'balance = "{balance}"')
    answers = [await gateway.ask("POST", "/", body=b"x") for _ in range(6)]

    assert [answer.status for answer in answers] == [200] * 6


@pytest.mark.parametrize("balance", ["round-robin", "least-connections"])
async def test_two_upstreams_share_the_work(start, willing, balance):
    async with Upstream(OK) as other:
        gateway = await start([willing, other], route=f'balance = "{balance}"')
        client = await gateway.connect()
        for _ in range(10):
            await client.ask("GET", "/")

        assert [each.received.count(b"GET /") for each in (willing, other)] == [5, 5]


async def test_busy_upstream_gets_less(start, upstream):
    async with Upstream(OK) as other:
        gateway = await start([upstream, other])
        busy = await gateway.connect()
        client = await gateway.connect()
        while not upstream.connections:
            busy.send(request("GET", "/slow"))
            if not other.connections:
                await upstream.accepted()
            else:
                await busy.answer()
        for _ in range(6):
            await client.ask("GET", "/")

        assert other.received.count(b"GET / ") == 6


async def test_users_share_connections_and_nothing_else(start, upstream):
    gateway = await start(
        upstream,
        route='identity_header = "X-User"',
        keys_text=hashed("a", KEY) + hashed("b", OTHER_KEY),
    )
    client, connection = await kept(gateway, upstream)
    client.send(request("GET", "/2", key=OTHER_KEY))
    head = Message(await connection.head())
    connection.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n")
    await client.answer()
    client.send(request("GET", "/3"))
    after = Message(await connection.head())
    connection.send(OK)

    assert (head.value("x-user"), after.value("x-user")) == ("b", "a")
    assert after.value("cookie") is None
