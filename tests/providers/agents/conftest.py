"""The ground that agents are run on: certificates, and a gateway of either kind."""

import shutil
import ssl
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import trustme

from tests.lab.gateway import Gateway, run, serving
from tests.providers.agents.hop import Hop, recording
from tests.providers.agents.upstream import playing
from tests.providers.ledger import Kind, Role

PLACEHOLDER = "placeholder-token-for-credential-isolation"
SIDECAR = """
[[listeners]]
bind = "127.0.0.1:0"
"""
OFFICE = """
[auth]
keys_file = "api_keys.txt"

[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
"""
ROUTE = """
[[routes]]
name = "{provider}"
provider = "{provider}"
upstream = "{upstream}"
auth = {auth}
rate_limits = []
tls = {{ ca = "upstream.crt" }}
"""


@dataclass(frozen=True)
class Ground:
    """A gateway that serves one provider, and the way to it.

    Attributes:
        scheme: How it is spoken to.
        credential: What a client has instead of the provider's key.
        ca: The authority of its certificate; None where it speaks plain HTTP.
        hop: Where agents reach it.
    """

    scheme: str
    credential: str
    ca: str | None
    hop: Hop
    gateway: Gateway

    def logged(self) -> str:
        """All that the gateway wrote, once it has ended."""
        assert self.gateway.stop() == 0
        return self.gateway.output()


@pytest.fixture(scope="session")
def authority():
    """Signs the upstreams' certificate."""
    return trustme.CA()


@pytest.fixture(scope="session")
def upstream_tls(authority):
    """What a played provider serves with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def sidecar(authority, ledger, tmp_path_factory):
    """Starts a gateway beside its client: plain HTTP, open to whoever reaches it."""

    @contextmanager
    def start(upstream, provider, environ):
        folder = _folder(tmp_path_factory, authority)
        route = ROUTE.format(provider=provider, upstream=upstream.url, auth="[]")
        (folder / "pyproxy.toml").write_text(SIDECAR + route)
        with serving(folder, environ=environ) as (gateway, port), _hop(folder, port) as hop:
            ground = Ground("http", PLACEHOLDER, None, hop, gateway)
            with _watched(ledger, ground, upstream, provider, environ):
                yield ground

    return start


@pytest.fixture(scope="session")
def premises(authority, tmp_path_factory):
    """A folder with a gateway's certificate and a client's key, as its commands make them."""
    folder = _folder(tmp_path_factory, authority)
    (folder / "pyproxy.toml").write_text(OFFICE)
    key, made = run(folder, "keys", "new", "alice"), run(folder, "cert")
    assert (key.returncode, made.returncode) == (0, 0), key.stderr + made.stderr
    return folder, key.stdout.strip()


@pytest.fixture(scope="session")
def office(premises, ledger, tmp_path_factory):
    """Starts a gateway for many: TLS by an authority of its own, and a key for each client."""

    @contextmanager
    def start(upstream, provider, environ):
        furnished, key = premises
        folder = tmp_path_factory.mktemp("office")
        shutil.copytree(furnished, folder, dirs_exist_ok=True)
        route = ROUTE.format(provider=provider, upstream=upstream.url, auth='["key"]')
        (folder / "pyproxy.toml").write_text(OFFICE + route)
        with serving(folder, environ=environ) as (gateway, port), _hop(folder, port) as hop:
            ground = Ground("https", key, str(folder / "certs" / "ca.crt"), hop, gateway)
            with _watched(ledger, ground, upstream, provider, environ):
                yield ground

    return start


@contextmanager
def _watched(ledger, ground, upstream, provider, environ):
    """Tell the ledger of every secret on this ground, and of all that is seen there."""
    owner = f"agents' {provider}"
    for key in environ.values():
        ledger.adopt(key, Role.PROVIDER, owner)
    ledger.adopt(ground.credential, Role.CLIENT if ground.ca else Role.PLACEHOLDER)
    hop = ground.hop
    with ExitStack() as stack:
        for kind, read in (
            (Kind.UPSTREAM, lambda: upstream.received),
            (Kind.LOG, lambda: ground.gateway.output().encode()),
            (Kind.SEALED if ground.ca else Kind.SENT, lambda: hop.sent),
            (Kind.SEALED if ground.ca else Kind.ANSWER, lambda: hop.answered),
            (Kind.OUTPUT, lambda: hop.printed),
        ):
            stack.enter_context(ledger.watching(kind, owner, read))
        # Its last words are among them.
        stack.callback(ground.gateway.stop)
        yield


def _folder(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("gateway")
    authority.cert_pem.write_to_path(str(folder / "upstream.crt"))
    return folder


def _hop(folder, port):
    return recording(folder / "hop", port)


@pytest.fixture
def upstream(play, upstream_tls):
    """The provider, as the module's ``play`` answers."""
    with playing(play, upstream_tls) as running:
        yield running


@pytest.fixture
def beside(sidecar, upstream, provider):
    """A sidecar of the module's ``provider``: any credential does, and none is looked at."""
    with sidecar(upstream, *provider) as ground:
        yield ground


@pytest.fixture
def away(office, upstream, provider):
    """A gateway for many: TLS, and a key of the client's own."""
    with office(upstream, *provider) as ground:
        yield ground
