"""Which way an endpoint's connections take: the allow-list, private addresses, a proxy."""

import asyncio
import socket

import pytest

from pyproxy.config.proxy import Proxy
from pyproxy.config.surroundings import NOWHERE
from pyproxy.egress.hosts import HostPattern
from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.names import Place
from pyproxy.upstream.way import Way
from tests.connect_proxy import HOST, WILLING, ConnectProxy
from tests.unit.upstream.reached import (
    NAME,
    PATIENCE_S,
    Resolver,
    Told,
    answered,
    peer,
    refused,
    serving,
)
from tests.waiting import turns, until

PUBLIC = "8.8.8.8"


def made(port, way, host=NAME, look_up=None, tell=None, **tls):
    address = Address(host, port, way=way, **tls)
    return Endpoint(address, asyncio.get_running_loop(), look_up, tell or Told())


def through(proxy, url=None):
    """The way through a proxy."""
    return Way(proxy=Proxy.parse(url or proxy.url, NOWHERE))


# --- The allow-list


async def test_host_that_is_not_allowed_is_never_dialled(port):
    resolver = Resolver(HOST, port=port)
    endpoint = made(port, Way(allowed=(HostPattern("other.example"),)), look_up=resolver)

    assert await refused(endpoint) == "egress.allow does not name api.example"
    assert resolver.asked == 0
    assert endpoint.busy == 0


async def test_host_that_is_not_allowed_is_not_asked_of_the_proxy(client_tls):
    async with ConnectProxy() as proxy:
        way = Way(allowed=(HostPattern("other.example"),), proxy=through(proxy).proxy)
        endpoint = made(443, way, tls=client_tls, server_name=NAME)

        assert await refused(endpoint) == "egress.allow does not name api.example"
        assert proxy.heads == []


async def test_host_that_is_allowed_is_reached(port):
    way = Way(allowed=(HostPattern("other.example"), HostPattern("example", is_below=True)))
    endpoint = made(port, way, look_up=Resolver(HOST, port=port))

    await answered(await endpoint.connect(PATIENCE_S))


# --- Private addresses


async def test_name_that_leads_inwards_is_not_connected_to(port):
    told = Told()
    resolver = Resolver(HOST, port=port)
    endpoint = made(port, Way(is_public_only=True), look_up=resolver, tell=told)
    why = (
        "api.example resolves to 127.0.0.1, a private address; "
        "set egress.allow_private = true if that is meant"
    )

    assert await refused(endpoint) == f"connecting failed: {why}"
    assert told.news == [("upstream.name_failed", f"{NAME}:{port}", why)]


async def test_name_may_lead_inwards_where_that_is_meant(port):
    endpoint = made(port, Way(), look_up=Resolver(HOST, port=port))

    await answered(await endpoint.connect(PATIENCE_S))


async def test_private_answer_beside_a_public_one_is_not_tried(port):
    """The public one, were it tried, would not answer within the time."""
    endpoint = made(port, Way(is_public_only=True), look_up=Resolver(HOST, PUBLIC, port=port))
    known = await endpoint._names.places()

    assert [place.ip for place in known] == [PUBLIC]


async def test_name_that_is_turned_inwards_later_is_left_at_once(monkeypatch):
    """DNS rebinding: first a public address, then one of ours, where somebody listens."""
    monkeypatch.setattr("pyproxy.upstream.way.is_private", lambda ip: ip != "127.0.0.2")
    async with serving("127.0.0.2") as port:
        resolver = Resolver("127.0.0.2", port=port)
        endpoint = made(port, Way(is_public_only=True), look_up=resolver)
        await answered(await endpoint.connect(PATIENCE_S))
        resolver.moved(HOST)
        endpoint._names._due = 0.0

        assert "resolves to 127.0.0.1, a private address" in await refused(endpoint)
        # Two answers in a row lack the address: no connection is kept to it.
        assert await refused(endpoint)
        assert endpoint.idle_connection() is None


# --- A proxy


