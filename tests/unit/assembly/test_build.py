"""Settings and files become a gateway, as a whole or not at all."""

import asyncio
import hashlib
import json

import pytest

from pyproxy.assembly.build import assemble, build, jwks_of, put_in_force
from pyproxy.assembly.listeners import group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.sources import read_sources
from pyproxy.assembly.tokens import LocalKeys
from pyproxy.errors.fault import ConfigurationError
from pyproxy.errors.refusal import NotFound
from pyproxy.identity.credential import Credential
from pyproxy.identity.hashing import BcryptGate
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.signing_keys import generate_key_set

WALL = 1_750_000_000.0
KEY = "a-plain-key-of-somebody"
CONFIG = """
[server]
decoy_server_header = "nginx"
[[listeners]]
bind = "127.0.0.1:1"
[[listeners]]
bind = "127.0.0.1:2"
routes = ["two"]
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
[[routes]]
name = "one"
path = "/one"
upstream = "https://a/v1"
credential = { header = "X-Key", value = "provider" }
[[routes]]
name = "two"
path = "/two"
auth = ["token"]
token = { secret = "shared-secret-0123" }
credential = { query = "key", value = "provider" }
upstream = ["http://b", "http://c"]
balance = "round-robin"
"""

PROVIDERS = f"""
[[listeners]]
bind = "127.0.0.1:1"
[auth]
keys = ["{KEY}"]
[[routes]]
name = "api"
provider = "openai"
models = ["gpt-4o*"]
heartbeat = "15s"
"""


@pytest.fixture(autouse=True)
def files(tmp_path):
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    (tmp_path / "keys.txt").write_text(f"alice:sha256:{digest}\n")
    (tmp_path / "signing.json").write_text(json.dumps(generate_key_set("ES256")))
    return tmp_path


@pytest.fixture
async def resources():
    made = Resources(asyncio.get_running_loop(), b"s" * 32, BcryptGate())
    yield made
    await made.close()


def built(settings, resources):
    return assemble(settings, group_listeners(settings.listeners), resources)


def credential(text):
    return Credential(text, frozenset({"authorization"}), is_jwt=text.count(".") == 2)


async def test_each_listener_has_its_routes(configured, resources):
    gateway = built(configured(CONFIG), resources)

    assert gateway.tables["127.0.0.1:1"].match(b"", b"/one/x", b"GET").value.name == "one"
    assert gateway.tables["127.0.0.1:2"].match(b"", b"/two", b"GET").value.name == "two"
    with pytest.raises(NotFound):
        gateway.tables["127.0.0.1:2"].match(b"", b"/one", b"GET")


async def test_what_is_configured_is_in_force(configured, resources):
    gateway = built(configured(CONFIG), resources)

    assert gateway.authenticator.recall(credential(KEY), WALL).name == "alice"
    assert gateway.own_paths[b"/token/revoke"] == "revoke"
    assert b"Server: nginx\r\n" in gateway.block
    assert json.loads(gateway.jwks)["keys"][0]["kid"] == gateway.minter.signing_key.kid
    assert resources.key_sets.current.keys == gateway.minter.public.keys
    assert {address.host for address in resources.endpoints} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("environ", "missing", "closed", "added"),
    [
        pytest.param({}, ("OPENAI_API_KEY",), False, b"", id="without its key"),
        pytest.param(
            {"OPENAI_API_KEY": "sk-x"}, (), True, b"Authorization: Bearer sk-x\r\n", id="with it"
        ),
    ],
)
async def test_what_a_provider_knows_is_in_force(
    configured, resources, environ, missing, closed, added
):
    gateway = built(configured(PROVIDERS, **environ), resources)
    plan = gateway.tables["127.0.0.1:1"].match(b"", b"/", b"GET").value

    assert plan.missing_credential == missing
    assert plan.denied.denies(b"/v1/projects") is closed
    assert (plan.up.version, plan.up.added, plan.heartbeat) == (b"/v1", added, 15.0)
    assert plan.models.judge("gpt-4o-mini") == "gpt-4o-mini"
    assert {address.host for address in resources.endpoints} == {"api.openai.com"}


async def test_an_endpoint_of_its_own_can_be_turned_off(configured, resources):
    gateway = built(configured(CONFIG + '[endpoints]\ntoken = ""\n'), resources)

    assert set(gateway.own_paths.values()) == {"verify", "health", "jwks"}


async def test_a_faulty_file_changes_nothing(configured, files, resources):
    settings = configured(CONFIG)
    built(settings, resources)
    keys, endpoints = resources.key_sets.current, dict(resources.endpoints)
    (files / "signing.json").write_text(json.dumps(generate_key_set("ES256")))
    (files / "keys.txt").write_text("a b\n")

    with pytest.raises(ConfigurationError):
        built(settings, resources)

    assert resources.key_sets.current is keys
    assert resources.endpoints == endpoints


async def test_connections_outlive_a_reload_and_those_of_no_route_do_not(configured, resources):
    built(configured(CONFIG), resources)
    before = {address.host: endpoint for address, endpoint in resources.endpoints.items()}
    settings = configured(CONFIG.replace('"http://c"', '"http://d"'))
    build(
        settings,
        group_listeners(settings.listeners),
        resources,
        read_sources(settings, resources.client_tls),
    )
    after = {address.host: endpoint for address, endpoint in resources.endpoints.items()}

    assert after.keys() == {"a", "b", "d"}
    assert after["a"] is before["a"]
    assert after["b"] is before["b"]


async def test_an_authenticator_goes_on_with_other_keys(configured, files, resources):
    settings = configured(CONFIG)
    first = built(settings, resources).authenticator
    (files / "keys.txt").write_text("another-key-of-somebody\n")

    second = build(
        settings,
        group_listeners(settings.listeners),
        resources,
        read_sources(settings),
        authenticator=first,
    )

    assert second.authenticator is first
    assert first.recall(credential(KEY), WALL) is None
    assert first.recall(credential("another-key-of-somebody"), WALL) is not None


async def test_without_keys_no_token_is_minted_or_believed(configured, resources):
    built(configured(CONFIG), resources)
    none = LocalKeys(KeySet(), None)
    put_in_force(none, resources.key_sets)

    assert resources.key_sets.current.keys == ()
    assert jwks_of(none) == b""
