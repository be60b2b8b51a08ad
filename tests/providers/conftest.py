"""Every provider played on loopback, a gateway in front of them, and a ledger of who saw what."""

import http.client
import json
import ssl
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.lab.gateway import run, serving
from tests.providers.anthropic_play import AnthropicPlay
from tests.providers.azure_play import AzurePlay
from tests.providers.copilot_play import CopilotPlay
from tests.providers.elevenlabs_play import ElevenLabsPlay
from tests.providers.gemini_play import GeminiPlay
from tests.providers.ledger import GATEWAY, Kind, Ledger, Role
from tests.providers.openai_play import OpenAIPlay
from tests.providers.tap import Tap
from tests.providers.upstream import PATIENCE_S
from tests.providers.ways import VARIABLES, Way, configuration

PLAYS = {
    OpenAIPlay: "sk-proj-",
    AzurePlay: "",
    AnthropicPlay: "sk-ant-",
    GeminiPlay: "AIza",
    CopilotPlay: "ghu_",
    ElevenLabsPlay: "sk_",
}
HERE = Path(__file__).parent
LAST = "test_leaks.py"
_PASSED = pytest.StashKey[set]()


def pytest_collection_modifyitems(items):
    """Look for leaks when everything else here has been said; a fixture's end comes later."""
    places = [i for i, item in enumerate(items) if item.path.is_relative_to(HERE)]
    ordered = sorted((items[i] for i in places), key=lambda item: item.path.name == LAST)
    for i, item in zip(places, ordered, strict=True):
        items[i] = item


def pytest_runtest_makereport(item, call):
    """Keep which tests here have passed."""
    if call.when == "call" and call.excinfo is None:
        name = f"{item.path.relative_to(HERE)}::{item.name}"
        item.session.stash.setdefault(_PASSED, set()).add(name)


@pytest.fixture
def passed(request):
    """Tests that have passed so far, each as ``FILE::NAME``."""
    return request.session.stash.get(_PASSED, frozenset())


@pytest.fixture(scope="session")
def ledger():
    """Every secret of these tests, and all that was seen."""
    return Ledger()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The plays' authority in a file, and their TLS."""
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("authority") / "ca.crt"
    authority.cert_pem.write_to_path(str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return path, context


@pytest.fixture(scope="session")
def plays(ledger, certificates):
    """Every provider, by its name."""
    with ExitStack() as stack:
        made = {}
        for kind, prefix in PLAYS.items():
            key = ledger.make(Role.PROVIDER, kind.name, prefix)
            play = stack.enter_context(kind(key, certificates[1]))
            read = partial(bytes, play.received)
            stack.enter_context(ledger.watching(Kind.UPSTREAM, kind.name, read))
            made[kind.name] = play
        yield made


@pytest.fixture(scope="session")
def start(ledger, certificates, plays, tmp_path_factory):
    """Starts a gateway in front of the plays while a block runs; gives the way through it."""

    @contextmanager
    def start_(environ):
        folder = tmp_path_factory.mktemp("gateway")
        (folder / "pyproxy.toml").write_text(configuration(plays, certificates[0]))
        key = ledger.adopt(
            run(folder, "keys", "new", "alice", "--file", "keys").stdout.strip(), Role.CLIENT
        )
        made = run(folder, "cert")
        assert made.returncode == 0, made.stderr
        authority = folder / "certs" / "ca.crt"
        tap = Tap([authority])
        with ExitStack() as stack:
            secret, token = ledger.make(Role.SHARED), ledger.make(Role.OPERATOR)
            secrets = {"PROXY_SECRET": secret, "ADMIN_TOKEN": token}
            process, port = stack.enter_context(serving(folder, environ={**environ, **secrets}))
            audit = folder / "audit.jsonl"
            for kind, read in (
                (Kind.LOG, lambda: process.output().encode()),
                (Kind.AUDIT, audit.read_bytes),
                (Kind.ANSWER, lambda: bytes(tap.received)),
            ):
                stack.enter_context(ledger.watching(kind, GATEWAY, read))
            # Its last words are among them.
            stack.callback(process.stop)
            yield Way(
                lambda name: f"https://localhost:{port}/{name}",
                lambda _: key,
                tap.context,
                str(authority),
                secret,
                partial(look, ledger, process, token),
            )

    return start_


def look(ledger, process, token, path):
    """Ask a gateway's admin listener, as an operator and as a stranger; tell the ledger."""
    lines = (json.loads(line) for line in process.output().splitlines() if line.startswith("{"))
    port = next(line["port"] for line in lines if line["event"] == "admin.ready")
    for shown in (token, "not-" + token, ""):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        with closing(connection):
            fields = {"Authorization": f"Bearer {shown}"} if shown else {}
            connection.request("GET", path, headers=fields)
            answer = connection.getresponse()
            ledger.record(Kind.ADMIN, GATEWAY, bytes(answer.headers) + answer.read())


@pytest.fixture(scope="session")
def through(start, plays):
    """The way through a gateway that has every provider's key."""
    with start({VARIABLES[name]: play.key for name, play in plays.items()}) as way:
        yield way


@pytest.fixture(scope="session")
def bare(start):
    """The way through a gateway that has none."""
    with start({}) as way:
        yield way


@pytest.fixture(scope="session")
def straight(plays, certificates):
    """The way past it, with the provider's own key."""
    path = str(certificates[0])
    return Way(
        lambda name: plays[name].url,
        lambda name: plays[name].key,
        ssl.create_default_context(cafile=path),
        path,
    )


@pytest.fixture(params=["straight", "through"])
def way(request):
    """Each of the two, with the same result."""
    return request.getfixturevalue(request.param)
