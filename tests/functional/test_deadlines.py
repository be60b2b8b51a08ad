"""Nobody may take for ever: not to shake hands, to ask, to send or to answer."""

import asyncio

import pytest

from tests.functional.scripted import OK, Client, Cut, Message, request

QUICK = 'header_timeout = "300ms"'
PACE_S = 0.02


async def drip(stream, data, pace_s=PACE_S):
    """Send a byte now and then, until the other end has had enough."""
    for byte in data:
        if stream.transport.is_closing():
            return
        stream.send(bytes([byte]))
        await asyncio.sleep(pace_s)


async def others_time_is_up(gateway, times):
    """Wait until the gateway has closed so many connections on which nobody asked, in turn.

    What had begun before has then outlasted the deadline so many times.
    """
    for _ in range(times):
        await (await gateway.connect()).gone()


@pytest.fixture
async def dripping():
    """Starts drips that end with the test."""
    tasks = []

    def start_(stream, data):
        tasks.append(asyncio.get_running_loop().create_task(drip(stream, data)))

    yield start_
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# --- Clients


async def test_handshake_that_never_begins(start, willing):
    gateway = await start(willing, server=QUICK)
    client = Client(*await asyncio.open_connection("127.0.0.1", gateway.port))
    gateway.clients.append(client)

    assert 0.2 < await client.gone() < 2


async def test_client_that_never_asks_is_closed_without_a_word(start, willing):
    gateway = await start(willing, server=QUICK)
    client = await gateway.connect()

    assert await client.rest() == b""


async def test_half_a_head_is_a_408(start, willing):
    gateway = await start(willing, server=QUICK)
    client = await gateway.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Half")
    answer = await client.answer()

    assert (answer.status, answer.value("connection")) == (408, "close")
    assert answer.json == {"error": "request_timeout"}
    assert await client.rest() == b""


async def test_dripping_head_gets_no_extra_time(start, willing, dripping):
    gateway = await start(willing, server=QUICK)
    client = await gateway.connect()
    dripping(client, request("GET", "/", "X-Long: " + "a" * 2000))

    assert (await client.answer()).status == 408
    assert (await gateway.lines.next("request"))["status"] == 408


async def test_second_heads_time_begins_with_its_first_byte(start, willing):
    gateway = await start(willing, server=f'{QUICK}\nidle_timeout = "60s"')
    client = await gateway.connect()
    await client.ask("GET", "/")
    client.send(b"GET / HTT")

    assert (await client.answer()).status == 408


async def test_idle_connection_is_closed_without_a_word(start, willing):
    gateway = await start(willing, server='idle_timeout = "300ms"')
    client = await gateway.connect()
    await client.ask("GET", "/")

    assert 0.2 < await client.gone() < 2
    assert len(gateway.lines.of("request")) == 1


async def test_busy_connection_is_not_idle(start, upstream):
    gateway = await start(upstream, server='idle_timeout = "100ms"\nheader_timeout = "100ms"')
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    await others_time_is_up(gateway, 3)
    connection.send(OK)

    assert (await client.answer()).status == 200


async def test_body_that_stalls_is_a_408_and_ends_the_upstreams_request(start, upstream):
    gateway = await start(upstream, server=QUICK)
    client = await gateway.connect()
    client.send(request("POST", "/", "Content-Length: 10"), b"half")
    connection, _ = await upstream.asked()
    answer = await client.answer()
    await connection.gone()

    assert (answer.status, answer.value("connection")) == (408, "close")


async def test_body_that_stalls_after_the_answer_began_cuts_it(start, upstream):
    gateway = await start(upstream, server=QUICK)
    client = await gateway.connect()
    client.send(request("POST", "/", "Content-Length: 10"), b"half")
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    await client.head()
    await client.exactly(4)

    with pytest.raises(Cut):
        await client.exactly(6)
    await connection.gone()


async def test_body_that_nobody_reads_has_all_the_time(start, upstream):
    # The upstream is slow here, not the client.
    gateway = await start(upstream, server=QUICK)
    client = await gateway.connect()
    body = bytes(16 * 1024 * 1024)
    client.send(request("POST", "/", body=body))
    connection, _ = await upstream.asked()
    await others_time_is_up(gateway, 2)
    arrived = await connection.exactly(len(body))
    connection.send(OK)

    assert arrived == body
    assert (await client.answer()).status == 200


# --- Upstreams

SILENCE = 'read_timeout = "300ms"'


async def test_silent_upstream_is_a_504(start, upstream):
    gateway = await start(upstream, route=SILENCE)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    answer = await client.answer()
    await connection.gone()

    assert (answer.status, answer.json) == (504, {"error": "upstream_timeout"})
    assert len(upstream.connections) == 1
    assert (await client.ask("GET", "/nowhere", key="wrong")).status == 401


async def test_dripping_head_of_an_answer_gets_no_extra_time(start, upstream, dripping):
    gateway = await start(upstream, route=SILENCE)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    dripping(connection, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2000)

    assert (await client.answer()).status == 504


async def test_silence_in_an_answer_cuts_it(start, upstream):
    gateway = await start(upstream, route=SILENCE)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    await client.head()
    await client.chunk()

    with pytest.raises(Cut):
        await client.chunked()
    await connection.gone()
    assert (await gateway.lines.next("request"))["aborted"] is True


async def test_each_byte_of_an_answer_buys_time(start, upstream):
    gateway = await start(upstream, route='read_timeout = "600ms"')
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
    await drip(connection, b"x" * 8, 0.15)

    assert (await client.answer()).body == b"x" * 8


async def test_slow_upload_does_not_count_as_silence(start, upstream):
    gateway = await start(upstream, route='read_timeout = "600ms"')
    client = await gateway.connect()
    client.send(request("POST", "/", "Content-Length: 8"))
    connection, _ = await upstream.asked()
    await drip(client, b"x" * 8, 0.15)
    await connection.exactly(8)
    connection.send(OK)

    assert (await client.answer()).status == 200


@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["none", "100"])
async def test_client_that_does_not_send_is_not_the_upstreams_silence(start, upstream, interim):
    # Three such clients would else take a healthy upstream from everybody.
    gateway = await start(upstream, route='read_timeout = "100ms"')
    client = await gateway.connect()
    client.send(request("POST", "/", "Content-Length: 8"), b"half")
    connection, _ = await upstream.asked()
    connection.send(interim)
    await asyncio.sleep(0.4)  # a deadline that must not strike tells nothing
    client.send(b"half")
    assert await connection.exactly(8) == b"halfhalf"
    connection.send(OK)
    answer = await client.answer()

    assert (answer.status if not interim else (await client.answer()).status) == 200


async def test_client_that_does_not_read_is_not_the_upstreams_silence(start, upstream):
    gateway = await start(upstream, route='read_timeout = "200ms"', server=QUICK)
    client = await gateway.connect()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    body = bytes(32 * 1024 * 1024)
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)
    head = Message(await client.head())
    await others_time_is_up(gateway, 3)

    assert head.status == 200
    assert len(await client.exactly(len(body))) == len(body)
