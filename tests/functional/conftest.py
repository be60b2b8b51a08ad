"""A gateway, an upstream and their certificates, for the tests of a request's way."""

import json
from contextlib import AsyncExitStack

import pytest
import trustme

from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime.loop import new_event_loop
from tests.audit_lines import judge
from tests.functional.scripted import (
    KEY,
    NUMBER,
    OK,
    OTHER_KEY,
    Upstream,
    configuration,
    hashed,
    listed,
    running,
    trust_in,
)


def pytest_asyncio_loop_factories(config, item):
    """Run on the loop that serves in earnest."""
    del config, item
    return {"loop": new_event_loop}


@pytest.fixture(scope="session")
def authority():
    """Signs every certificate."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory, authority):
    """A folder with ``ca.crt``, ``server.crt`` and ``server.key``."""
    folder = tmp_path_factory.mktemp("certificates")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    (folder / "server.crt").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    (folder / "server.key").touch(mode=0o600)
    (folder / "server.key").write_bytes(issued.private_key_pem.bytes())
    return folder


@pytest.fixture(scope="session")
def signing_keys():
    """A private JWK set that signs with ES256."""
    return generate_key_set("ES256")


@pytest.fixture
def signing(tmp_path, signing_keys):
    """The part ``auth`` of a configuration that mints tokens."""
    path = tmp_path / "signing.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(signing_keys))
    return '[auth.jwt]\nsigning_keys_file = "signing.json"\nissuer = "us"\naudience = "them"'


@pytest.fixture
def secrets():
    """What must be in no line that the gateway writes; tests add their own."""
    return [KEY, OTHER_KEY]


@pytest.fixture
async def upstream():
    """An upstream that waits to be told."""
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
async def willing(upstream):
    """An upstream that answers every request with ``OK``."""
    upstream.plays(OK)
    return upstream


@pytest.fixture
async def three():
    """Three upstreams, each of which answers with its number."""
    async with Upstream(NUMBER % 0) as a, Upstream(NUMBER % 1) as b, Upstream(NUMBER % 2) as c:
        yield [a, b, c]


@pytest.fixture
async def start(certificates, tmp_path, secrets):
    """Starts gateways; what they wrote is searched for secrets and faults at the end.

    So is what their upstreams received, for what their clients showed.
    """
    gateways, upstreams = [], []
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    keys.write_text(hashed("alice", KEY) + hashed("bob", OTHER_KEY))
    async with AsyncExitStack() as stack:

        async def start_(upstream, *, is_tls=True, keys_text=None, environ=None, **parts):
            if keys_text is not None:
                keys.write_text(keys_text)
            text = configuration(upstream, certificates if is_tls else None, **parts)
            trust = trust_in(certificates) if is_tls else None
            gateway = await stack.enter_async_context(running(tmp_path, text, trust, environ))
            gateways.append(gateway)
            upstreams.extend(each for each in listed(upstream) if isinstance(each, Upstream))
            return gateway

        yield start_
    shown = {key for gateway in gateways for client in gateway.clients for key in client.shown}
    assert not [key for key in shown for each in upstreams if key.encode() in each.received]
    for gateway in gateways:
        written = "\n".join(gateway.lines.texts)
        judge(gateway.lines.texts)
        assert not [secret for secret in {*secrets, *shown} if secret in written]
        assert gateway.is_faulty or not gateway.lines.of("failure"), written
