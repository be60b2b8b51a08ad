"""Behind a balancer that says in a PROXY header whom a connection is from."""

import asyncio
import struct
from ipaddress import ip_address

import pytest

from pyproxy.cli.health import ask
from pyproxy.config.listener import ListenerSettings
from tests.functional.scripted import HOST, Client, Cut, running
from tests.waiting import turns

LISTENER = "proxy_protocol = true"
TRUSTED = 'trusted_proxies = ["127.0.0.1"]\nheader_timeout = "2s"'
LINE = b"PROXY TCP4 192.0.2.7 10.0.0.1 4096 443\r\n"
LINE_6 = b"PROXY TCP6 2001:db8::%d ::1 4096 443\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TCP4 = ip_address("192.0.2.7").packed + ip_address("10.0.0.1").packed + b"\x10\0\x01\xbb"


def block(content=b"", *, command=0x21, family=0x11, length=None):
    length = len(content) if length is None else length
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", length) + content


@pytest.fixture(params=[True, False], ids=["TLS", "plain"])
def is_tls(request):
    return request.param


async def introduced(gateway, *pieces):
    """A client behind a balancer that sends these pieces first, one at a time."""
    reader, writer = await asyncio.open_connection(HOST, gateway.port)
    for piece in pieces:
        writer.write(piece)
        await turns(1)
    if gateway.trust:
        await writer.start_tls(gateway.trust, server_hostname="localhost")
    client = Client(reader, writer)
    gateway.clients.append(client)
    return client


async def turned_away(gateway, data):
    """Whether nothing at all comes back; seconds until the connection was closed."""
    client = Client(*await asyncio.open_connection(HOST, gateway.port))
    client.send(data)
    seconds = await client.gone()
    client.close()
    assert client.received == b""
    return seconds


@pytest.mark.parametrize(
    ("header", "address"),
    [
        pytest.param(LINE, "192.0.2.7", id="v1"),
        pytest.param(LINE_6 % 7, "2001:db8::7", id="v1 IPv6"),
        pytest.param(b"PROXY UNKNOWN\r\n", HOST, id="v1 UNKNOWN"),
        pytest.param(block(TCP4), "192.0.2.7", id="v2"),
        pytest.param(block(TCP4 + b"\x20\x03\xe8" + bytes(1000)), "192.0.2.7", id="v2 extension"),
        pytest.param(block(command=0x20, family=0), HOST, id="v2 LOCAL"),
    ],
)
async def test_client_is_whom_the_header_names(start, willing, is_tls, header, address):
    gateway = await start(willing, is_tls=is_tls, listener=LISTENER, server=TRUSTED)
    client = await introduced(gateway, header)

    assert (await client.ask("GET", "/")).status == 200
    assert (await client.ask("GET", "/again")).status == 200
    assert (await gateway.lines.next("request"))["ip"] == address
    assert (await gateway.lines.next("request", 2))["ip"] == address
    assert f"\r\nX-Forwarded-For: {address}\r\n".encode() in willing.received


@pytest.mark.parametrize(
    "header",
    [b"PROXY UNKNOWN\r\n", block(command=0x20, family=0), block(family=0)],
    ids=["v1 UNKNOWN", "v2 LOCAL", "v2 UNSPEC"],
)
async def test_whom_nobody_names_cannot_name_itself(start, willing, header):
    gateway = await start(
        willing, listener=LISTENER, server=TRUSTED, route='allow_from = ["192.0.2.7/32"]'
    )
    client = await introduced(gateway, header)

    assert (await client.ask("GET", "/", "X-Forwarded-For: 192.0.2.7")).status == 403


@pytest.mark.parametrize("header", [LINE, block(TCP4)], ids=["v1", "v2"])
async def test_header_in_single_bytes(start, willing, is_tls, header):
    gateway = await start(willing, is_tls=is_tls, listener=LISTENER, server=TRUSTED)
    client = await introduced(gateway, *(bytes([byte]) for byte in header))

    assert (await client.ask("GET", "/")).status == 200
    assert (await gateway.lines.next("request"))["ip"] == "192.0.2.7"


async def test_header_and_request_in_one_piece(start, willing):
    gateway = await start(willing, is_tls=False, listener=LISTENER, server=TRUSTED)
    client = await introduced(gateway)

    client.send(LINE + b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (await client.answer()).status == 200


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "no PROXY header", id="none"),
        pytest.param(b"\x16\x03\x01\x02\0\x01\0", "no PROXY header", id="TLS at once"),
        pytest.param(b"PROXY TCP4 1.1.1.1\r\n", "a malformed PROXY line", id="garbage"),
        pytest.param(
            b"PROXY UNKNOWN " + b"x" * 200, "a PROXY line over 107 bytes", id="v1 oversize"
        ),
        pytest.param(
            block(length=65535), "a PROXY header over 4096 bytes", id="v2 oversize by its word"
        ),
    ],
)
async def test_what_does_not_begin_so_is_not_served(start, upstream, is_tls, data, reason):
    gateway = await start(upstream, is_tls=is_tls, listener=LISTENER, server=TRUSTED)

    assert await turned_away(gateway, data) < 1.0
    line = await gateway.lines.next("handshake.failed")
    assert (line["reason"], line["ip"]) == (reason, HOST)
    assert not upstream.connections


