"""Peers that neither read nor leave as they should, and what they must not do to others."""

import asyncio
import select
import ssl
import time

import pytest

from tests.functional.scripted import OK, PATIENCE_S, Upstream, request

LOOK_S = 0.005
SOON_S = 0.5
MANY_BYTES = 64 * 1024 * 1024
PIECE = bytes(64 * 1024)


def is_cut_off(stream):
    """Whether the kernel knows of the connection's end, though nobody reads."""
    poll = select.poll()
    poll.register(stream.transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))


async def is_soon_cut_off(stream):
    """Look for a while; nobody tells who does not read."""
    for _ in range(int(SOON_S / LOOK_S)):
        if is_cut_off(stream):
            return True
        await asyncio.sleep(LOOK_S)
    return False


async def fill(stream):
    """Send until the other end takes no more."""
    quiet = 0
    while quiet < 20:
        if stream.transport.get_write_buffer_size() < len(PIECE):
            stream.send(PIECE)
            quiet = 0
        quiet += 1
        await asyncio.sleep(LOOK_S)


@pytest.fixture
async def secret_upstream(certificates):
    """An upstream that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    async with Upstream(tls=context) as upstream:
        yield upstream


def trusting(certificates):
    """The line of a route that believes in the upstream's certificate."""
    return f'tls = {{ ca = "{certificates / "ca.crt"}" }}'


# --- An upstream that does not read


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
async def test_upstream_that_does_not_read_is_told_when_the_client_leaves(
    start, upstream, secret_upstream, certificates, is_tls
):
    target, route = (secret_upstream, trusting(certificates)) if is_tls else (upstream, "")
    gateway = await start(target, route=route)
    client = await gateway.connect()
    client.send(request("POST", "/", f"Content-Length: {MANY_BYTES}"))
    connection, _ = await target.asked()
    connection.transport.pause_reading()
    await fill(client)
    client.reset()
    await gateway.lines.next("request")

    assert await is_soon_cut_off(connection)


# --- A client that does not read


@pytest.mark.parametrize("waits", [False, True], ids=["in the flood", "before it"])
async def test_half_closed_client_that_does_not_read_is_let_go(start, upstream, waits):
    gateway = await start(upstream, is_tls=False, server='idle_timeout = "300ms"')
    client = await gateway.connect()
    client.transport.pause_reading()
    client.send(request("GET", "/"))
    connection, _ = await upstream.asked()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MANY_BYTES * 16)
    connection.send(head, PIECE)
    if not waits:
        await asyncio.sleep(0.05)
    client.transport.write_eof()
    flood = asyncio.get_running_loop().create_task(fill(connection))
    started = time.monotonic()

    await gateway.lines.next("request")
    assert time.monotonic() - started < PATIENCE_S / 2
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "request"]
    flood.cancel()
    await asyncio.gather(flood, return_exceptions=True)


# --- An upstream that speaks first


async def test_upstream_that_speaks_unasked_over_tls_is_never_believed(
    start, secret_upstream, certificates
):
    gateway = await start(secret_upstream, route=trusting(certificates))
    client = await gateway.connect()
    client.send(request("GET", "/1"))
    connection, _ = await secret_upstream.asked()
    connection.send(OK)
    assert (await client.answer()).body == b"ok"

    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    await connection.gone()
    client.send(request("GET", "/2"))
    fresh, _ = await secret_upstream.asked()
    fresh.send(OK)
    assert (await client.answer()).body == b"ok"
