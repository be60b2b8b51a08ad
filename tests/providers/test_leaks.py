"""No secret of these tests was seen where it must not be; runs last, over all that was seen."""

import base64
from pathlib import Path

import pytest

from tests.providers.ledger import GATEWAY, Kind, Ledger, Role
from tests.providers.ways import VARIABLES

HERE = Path(__file__).parent
SAID = "test_it_runs_a_command_and_says_what_came_of_it"
OPEN = (Kind.UPSTREAM, Kind.LOG, Kind.SENT, Kind.ANSWER, Kind.OUTPUT)
SEALED = (Kind.UPSTREAM, Kind.LOG, Kind.SEALED, Kind.OUTPUT)
# What has been seen, and whose it is, once a test has passed.
SEEN = {
    f"agents/test_claude_code.py::{SAID}[sidecar]": ("agents' anthropic", OPEN),
    f"agents/test_claude_code.py::{SAID}[office]": ("agents' anthropic", SEALED),
    f"agents/test_codex.py::{SAID}[http-sidecar]": ("agents' openai", OPEN),
    f"agents/test_codex.py::{SAID}[websocket-sidecar]": ("agents' openai", OPEN),
    f"agents/test_codex.py::{SAID}[http-office]": ("agents' openai", SEALED),
    f"agents/test_codex.py::{SAID}[websocket-office]": ("agents' openai", SEALED),
    "egress/test_squid.py::test_allowed_domain_passes": (
        "squid",
        (Kind.UPSTREAM, Kind.PROXY_LOG, Kind.LOG, Kind.ANSWER),
    ),
    "egress/test_squid.py::test_check_finds_what_requests_will_find": ("squid", (Kind.OUTPUT,)),
    "test_sidecar.py::test_env_prints_no_key": ("sidecar.toml", (Kind.LOG, Kind.OUTPUT)),
    "test_sidecar.py::test_body_of_more_than_ten_megabytes_is_refused": (
        "sidecar.toml",
        (Kind.ANSWER,),
    ),
    "test_k8s_egress.py::test_health_needs_no_secret": (
        "k8s-egress.toml",
        (Kind.LOG, Kind.ANSWER),
    ),
    "test_env.py::test_sdks_need_nothing_but_what_it_prints_and_a_key": (
        "office.toml",
        (Kind.LOG, Kind.OUTPUT),
    ),
}


def test_nobody_saw_a_secret_that_is_not_for_him(ledger, through, plays):
    for name in VARIABLES:
        through.ask(name, "GET", "/v1/models", {"Authorization": through.key(name)})

    for path in ("/metrics", "/status", "/ready", "/bans", "/", "/nothing", "/../x"):
        through.look(path)

    assert not ledger.leaks()
    ours = {(kind, GATEWAY) for kind in (Kind.LOG, Kind.AUDIT, Kind.ANSWER, Kind.ADMIN)}
    assert ledger.seen() >= {(Kind.UPSTREAM, name) for name in plays} | ours


@pytest.mark.parametrize("test", SEEN)
def test_what_a_test_has_to_show_was_seen(ledger, passed, test):
    owner, kinds = SEEN[test]

    assert test not in passed or ledger.seen() >= {(kind, owner) for kind in kinds}


@pytest.mark.parametrize("name", sorted({test.partition("[")[0] for test in SEEN}))
def test_what_has_something_to_show_goes_by_its_name(passed, name):
    file, _, function = name.partition("::")

    assert f"def {function}(" in (HERE / file).read_text()
    assert {test for test in passed if test.partition("[")[0] == name} <= SEEN.keys()