@pytest.mark.parametrize("data", [b"", LINE[:-2], block(TCP4)[:-1]], ids=["none", "v1", "v2"])
async def test_a_silent_balancer_is_not_waited_for_long(start, upstream, data):
    server = 'trusted_proxies = ["127.0.0.1"]\nheader_timeout = "200ms"'
    gateway = await start(upstream, listener=LISTENER, server=server)

    assert await turned_away(gateway, data) >= 0.15
    line = await gateway.lines.next("handshake.failed")
    assert line["reason"] == "no PROXY header within header_timeout"


@pytest.mark.parametrize("data", [LINE, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["with", "none"])
async def test_nobody_else_is_served_at_all(start, upstream, is_tls, data):
    server = 'trusted_proxies = ["192.0.2.0/24"]'
    gateway = await start(upstream, is_tls=is_tls, listener=LISTENER, server=server)

    assert await turned_away(gateway, data) < 1.0
    line = await gateway.lines.next("handshake.failed")
    assert "trusted_proxies" in line["reason"]


async def test_header_without_a_listener_that_asks_for_it_is_no_request(start, upstream):
    gateway = await start(upstream, is_tls=False, server=TRUSTED)
    client = await introduced(gateway, LINE + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (await client.answer()).status == 400


async def test_the_gateway_itself_can_be_asked_for_its_health(
    start, upstream, is_tls, certificates
):
    gateway = await start(upstream, is_tls=is_tls, listener=LISTENER, server=TRUSTED)
    files = {"certificate": f"{certificates}/server.crt", "private_key": "k"} if is_tls else {}
    here = ListenerSettings(bind=f"{HOST}:{gateway.port}", proxy_protocol=True, **files)

    assert await asyncio.to_thread(ask, here, "/health", 5.0) == 200


async def test_floods_of_strangers_are_few_lines(start, upstream):
    gateway = await start(upstream, is_tls=False, listener=LISTENER, server=TRUSTED)

    for _ in range(20):
        await turned_away(gateway, b"GET")

    assert len(gateway.lines.of("handshake.failed")) <= 2


async def test_connections_are_counted_by_the_client_named(start, willing, is_tls):
    server = f"{TRUSTED}\nmax_connections_per_ip = 2"
    gateway = await start(willing, is_tls=is_tls, listener=LISTENER, server=server)
    # One /64, whatever the address in it.
    first, second = [await introduced(gateway, LINE_6 % each) for each in (1, 2)]
    assert (await first.ask("GET", "/")).status == 200
    assert (await second.ask("GET", "/")).status == 200

    with pytest.raises((Cut, OSError)):
        await (await introduced(gateway, LINE_6 % 3)).ask("GET", "/")
    other = await introduced(gateway, LINE)
    assert (await other.ask("GET", "/")).status == 200
    first.close()
    assert await first.rest() == b""
    again = await introduced(gateway, LINE_6 % 3)
    assert (await again.ask("GET", "/")).status == 200


async def test_networks_of_a_route_mean_the_client_named(start, willing):
    gateway = await start(
        willing, listener=LISTENER, server=TRUSTED, route='allow_from = ["192.0.2.0/24"]'
    )

    inside = await introduced(gateway, LINE)
    outside = await introduced(gateway, LINE_6 % 1)

    assert (await inside.ask("GET", "/")).status == 200
    assert (await outside.ask("GET", "/")).status == 403


@pytest.mark.parametrize(
    ("header", "address"),
    [
        pytest.param(LINE, "192.0.2.7", id="a client's own field is hearsay"),
        pytest.param(
            b"PROXY TCP4 10.1.1.1 10.0.0.1 1 2\r\n", "198.51.100.9", id="a trusted proxy's is not"
        ),
    ],
)
async def test_forwarded_for_is_believed_of_whom_the_header_names(start, willing, header, address):
    server = 'trusted_proxies = ["127.0.0.1", "10.1.1.1"]'
    gateway = await start(willing, listener=LISTENER, server=server)
    client = await introduced(gateway, header)

    await client.ask("GET", "/", "X-Forwarded-For: 198.51.100.9")

    assert (await gateway.lines.next("request"))["ip"] == address


@pytest.mark.parametrize(
    ("header", "address"),
    [
        pytest.param(LINE, "192.0.2.7", id="TCP"),
        pytest.param(block(bytes(216), family=0x31), "", id="unix"),
        pytest.param(b"PROXY UNKNOWN\r\n", "", id="UNKNOWN"),
    ],
)
async def test_unix_socket_believes_whom_its_mode_lets_in(tmp_path, willing, header, address):
    text = f"""
        [[listeners]]
        bind = "unix:{tmp_path}/x.sock"
        proxy_protocol = true
        [[routes]]
        name = "open"
        auth = []
        upstream = "{willing.url}"
    """
    async with running(tmp_path, text) as gateway:
        client = Client(*await asyncio.open_unix_connection(tmp_path / "x.sock"))
        gateway.clients.append(client)
        client.send(header)

        assert (await client.ask("GET", "/", key="")).status == 200
        assert (await gateway.lines.next("request"))["ip"] == address
