"""Which way requests go up, and where they must not: allow-list, proxy, private addresses."""

import asyncio
import json
import ssl

import pytest

from pyproxy.assembly.listeners import group_listeners
from pyproxy.config.load import load
from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.orders import Orders
from pyproxy.runtime.startup import prepare
from tests.connect_proxy import WILLING, ConnectProxy
from tests.functional.scripted import HOST, OK, PATIENCE_S, Upstream, configuration
from tests.waiting import until

PASSWORD = "the-proxys-password"
EGRESS = "[egress]\n"


@pytest.fixture
def tls(certificates):
    """TLS of an upstream called localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    return context


@pytest.fixture
def trusting(certificates):
    """The part of a route that trusts such an upstream, whatever it is called."""
    return f'tls = {{ ca = "{certificates}/ca.crt", server_name = "localhost" }}'


@pytest.fixture(autouse=True)
def _hidden(secrets):
    secrets += [PASSWORD, "YWxpY2U6dGhlLXByb3h5cy1wYXNzd29yZA"]  # alice: and it, in base64


def egress(proxy, **keys):
    """The section ``egress`` with a proxy that wants credentials."""
    url = f"http://alice:{PASSWORD}@{HOST}:{proxy.port}"
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"proxy": url, **keys}.items()]
    return EGRESS + "\n".join(lines)


# --- Through a proxy


async def test_tls_upstream_is_reached_through_the_proxy_which_looks_its_name_up(
    start, tls, trusting
):
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        gateway = await start("https://api.example.invalid", route=trusting, more=egress(proxy))
        client = await gateway.connect()
        answers = [await client.ask("GET", "/v1/models") for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert len(proxy.heads) == 1
    assert proxy.heads[0].startswith(b"CONNECT api.example.invalid:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in proxy.heads[0]
    assert upstream.received.startswith(b"GET /v1/models HTTP/1.1\r\nHost: api.example.invalid\r\n")
    assert b"proxy-" not in upstream.received.lower()


async def test_upstream_without_tls_is_reached_directly(start, willing):
    async with ConnectProxy() as proxy:
        gateway = await start(willing, more=egress(proxy))

        assert (await gateway.ask("GET", "/")).status == 200
        assert proxy.heads == []


async def test_upstream_that_is_spared_is_reached_directly(start, tls, trusting):
    async with Upstream(OK, tls) as upstream, ConnectProxy() as proxy:
        more = egress(proxy, no_proxy=["127.0.0.0/8"])
        gateway = await start(upstream, route=trusting, more=more)

        assert (await gateway.ask("GET", "/")).status == 200
        assert proxy.heads == []


async def test_proxy_of_the_environment_is_used(start, tls, trusting):
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        environ = {"https_proxy": proxy.url, "NO_PROXY": "127.0.0.1, .example"}
        urls = ["https://api.example.invalid", f"https://{HOST}:{upstream.port}"]
        gateway = await start(urls, route=trusting, environ=environ)
        statuses = [(await gateway.ask("GET", "/")).status for _ in range(2)]

    assert statuses == [200, 200]
    assert len(proxy.heads) == 1


async def test_health_checks_go_through_it_too(start, tls, trusting):
    health = '\nhealth = { path = "/up", interval = "20ms" }'
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        _ = await start("https://api.example.invalid", route=trusting + health, more=egress(proxy))
        await proxy.asked()
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: b"GET /up " in upstream.received)


async def test_answer_that_drips_is_an_answer(start, tls, trusting):
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        proxy.piecewise = True
        gateway = await start("https://api.example.invalid", route=trusting, more=egress(proxy))

        assert (await gateway.ask("GET", "/")).status == 200


# --- A proxy that will not


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(
            b"HTTP/1.1 403 No\r\n\r\n<p>ask bob",
            "answered 403; its own list may lack the host",
            id="forbidden",
        ),
        pytest.param(
            b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\n\r\n",
            "answered 407: it does not take these credentials",
            id="wrong credentials",
        ),
        pytest.param(b"HTTP/1.1 503 No\r\n\r\n", "answered 503", id="it cannot reach it either"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n", "does not answer in HTTP", id="garbage"),
        pytest.param(b"", "closed the connection", id="closes"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", "closed the connection", id="closes half-way"),
        pytest.param(WILLING + b"hello", "sent more than its answer", id="extra bytes"),
    ],
)
async def test_proxys_refusal_is_the_operators_to_know(start, tls, trusting, answer, why):
    async with Upstream(OK, tls) as upstream, ConnectProxy(answer, upstream.port) as proxy:
        gateway = await start(
            "https://api.example.invalid", route=f"retries = 0\n{trusting}", more=egress(proxy)
        )
        refusal = await gateway.ask("POST", "/v1", body=b"{}")
        line = await gateway.lines.next("upstream.failed")

    assert refusal.status == 502
    assert b"proxy" not in refusal.body.lower()
    assert str(proxy.port).encode() not in refusal.head + refusal.body
    assert b"bob" not in refusal.body
    assert line["reason"] == f"the proxy {HOST}:{proxy.port} {why}"
    assert b"GET" not in upstream.received


async def test_silent_proxy_is_waited_for_as_long_as_connecting_may_take(start, trusting):
    async with ConnectProxy(answer=None) as proxy:
        route = f'connect_timeout = "50ms"\nretries = 0\n{trusting}'
        gateway = await start("https://api.example.invalid", route=route, more=egress(proxy))
        refusal = await gateway.ask("GET", "/")
        line = await gateway.lines.next("upstream.failed")

    assert refusal.status == 502
    assert line["reason"] == f"the answer of the proxy {HOST}:{proxy.port} took too long"


async def test_proxy_that_is_gone_is_said_and_used_when_it_is_back(start, tls, trusting):
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        gateway = await start("https://api.example.invalid", route=trusting, more=egress(proxy))
        before = await gateway.ask("GET", "/")
        proxy.leave()
        during = await gateway.ask("GET", "/")
        line = await gateway.lines.next("upstream.failed")
        await proxy.come_back()
        after = await gateway.ask("GET", "/")

    assert [each.status for each in (before, during, after)] == [200, 502, 200]
    assert line["reason"] == (
        f"connecting to the proxy {HOST}:{proxy.port} failed: connection refused"
    )


async def test_certificate_is_the_upstreams_to_show_not_the_proxys(start, tls, certificates):
    """A proxy that leads somewhere else gets no request."""
    route = f'retries = 0\ntls = {{ ca = "{certificates}/ca.crt" }}'
    async with Upstream(OK, tls) as elsewhere, ConnectProxy(leads_to=elsewhere.port) as proxy:
        gateway = await start("https://api.example.invalid", route=route, more=egress(proxy))
        refusal = await gateway.ask("GET", "/")
        line = await gateway.lines.next("upstream.failed")

    assert refusal.status == 502
    assert "certificate verify failed: hostname mismatch" in line["reason"]
    assert elsewhere.received == b""


# --- A change of the way


async def reload(gateway, folder, text):
    """Put another configuration in force; the listener stays."""
    (folder / "pyproxy.toml").write_text(text)
    loaded = load(folder / "pyproxy.toml", {}, folder)
    [group] = group_listeners(loaded.settings.listeners)
    sockets = gateway.worker._listeners[group.bind]._sockets
    await gateway.worker.prepare(
        Orders(loaded, {group.bind: tuple(each.dup() for each in sockets)})
    )
    gateway.worker.commit()


async def test_another_proxy_is_used_from_the_next_connection_on(
    start, tls, trusting, certificates, tmp_path
):
    async with (
        Upstream(OK, tls) as upstream,
        ConnectProxy(leads_to=upstream.port) as one,
        ConnectProxy(leads_to=upstream.port) as other,
    ):
        url = "https://api.example.invalid"
        gateway = await start(url, route=trusting, more=egress(one))
        client = await gateway.connect()
        first = await client.ask("GET", "/")
        text = configuration(url, certificates, route=trusting, more=egress(other))
        await reload(gateway, tmp_path, text)
        second = await client.ask("GET", "/")

    assert [first.status, second.status] == [200, 200]
    assert (len(one.heads), len(other.heads)) == (1, 1)


async def test_connections_outlive_a_reload_that_leaves_their_way(
    start, tls, trusting, certificates, tmp_path
):
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        url = "https://api.example.invalid"
        gateway = await start(url, route=trusting, more=egress(proxy))
        first = await gateway.ask("GET", "/")
        route = f'{trusting}\nread_timeout = "7s"'
        text = configuration(url, certificates, route=route, more=egress(proxy))
        await reload(gateway, tmp_path, text)
        second = await gateway.ask("GET", "/")

    assert [first.status, second.status] == [200, 200]
    assert len(proxy.heads) == 1


async def test_remote_key_set_is_fetched_through_the_proxy_in_force(
    start, willing, certificates, tmp_path
):
    auth = '[auth.jwt]\njwks_url = "https://issuer.example.invalid/jwks"'
    async with ConnectProxy(b"HTTP/1.1 403 No\r\n\r\n") as one, ConnectProxy() as other:
        # Upstreams alone are on the allow-list.
        allow = f'\nallow = ["{HOST}"]'
        gateway = await start(willing, auth=auth, more=egress(one) + allow)
        head = await one.asked()
        line = await gateway.lines.next("jwks.reloaded", 2)  # the first is the audit log's
        text = configuration(willing, certificates, auth=auth, more=egress(other) + allow)
        await reload(gateway, tmp_path, text)
        way = gateway.worker._remote._proxy_for("issuer.example.invalid", 443)

    assert head.startswith(b"CONNECT issuer.example.invalid:443 HTTP/1.1\r\n")
    assert line["reason"] == "the proxy answered 403"
    assert way.port == other.port


# --- Private addresses


@pytest.mark.parametrize("allow_private", [False, True])
async def test_public_providers_name_that_leads_inwards_is_not_followed(
    start, willing, allow_private
):
    """To the resolver ``127.1`` is a name that it knows an address of, and to us it is one."""
    gateway = await start(
        f"http://127.1:{willing.port}",
        route='provider = "openai"\nretries = 0\ncredential = { value = "a-providers-key" }',
        more=f"{EGRESS}allow_private = {json.dumps(allow_private)}",
    )
    answer = await gateway.ask("GET", "/v1/models")

    if allow_private:
        assert answer.status == 200
        return
    line = await gateway.lines.next("upstream.failed")
    assert answer.status == 502
    assert b"127.0.0.1" not in answer.body
    assert line["reason"] == (
        "connecting failed: 127.1 resolves to 127.0.0.1, a private address; "
        "set egress.allow_private = true if that is meant"
    )
    assert willing.received == b""


# --- The allow-list


def test_configuration_that_leads_beyond_it_is_not_served(tmp_path):
    (tmp_path / "pyproxy.toml").write_text(
        '[egress]\nallow = ["*.openai.com"]\n[auth]\nkeys = ["a-key-of-somebody"]\n'
        '[[listeners]]\nbind = "127.0.0.1:0"\n'
        '[[routes]]\nname = "a"\npath = "/a"\nprovider = "anthropic"\n'
        '[[routes]]\nname = "o"\npath = "/o"\nprovider = "openai"\n'
    )

    with pytest.raises(ConfigurationError) as caught:
        prepare(load(tmp_path / "pyproxy.toml", {}, tmp_path), 0.0)

    [fault] = caught.value.faults
    assert str(fault) == (
        "routes[0].provider: leads to https://api.anthropic.com, and egress.allow names "
        '"*.openai.com" alone; add "api.anthropic.com" there, or change the upstream (route a)'
    )