@pytest.mark.parametrize(
    ("role", "owner", "kind", "whose"),
    [
        pytest.param(Role.CLIENT, GATEWAY, Kind.UPSTREAM, "openai", id="client's key upstream"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.LOG, GATEWAY, id="client's key in the log"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.AUDIT, GATEWAY, id="client's key in the audit"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.ANSWER, GATEWAY, id="client's key in an answer"),
        pytest.param(Role.PROVIDER, "openai", Kind.UPSTREAM, "gemini", id="key at another's"),
        pytest.param(Role.PROVIDER, "openai", Kind.LOG, GATEWAY, id="key in the log"),
        pytest.param(Role.PROVIDER, "openai", Kind.ANSWER, GATEWAY, id="key in an answer"),
        pytest.param(Role.PROVIDER, "openai", Kind.PROXY, "proxy", id="key at the proxy"),
        pytest.param(Role.SHARED, GATEWAY, Kind.UPSTREAM, "openai", id="shared secret upstream"),
        pytest.param(Role.PROXY, "proxy", Kind.UPSTREAM, "openai", id="password upstream"),
        pytest.param(Role.PROXY, "proxy", Kind.LOG, GATEWAY, id="password in the log"),
        pytest.param(Role.PROXY, "proxy", Kind.PROXY_LOG, "proxy", id="password in a proxy's log"),
        pytest.param(Role.PROVIDER, "openai", Kind.SENT, GATEWAY, id="key in a question"),
        pytest.param(Role.PROVIDER, "openai", Kind.OUTPUT, GATEWAY, id="key on a screen"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.OUTPUT, GATEWAY, id="client's key on a screen"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.ADMIN, GATEWAY, id="client's key to operators"),
        pytest.param(Role.PROVIDER, "openai", Kind.ADMIN, GATEWAY, id="key to operators"),
        pytest.param(Role.OPERATOR, GATEWAY, Kind.ADMIN, GATEWAY, id="operators' own to them"),
        pytest.param(Role.OPERATOR, GATEWAY, Kind.LOG, GATEWAY, id="operators' in the log"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.SEALED, GATEWAY, id="client's key in the open"),
    ],
)
@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda text: text, id="whole"),
        pytest.param(lambda text: text[:20] + "...", id="its start"),
        pytest.param(lambda text: "..." + text[-14:], id="its end"),
        pytest.param(
            lambda text: base64.b64encode(f"user:{text}".encode()).decode(), id="in Basic"
        ),
    ],
)
def test_leak_is_found(role, owner, kind, whose, written):
    ledger = Ledger()
    text = ledger.make(role, owner, prefix="sk-proj-")
    ledger.record(kind, whose, f"before {written(text)} behind".encode())

    (found,) = {sentence.partition(": b")[0] for sentence in ledger.leaks()}
    assert role.value in found
    assert kind.value in found


@pytest.mark.parametrize(
    ("role", "owner", "kind", "whose"),
    [
        pytest.param(Role.PROVIDER, "openai", Kind.UPSTREAM, "openai", id="key at its provider's"),
        pytest.param(Role.PROXY, "proxy", Kind.PROXY, "proxy", id="password at its proxy"),
        pytest.param(Role.CLIENT, GATEWAY, Kind.SENT, GATEWAY, id="client's key with a client"),
        pytest.param(Role.SHARED, GATEWAY, Kind.SENT, GATEWAY, id="shared secret with a client"),
        pytest.param(Role.PLACEHOLDER, GATEWAY, Kind.OUTPUT, GATEWAY, id="placeholder as printed"),
    ],
)
def test_secret_in_its_place_is_no_leak(role, owner, kind, whose):
    ledger = Ledger()
    ledger.record(kind, whose, ledger.make(role, owner).encode())

    assert not ledger.leaks()


def test_what_is_watched_is_kept_when_it_ends():
    ledger = Ledger()
    text, lines = ledger.make(Role.CLIENT), bytearray()
    with ledger.watching(Kind.LOG, GATEWAY, lambda: lines):
        assert not ledger.seen()
        lines += text.encode()
        assert len(ledger.leaks()) == 1
    lines.clear()

    assert len(ledger.leaks()) == 1
    assert ledger.seen() == {(Kind.LOG, GATEWAY)}
