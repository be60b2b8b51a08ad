"""No secret of these tests was seen where it must not be; runs last, over all that was seen."""

import base64

import pytest

from tests.providers.ledger import GATEWAY, Kind, Ledger, Role
from tests.providers.ways import VARIABLES


def test_nobody_saw_a_secret_that_is_not_for_him(ledger, through, plays):
    for name in VARIABLES:
        through.ask(name, "GET", "/v1/models", {"Authorization": through.key(name)})

    assert not ledger.leaks()
    ours = {(kind, GATEWAY) for kind in (Kind.LOG, Kind.AUDIT, Kind.ANSWER)}
    assert ledger.seen() >= {(Kind.UPSTREAM, name) for name in plays} | ours


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