async def test_tls_is_to_the_upstream_through_the_proxy(server_tls, client_tls):
    seen = []
    async with serving(tls=server_tls) as port, ConnectProxy(leads_to=port) as proxy:
        endpoint = made(443, through(proxy), tls=client_tls, server_name=NAME, check=seen.append)
        connection = await endpoint.connect(PATIENCE_S)
        await answered(connection)

        assert proxy.heads == [b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n"]
        assert len(seen) == 1
        assert endpoint.idle_connection() is connection
        assert endpoint.host_line == b"Host: api.example\r\n"
        assert endpoint.name == "api.example:443"
        connection.abort()


async def test_proxy_looks_the_name_up_and_its_own_may_be_private(server_tls, client_tls):
    async with serving(tls=server_tls) as port, ConnectProxy(leads_to=port) as proxy:
        asked = []

        async def look_up(host, port):
            asked.append((host, port))
            return [Place(socket.AF_INET, (HOST, port))]

        way = Way(proxy=Proxy("proxy.example", proxy.port), is_public_only=True)
        endpoint = made(443, way, look_up=look_up, tls=client_tls, server_name=NAME)
        await answered(await endpoint.connect(PATIENCE_S))

        assert asked == [("proxy.example", proxy.port)]


async def test_certificate_is_verified_through_the_proxy(server_tls, client_tls):
    async with serving(tls=server_tls) as port, ConnectProxy(leads_to=port) as proxy:
        endpoint = made(443, through(proxy), tls=client_tls, server_name="b.example")

        why = await refused(endpoint)
        assert why.startswith("connecting failed: certificate verify failed: hostname mismatch")


async def test_proxys_refusal_is_said_without_its_password(client_tls):
    async with ConnectProxy(b"HTTP/1.1 407 No\r\n\r\n") as proxy:
        way = through(proxy, f"http://alice:secret@{HOST}:{proxy.port}")
        endpoint = made(443, way, tls=client_tls, server_name=NAME)
        with pytest.raises(UpstreamUnreachable) as caught:
            await endpoint.connect(PATIENCE_S)

        assert caught.value.detail == (
            f"the proxy {HOST}:{proxy.port} answered 407: it does not take these credentials"
        )
        assert "proxy" not in caught.value.message
        assert b"Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n" in proxy.heads[0]
        assert endpoint.busy == 0


async def test_proxy_that_is_gone_is_said(dead, client_tls):
    way = Way(proxy=Proxy(HOST, dead))
    endpoint = made(443, way, tls=client_tls, server_name=NAME)

    assert await refused(endpoint) == (
        f"connecting to the proxy {HOST}:{dead} failed: connection refused"
    )


async def test_proxy_without_a_name_is_said(client_tls):
    async def look_up(_host, _port):
        raise socket.gaierror(socket.EAI_NONAME, "x")

    told = Told()
    way = Way(proxy=Proxy("proxy.example", 3128))
    endpoint = made(443, way, look_up=look_up, tell=told, tls=client_tls, server_name=NAME)

    assert await refused(endpoint) == (
        "connecting to the proxy proxy.example:3128 failed: name not known"
    )
    assert told.news == [
        ("upstream.name_failed", "api.example:443", "the proxy proxy.example:3128: name not known")
    ]


async def test_silent_proxy_takes_no_longer_than_connecting_may(client_tls, sockets):
    async with ConnectProxy(answer=None) as proxy:
        before = sockets()
        endpoint = made(443, through(proxy), tls=client_tls, server_name=NAME)

        assert await refused(endpoint, 0.05) == (
            f"the answer of the proxy {HOST}:{proxy.port} took too long"
        )
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: sockets() <= before + 1)  # the proxy's end


async def test_reset_by_the_proxy_is_said(client_tls):
    async def reset(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        writer.transport.abort()

    async with await asyncio.start_server(reset, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        way = Way(proxy=Proxy(HOST, port))
        endpoint = made(443, way, tls=client_tls, server_name=NAME)

        assert await refused(endpoint) in {
            f"connecting to the proxy {HOST}:{port} failed: connection reset by peer",
            f"the proxy {HOST}:{port} closed the connection",
        }


async def test_bytes_before_ours_are_no_upstreams(server_tls, client_tls):
    answer = WILLING + b"220 ready\r\n"
    async with serving(tls=server_tls) as port, ConnectProxy(answer, leads_to=port) as proxy:
        endpoint = made(443, through(proxy), tls=client_tls, server_name=NAME)

        assert await refused(endpoint) == f"the proxy {HOST}:{proxy.port} sent more than its answer"


async def test_cancelled_connect_through_a_proxy_leaves_nothing(server_tls, client_tls, sockets):
    before = sockets()
    async with serving(tls=server_tls) as port:
        async with ConnectProxy(leads_to=port) as proxy:
            endpoint = made(443, through(proxy), tls=client_tls, server_name=NAME)
            for count in range(12):
                connecting = asyncio.ensure_future(endpoint.connect(PATIENCE_S))
                await turns(count)
                connecting.cancel()
                await asyncio.wait({connecting})
                if not connecting.cancelled():
                    connecting.result().abort()
            assert endpoint.busy == 0
        await turns(20)
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: sockets() <= before)


async def test_connection_ends_when_the_proxy_moves(server_tls, client_tls):
    async with serving(tls=server_tls) as port, ConnectProxy(leads_to=port) as proxy:
        resolver = Resolver(HOST, port=proxy.port)
        way = Way(proxy=Proxy("proxy.example", proxy.port))
        endpoint = made(443, way, look_up=resolver, tls=client_tls, server_name=NAME)
        connection = await endpoint.connect(PATIENCE_S)
        await answered(connection)
        assert peer(connection) == HOST
        resolver.moved("127.0.0.2")
        for _ in range(2):
            endpoint._names._due = 0.0
            endpoint._names.keep_fresh()
            await turns(3)

        assert endpoint.idle_connection() is None
