"""WebSockets and other changes of protocol: checked like a request, then bytes both ways."""

import asyncio
import ssl
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web

from pyproxy.wire.websocket import close_frame
from tests.functional.scripted import (
    HOST,
    KEY,
    OK,
    PATIENCE_S,
    Cut,
    Message,
    Upstream,
    request,
    trust_in,
)
from tests.waiting import turns

ASKS = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: WebSocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
]
TOOK = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
GRANTED = TOOK + b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
HELLO = b"\x81\x05hello"
MASKED = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
BIG = 8 * 1024 * 1024
# What sockets, transports and TLS between two ends may hold; far from what is sent.
HELD = 24 * 1024 * 1024


async def handshake(gateway, upstream, *lines, asks=ASKS, granted=GRANTED):
    """A tunnel: the client, the upstream's connection, the head it got, the 101."""
    client = await gateway.connect()
    client.send(request("GET", "/chat?a=b", *asks, *lines))
    connection, head = await upstream.asked()
    connection.send(granted)
    answer = Message(await client.head())
    assert answer.status == 101
    return client, connection, Message(head), answer


@pytest.fixture
async def encrypted(certificates, authority):
    """An upstream that speaks TLS, and the lines of a route that trusts it."""
    issued = authority.issue_cert(HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    async with Upstream(tls=context) as upstream:
        yield upstream, f'tls = {{ ca = "{certificates}/ca.crt" }}'


# --- The handshake


async def test_handshake_reaches_the_upstream_and_its_answer_the_client(start, upstream):
    gateway = await start(upstream)
    _, _, head, answer = await handshake(gateway, upstream, "Sec-WebSocket-Protocol: chat, soap")

    assert head.start == b"GET /chat?a=b HTTP/1.1"
    assert [head.value("upgrade"), head.value("connection")] == ["WebSocket", "Upgrade"]
    assert head.value("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ=="
    assert head.value("sec-websocket-version") == "13"
    assert head.value("sec-websocket-extensions").startswith("permessage-deflate; client_max")
    assert head.value("sec-websocket-protocol") == "chat, soap"
    assert answer.start == b"HTTP/1.1 101 Switching Protocols"
    assert [answer.value("upgrade"), answer.value("connection")] == ["websocket", "Upgrade"]
    assert answer.value("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert answer.value("content-length") is answer.value("transfer-encoding") is None


@pytest.mark.parametrize("key", [None, "pyp_nobodys-key"], ids=["no key", "wrong key"])
async def test_stranger_gets_no_tunnel(start, upstream, key):
    gateway = await start(upstream)
    answer = await gateway.ask("GET", "/chat", *ASKS, key=key)

    assert answer.status == 401
    assert not upstream.connections


@pytest.mark.parametrize(
    ("route", "offered", "passes"),
    [
        pytest.param("", "realtime, openai-insecure-api-key.KEY, b.v1", "realtime, b.v1", id="own"),
        pytest.param("", "openai-insecure-api-key.KEY", None, id="own alone"),
        pytest.param("", "a.KEY, openai-insecure-api-key.KEY", None, id="hidden in another"),
        pytest.param(
            'credential = { header = "Authorization", value = "Bearer theirs" }',
            "realtime, openai-insecure-api-key.KEY, b.v1",
            "realtime, b.v1",
            id="injected",
        ),
    ],
)
async def test_key_among_sub_protocols_does_not_travel(start, upstream, route, offered, passes):
    gateway = await start(upstream, route=route)
    client = await gateway.connect()
    offers = f"Sec-WebSocket-Protocol: {offered.replace('KEY', KEY)}"
    client.send(request("GET", "/chat", *ASKS, offers, key=None))
    connection, head = await upstream.asked()
    connection.send(TOOK + b"Sec-WebSocket-Protocol: realtime\r\n\r\n")
    answer = Message(await client.head())

    assert Message(head).value("sec-websocket-protocol") == passes
    assert answer.value("sec-websocket-protocol") == "realtime"


async def test_strangers_key_among_sub_protocols_does_not_stand_beside_the_injected(
    start, upstream
):
    gateway = await start(
        upstream,
        route='credential = { header = "Authorization", value = "Bearer theirs" }\nauth=[]',
    )
    _, _, head, _ = await handshake(
        gateway, upstream, "Sec-WebSocket-Protocol: chat, openai-insecure-api-key.sk-foreign"
    )

    assert head.value("sec-websocket-protocol") == "chat"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                      "HTTP2-Settings: AAMAAABk"], id="h2c"),
        pytest.param(["Connection: Upgrade", "Upgrade: websocket, h2c"], id="h2c beside another"),
        pytest.param(["Connection: Upgrade", "Upgrade: websocket", "Upgrade: H2C"], id="two lines"),
        pytest.param(["Connection: Upgrade", "Upgrade: HTTP/2.0"], id="HTTP/2.0"),
        pytest.param(["Connection: Upgrade", "Upgrade: TLS/1.0"], id="TLS/1.0"),
        pytest.param(["Upgrade: websocket"], id="Connection does not name it"),
        pytest.param(["Connection: upgrade"], id="no Upgrade"),
        pytest.param(["Connection: Upgrade", "Upgrade: web socket"], id="no token"),
        pytest.param(["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 2"], id="body"),
    ],
)  # fmt: skip
async def test_what_asks_for_no_tunnel_goes_up_as_an_ordinary_request(start, upstream, lines):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/", *lines), b"ok" if "Content-Length: 2" in lines else b"")
    connection, head = await upstream.asked()
    connection.send(OK)

    assert (await client.answer()).status == 200
    assert Message(head).value("upgrade") is Message(head).value("connection") is None
    assert Message(head).value("http2-settings") is None


