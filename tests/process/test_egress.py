"""SIGHUP: another way out is taken by the next connection, and those under way go on."""

import asyncio
import signal
import ssl

import pytest

from tests.connect_proxy import ConnectProxy
from tests.functional.scripted import OK, Upstream
from tests.process.served import put, serving

CONFIG = """
[server]
admin = ""
workers = {workers}
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys.txt"
[egress]
{egress}
[[routes]]
name = "one"
upstream = "https://api.example.invalid"
tls = {{ ca = "ca.crt", server_name = "localhost" }}
"""


@pytest.fixture
def tls(folder, certify, authority):
    """TLS of the upstream; its authority is in ``ca.crt``."""
    _ = certify(folder)
    put(folder / "ca.crt", authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def config(egress, workers=1):
    return CONFIG.format(egress=egress, workers=workers)


def reload(gateway, folder, text, **found):
    put(folder / "pyproxy.toml", text)
    gateway.process.send_signal(signal.SIGHUP)
    return gateway.wait_for("config.reloaded", **found)


@pytest.mark.parametrize("workers", [1, 2])
async def test_another_proxy_is_used_after_a_reload(folder, tls, workers):
    async with (
        Upstream(OK, tls) as upstream,
        ConnectProxy(leads_to=upstream.port) as first,
        ConnectProxy(leads_to=upstream.port) as second,
    ):
        texts = [config(f'proxy = "{each.url}"', workers) for each in (first, second)]
        with serving(folder, texts[0]) as gateway:
            before = await asyncio.to_thread(gateway.status)
            heads = len(first.heads)
            await asyncio.to_thread(reload, gateway, folder, texts[1], result="ok", level="info")
            first.leave()
            after = await asyncio.to_thread(gateway.status)

    assert (before, after) == (200, 200)
    assert (heads, len(first.heads), len(second.heads)) == (1, 1, 1)


async def test_a_reload_that_would_lead_beyond_the_allow_list_is_refused(folder, tls):
    async with Upstream(OK, tls) as upstream, ConnectProxy(leads_to=upstream.port) as proxy:
        text = config(f'proxy = "{proxy.url}"\nallow = ["*.example.invalid"]')
        with serving(folder, text) as gateway:
            before = await asyncio.to_thread(gateway.status)
            narrower = text.replace("*.example.invalid", "other.example")
            line = await asyncio.to_thread(reload, gateway, folder, narrower, result="failed")
            after = await asyncio.to_thread(gateway.status)

    assert (before, after) == (200, 200)
    assert (
        "routes[0].upstream: leads to https://api.example.invalid, and egress.allow names "
        '"other.example" alone; add "api.example.invalid" there'
    ) in str(line)


async def test_a_proxy_in_a_file_is_replaced_with_it(folder, tls):
    async with (
        Upstream(OK, tls) as upstream,
        ConnectProxy(leads_to=upstream.port) as first,
        ConnectProxy(leads_to=upstream.port) as second,
    ):
        put(folder / "proxy", f"{first.url}\n")
        with serving(folder, config('proxy = { file = "proxy" }')) as gateway:
            before = await asyncio.to_thread(gateway.status)
            put(folder / "proxy", f"{second.url}\n")
            _ = await asyncio.to_thread(gateway.wait_for, "config.reloaded", result="ok")
            after = await asyncio.to_thread(gateway.status)

    assert (before, after) == (200, 200)
    assert (len(first.heads), len(second.heads)) == (1, 1)
