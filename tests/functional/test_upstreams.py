"""Several endpoints behind one route: which get requests, and what clients notice of the others."""

import asyncio
import ssl

from tests.functional.scripted import HOST, NUMBER, Upstream, answers

UNWELL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
HEALTH = (
    'health = { path = "/up", interval = "20ms", timeout = "1s", unhealthy_after = 2, '
    "healthy_after = 2 }"
)


# --- Failing


async def test_all_get_their_share(start, three):
    gateway = await start(three)

    assert await answers(gateway, 30) == {0: 10, 1: 10, 2: 10}


async def test_one_that_is_down_is_made_up_for(start, three):
    gateway = await start(three)
    before = await answers(gateway, 3)
    await three[0].leave()
    during = await answers(gateway, 30)

    assert before == {0: 1, 1: 1, 2: 1}
    assert during.keys() == {1, 2}
    assert during.total() == 30


async def test_post_is_made_up_for_where_no_connection_could_be_made(start, three):
    gateway = await start(three)
    await three[0].leave()

    assert (await answers(gateway, 12, method="POST")).keys() == {1, 2}


async def test_all_down_is_said(start, three):
    gateway = await start(three)
    for upstream in three:
        upstream._server.close()
    found = await answers(gateway, 12)
    line = await gateway.lines.next("upstream.failed")

    assert found == {502: 12}
    assert line["reason"] == "connecting failed: connection refused"


# --- Health checks


async def test_one_that_is_not_well_gets_no_requests_until_it_is_again(start, three):
    gateway = await start(three, route=HEALTH)
    three[0].plays(UNWELL)
    down = await gateway.lines.next("upstream.unhealthy")
    during = await answers(gateway, 12)
    three[0].plays(NUMBER % 0)
    up = await gateway.lines.next("upstream.healthy")
    after = await answers(gateway, 12)

    assert during == {1: 6, 2: 6}
    assert after == {0: 4, 1: 4, 2: 4}
    name = f"{HOST}:{three[0].port}"
    assert (down["level"], down["upstream"], down["reason"]) == ("warning", name, "answered 503")
    assert (up["level"], up["upstream"]) == ("info", name)
    assert len(gateway.lines.of("upstream.unhealthy")) == 1


async def test_check_goes_as_the_routes_requests_go(start, secrets):
    secrets.append("the-providers-key")
    async with Upstream() as upstream:
        _ = await start(
            [f"{upstream.url}/v1"],
            route='credential = { header = "X-Key", value = "the-providers-key" }\n'
            'request_headers = { "X-Route" = "main" }\n' + HEALTH,
        )
        _, head = await upstream.asked()

    lines = head.split(b"\r\n")
    assert lines[0] == b"GET /up HTTP/1.1"
    assert lines[1] == b"Host: %b:%d" % (HOST.encode(), upstream.port)
    assert {b"X-Key: the-providers-key", b"X-Route: main"} < set(lines)
    assert not [line for line in lines if line.lower().startswith((b"x-forwarded", b"authoriz"))]


async def test_check_is_over_tls_where_requests_are(start, certificates):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    async with Upstream(tls=tls) as upstream:
        _ = await start(upstream, route=f'tls = {{ ca = "{certificates}/ca.crt" }}\n{HEALTH}')
        _, head = await upstream.asked()

    assert head.startswith(b"GET /up ")


async def test_the_only_one_is_asked_though_it_is_not_well(start, upstream):
    upstream.plays(UNWELL)
    gateway = await start(upstream, route=HEALTH)
    await gateway.lines.next("upstream.unhealthy")

    assert await answers(gateway, 1) == {503: 1}


# --- Names


async def test_name_with_an_address_that_nobody_listens_on(start, willing):
    """``localhost`` is ``::1`` too, where the system has it; our upstream is not."""
    gateway = await start(f"http://localhost:{willing.port}")

    assert (await gateway.ask("GET", "/")).status == 200
    assert b"Host: localhost:%d\r\n" % willing.port in willing.received


async def test_upstream_on_ipv6_alone(start):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(NUMBER % 6)
        writer.close()

    async with await asyncio.start_server(serve, "::1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        gateway = await start(f"http://[::1]:{port}")

        assert (await gateway.ask("GET", "/")).body == b"6"