@pytest.mark.parametrize(
    ("asks", "head"),
    [
        pytest.param([], GRANTED, id="nobody asked"),
        pytest.param(ASKS, GRANTED.replace(b"websocket", b"h2c"), id="another protocol"),
        pytest.param(ASKS, GRANTED.replace(b"websocket", b"websocket, h2c"), id="one more"),
        pytest.param(ASKS, b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="no fields"),
        pytest.param(ASKS, GRANTED.replace(b"Connection: upgrade\r\n", b""), id="no Connection"),
        pytest.param(ASKS, GRANTED.replace(b"HTTP/1.1", b"HTTP/1.0"), id="HTTP/1.0"),
    ],
)
async def test_wrong_101_is_a_bad_gateway(start, upstream, asks, head):
    gateway = await start(upstream, route="retries = 0")
    client = await gateway.connect()
    client.send(request("GET", "/", *asks))
    connection, _ = await upstream.asked()
    connection.send(head)

    assert (await client.answer()).status == 502
    assert await connection.gone() < 0.5


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"426 Upgrade Required", b"200 OK"])
async def test_after_a_refused_handshake_the_next_bytes_are_a_request(start, upstream, status):
    """CVE-2026-69243: what follows must not pass as if the tunnel stood."""
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(
        request("GET", "/chat", *ASKS), request("GET", "/hidden", key=None), HELLO, b"\r\n\r\n"
    )
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 ", status, b"\r\nContent-Length: 2\r\n\r\nno")
    first, second, third = await client.answer(), await client.answer(), await client.answer()

    assert first.start == b"HTTP/1.1 " + status
    assert first.body == b"no"
    assert [second.status, third.status] == [401, 400]
    assert b"/hidden" not in upstream.received
    assert HELLO not in upstream.received


async def test_handshake_is_sent_anew_over_a_connection_that_went_stale(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    first, _ = await upstream.asked()
    first.send(OK)
    await client.answer()
    client.send(request("GET", "/chat", *ASKS))
    await first.head()
    first.reset()
    second, _ = await upstream.asked()
    second.send(GRANTED)

    assert Message(await client.head()).status == 101


async def test_early_bytes_wait_for_the_tunnel(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/chat", *ASKS), MASKED)
    connection, _ = await upstream.asked()
    client.send(MASKED)
    connection.send(GRANTED, HELLO)

    assert await connection.exactly(2 * len(MASKED)) == 2 * MASKED
    assert Message(await client.head()).status == 101
    assert await client.exactly(len(HELLO)) == HELLO


async def test_more_early_bytes_than_are_held_arrive_too(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/chat", *ASKS), b"x" * BIG)
    connection, _ = await upstream.asked()
    connection.send(GRANTED)

    assert await connection.exactly(BIG) == b"x" * BIG


# --- The tunnel


@pytest.mark.parametrize("is_tls", [True, False], ids=["TLS", "plain"])
async def test_bytes_pass_both_ways_untouched(start, upstream, is_tls):
    gateway = await start(upstream, is_tls=is_tls)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.send(MASKED)
    connection.send(HELLO)
    ping = b"\x89\x84\x01\x02\x03\x04ping"

    assert await connection.exactly(len(MASKED)) == MASKED
    assert await client.exactly(len(HELLO)) == HELLO
    client.send(ping)
    assert await connection.exactly(len(ping)) == ping


async def test_another_protocol_passes_too(start, upstream):
    gateway = await start(upstream)
    client, connection, head, answer = await handshake(
        gateway,
        upstream,
        asks=["Connection: upgrade", "Upgrade: foo/2, bar"],
        granted=b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: Foo/2\r\n\r\n\0\1\2",
    )
    client.send(b"\xff\xfe")

    assert head.value("upgrade") == "foo/2, bar"
    assert answer.value("upgrade") == "Foo/2"
    assert await client.exactly(3) == b"\0\1\2"
    assert await connection.exactly(2) == b"\xff\xfe"


async def test_both_speak_tls_and_8_mib_pass_both_ways(start, encrypted):
    upstream, route = encrypted
    gateway = await start(upstream, route=route)
    client, connection, _, _ = await handshake(gateway, upstream)
    up, down = b"u" * BIG, b"d" * BIG
    client.send(up)
    connection.send(down)
    got_up, got_down = await asyncio.gather(connection.exactly(BIG), client.exactly(BIG))

    assert got_up == up
    assert got_down == down


async def test_record_is_written_when_the_tunnel_ends(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.send(MASKED)
    await connection.exactly(len(MASKED))
    connection.send(HELLO, HELLO)
    await client.exactly(2 * len(HELLO))
    before = gateway.lines.of("request")
    client.close()
    record = await gateway.lines.next("request")

    assert before == []
    assert (record["status"], record["user"], record["path"]) == (101, "alice", "/chat")
    assert (record["bytes_in"], record["bytes_out"]) == (len(MASKED), 2 * len(HELLO))
    assert not record["aborted"]
    assert gateway.lines.of("auth.ok")


async def test_tunnel_occupies_its_place(start, upstream):
    gateway = await start(upstream, route="max_concurrent = 1")
    client, _, _, _ = await handshake(gateway, upstream)
    second = await gateway.ask("GET", "/chat", *ASKS)
    client.close()
    await gateway.lines.next("request", 2)
    third, _, _, _ = await handshake(gateway, upstream)

    assert second.status == 429
    assert third.transport


# --- Ends


async def test_client_that_leaves_takes_the_upstream_with_it(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.send(MASKED)
    client.close()

    assert await connection.gone() < 0.5
    assert bytes(connection.received).endswith(MASKED)


async def test_client_that_is_cut_off_resets_the_upstream(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.reset()

    with pytest.raises(Cut) as caught:
        await connection.exactly(1)
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    assert (await gateway.lines.next("request"))["aborted"]


async def test_tls_that_ends_without_farewell_is_a_cut(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.transport.abort()

    with pytest.raises(Cut) as caught:
        await connection.exactly(1)
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    assert (await gateway.lines.next("request"))["aborted"]


async def test_tls_that_ends_so_after_a_close_frame_is_none(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.send(close_frame(1000, b"mask"))
    await connection.exactly(8)
    client.transport.abort()

    assert await connection.rest() == b""
    assert not (await gateway.lines.next("request"))["aborted"]


async def test_upstream_that_dies_cuts_the_client(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    connection.reset()

    with pytest.raises(Cut):
        await client.exactly(1)
    record = await gateway.lines.next("request")
    assert record["aborted"]
    assert (await gateway.lines.next("upstream.failed"))["code"] == "upstream_unreachable"


async def test_close_of_the_upstream_arrives_before_its_end(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    farewell = b"\x88\x0b\x0f\xa2reason"
    connection.send(farewell)
    connection.close()

    assert await client.rest() == farewell
    assert not (await gateway.lines.next("request"))["aborted"]


async def test_plain_connections_end_one_direction_at_a_time(start, upstream):
    gateway = await start(upstream, is_tls=False)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.send(b"question")
    client.transport.write_eof()
    asked = await connection.rest()
    connection.send(b"answer", b"!" * BIG)
    connection.transport.write_eof()
    answered = await client.rest()

    assert asked == b"question"
    assert answered == b"answer" + b"!" * BIG
    assert not (await gateway.lines.next("request"))["aborted"]


async def test_silence_from_both_sides_ends_the_tunnel(start, upstream):
    gateway = await start(upstream, route='read_timeout = "300ms"', server='header_timeout = "1s"')
    client, connection, _, _ = await handshake(gateway, upstream)
    started = asyncio.get_running_loop().time()
    with pytest.raises(Cut):
        await client.exactly(1)
    took = asyncio.get_running_loop().time() - started

    assert 0.25 < took < 2.0
    assert await connection.gone() < 0.5
    assert (await gateway.lines.next("request"))["aborted"]


async def test_one_side_that_speaks_keeps_the_tunnel(start, upstream):
    gateway = await start(
        upstream, route='read_timeout = "400ms"', server='header_timeout = "300ms"'
    )
    client, connection, _, _ = await handshake(gateway, upstream)
    for _ in range(8):
        client.send(b"\x89\x80mask")
        assert await connection.exactly(6) == b"\x89\x80mask"
        await asyncio.sleep(0.15)  # a client that sends 40 bytes a second, for longer than both

    connection.send(HELLO)
    assert await client.exactly(len(HELLO)) == HELLO


# --- Back-pressure


async def fill(stream, most):
    """Send until the other end takes no more; how much that was."""
    sent = 0
    with suppress(OSError):  # a time-out too
        while sent < most:
            stream.send(b"b" * 65536)
            sent += 65536
            async with asyncio.timeout(0.5):
                await stream.drain()
    return sent


async def test_client_that_does_not_read_holds_the_upstream(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    client.transport.pause_reading()
    sent = await fill(connection, 64 * 1024 * 1024)
    client.transport.resume_reading()

    assert sent < HELD
    assert await client.exactly(sent) == b"b" * sent


async def test_upstream_that_does_not_read_holds_the_client(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    connection.transport.pause_reading()
    sent = await fill(client, 64 * 1024 * 1024)
    connection.transport.resume_reading()

    assert sent < HELD
    assert await connection.exactly(sent) == b"b" * sent


async def test_client_that_does_not_read_is_cut_in_the_end(start, upstream):
    gateway = await start(upstream, server='idle_timeout = "500ms"')
    client, connection, _, _ = await handshake(gateway, upstream)
    client.transport.pause_reading()
    await fill(connection, 64 * 1024 * 1024)

    assert await connection.gone() < 2.0
    assert (await gateway.lines.next("request"))["aborted"]


async def test_reset_of_a_client_that_is_held_back_is_seen(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    connection.transport.pause_reading()
    await fill(client, 64 * 1024 * 1024)
    client.reset()
    record = await gateway.lines.next("request")

    assert record["aborted"]


# --- Draining


async def test_drain_says_going_away_to_both_sides(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    finishing = asyncio.get_running_loop().create_task(gateway.worker.finish(5.0, is_hasty=True))
    to_client = await client.exactly(4)
    to_upstream = await connection.exactly(8)
    client.send(close_frame(1001, b"mask"))
    connection.send(close_frame(1001))
    started = asyncio.get_running_loop().time()
    rest = await client.rest()
    await finishing

    assert to_client == b"\x88\x02\x03\xe9"
    assert to_upstream[:2] == b"\x88\x82"
    assert (
        bytes(a ^ b for a, b in zip(to_upstream[6:], to_upstream[2:], strict=False)) == b"\x03\xe9"
    )
    assert rest == b""
    assert asyncio.get_running_loop().time() - started < 0.8
    assert not (await gateway.lines.next("request"))["aborted"]


async def test_worker_that_leaves_says_so_too(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    finishing = asyncio.get_running_loop().create_task(gateway.worker.finish(5.0, is_hasty=False))

    assert await client.rest() == b"\x88\x02\x03\xe9"
    assert len(await connection.rest()) == 8
    await finishing


async def test_drain_waits_for_the_end_of_a_frame(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(gateway, upstream)
    connection.send(HELLO[:4])
    await client.exactly(4)
    finishing = asyncio.get_running_loop().create_task(gateway.worker.finish(5.0, is_hasty=True))
    await connection.exactly(8)
    connection.send(HELLO[4:], HELLO)

    assert await client.rest() == HELLO[4:] + b"\x88\x02\x03\xe9"
    await finishing


async def test_drain_cuts_another_protocol_when_it_is_over(start, upstream):
    gateway = await start(upstream)
    client, connection, _, _ = await handshake(
        gateway,
        upstream,
        asks=["Connection: upgrade", "Upgrade: foo"],
        granted=b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
    )
    finishing = asyncio.get_running_loop().create_task(gateway.worker.finish(0.5, is_hasty=True))
    client.send(b"still")

    assert await connection.exactly(5) == b"still"
    with pytest.raises(Cut):
        await client.exactly(1)
    await finishing


async def test_tunnel_that_is_opened_while_draining_ends_at_once(start, upstream):
    gateway = await start(upstream)
    client = await gateway.connect()
    client.send(request("GET", "/chat", *ASKS))
    connection, _ = await upstream.asked()
    finishing = asyncio.get_running_loop().create_task(gateway.worker.finish(5.0, is_hasty=True))
    await turns(1)
    connection.send(GRANTED)

    assert Message(await client.head()).status == 101
    assert await client.exactly(4) == b"\x88\x02\x03\xe9"
    await finishing


# --- A real client and a real server


async def _serve(asked):
    ws = web.WebSocketResponse(protocols=["realtime"], max_msg_size=0)
    await ws.prepare(asked)
    async for message in ws:
        if message.data == "bye":
            await ws.close(code=4001, message=b"as you like")
        elif message.type == aiohttp.WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    return ws


@pytest.fixture
async def echo():
    """A server of aiohttp's that says what it hears; its URL."""
    app = web.Application()
    app.router.add_get("/{any:.*}", _serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    yield f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("compress", [0, 15], ids=["plain", "permessage-deflate"])
async def test_aiohttp_talks_to_aiohttp(start, echo, certificates, compress):
    gateway = await start(echo)
    url = f"https://localhost:{gateway.port}/v1/realtime?model=m"
    offers = ["realtime", f"openai-insecure-api-key.{KEY}"]
    big = bytes(range(256)) * (BIG // 256)
    async with (
        asyncio.timeout(4 * PATIENCE_S),
        aiohttp.ClientSession() as session,
        session.ws_connect(
            url, ssl=trust_in(certificates), protocols=offers, compress=compress, max_msg_size=0
        ) as ws,
    ):
        await ws.send_str("hällo")
        text = await ws.receive_str()
        await ws.send_bytes(big)
        binary = await ws.receive_bytes()
        await ws.ping(b"ping")
        await ws.send_str("bye")
        last = await ws.receive()

    assert ws.protocol == "realtime"
    assert ws.compress == compress
    assert text == "hällo"
    assert binary == big
    assert (last.type, last.data, last.extra) == (aiohttp.WSMsgType.CLOSE, 4001, "as you like")
