import json
from urllib.parse import urlsplit

import pytest

from pyproxy.cli.client_probe import PROBES, probe
from pyproxy.errors.refusal import (
    AddressNotAllowed,
    AmbiguousCredentials,
    CredentialMissing,
    ExpiredToken,
    InvalidSharedSecret,
    InvalidToken,
    MissingToken,
    NotFound,
    PathDenied,
    RateLimited,
    UserNotAllowed,
)
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.providers.clients import CLIENTS
from pyproxy.routing.pattern import DeniedPaths
from pyproxy.transform.dialect import render

BY_BASE = {each.base_url: each for each in PROBES}
KEYS = {"OPENAI_API_KEY": "pyp_a-key", "OPENAI_CUSTOM_HEADERS": "X-Team: a"}


@pytest.fixture
def refused(answering):
    """What clients of an API are told where the gateway answers so."""

    def told(refusal, dialect="plain", base="OPENAI_BASE_URL", environ=KEYS):
        status, fields, body = render(refusal, dialect, "r1")
        url = f"http://127.0.0.1:{answering(status=status, fields=fields, body=body)}"
        return [str(each) for each in probe(BY_BASE[base], urlsplit(url), environ, 5.0)]

    return told


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini", "plain"])
@pytest.mark.parametrize(
    "kind",
    [
        AddressNotAllowed,
        MissingToken,
        InvalidToken,
        ExpiredToken,
        InvalidSharedSecret,
        AmbiguousCredentials,
        UserNotAllowed,
    ],
)
def test_who_is_turned_away_is_told_in_every_dialect(refused, kind, dialect):
    (fault,) = refused(kind(), dialect)

    assert fault == (
        f"OPENAI_BASE_URL: the gateway answers {kind.status} {kind.code} "
        "to whoever shows OPENAI_API_KEY and OPENAI_CUSTOM_HEADERS"
    )


def test_path_without_a_route_is_told(refused):
    (fault,) = refused(NotFound())

    assert fault.startswith("OPENAI_BASE_URL: leads to a path that no route takes")


@pytest.mark.parametrize(
    "refusal", [PathDenied(), RateLimited(), CredentialMissing.naming(("A",))], ids=str
)
def test_who_was_let_in_is_fine(refused, refusal):
    assert refused(refusal) == []


@pytest.mark.parametrize("base", ["COPILOT_API_URL", "ELEVENLABS_BASE_URL"])
@pytest.mark.parametrize("kind", [MissingToken, InvalidSharedSecret])
def test_field_that_may_be_in_code_is_not_missed(refused, base, kind):
    assert refused(kind(), base=base) == []
    assert refused(InvalidToken(), base=base)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(404, {"error": "not_found"}, id="its not found"),
        pytest.param(401, {"error": {"code": "invalid_api_key", "message": "No."}}, id="its 401"),
        pytest.param(401, {"error": ["invalid_token"]}, id="list"),
        pytest.param(405, [], id="its 405"),
    ],
)
def test_what_the_upstream_says_is_fine(answering, status, body):
    url = f"http://127.0.0.1:{answering(status=status, body=json.dumps(body).encode())}"

    assert list(probe(BY_BASE["OPENAI_BASE_URL"], urlsplit(url), KEYS, 5.0)) == []


def test_upstream_that_says_nothing_is_fine(unused_port):
    url = urlsplit(f"http://127.0.0.1:{unused_port}")

    assert list(probe(BY_BASE["OPENAI_BASE_URL"], url, KEYS, 5.0)) == []


@pytest.mark.parametrize("key", ["pyp_a\n", "pyp_ä€"])
def test_key_that_cannot_be_sent_is_told(answering, key):
    url = urlsplit(f"http://127.0.0.1:{answering()}")

    (fault,) = probe(BY_BASE["OPENAI_BASE_URL"], url, {"OPENAI_API_KEY": key}, 5.0)

    assert "OPENAI_API_KEY holds a character" in str(fault)
    assert "pyp_" not in str(fault)


def test_field_of_the_environment_wins_over_the_key():
    environ = {"OPENAI_API_KEY": "a", "OPENAI_CUSTOM_HEADERS": "Authorization: b\nX: c:d\nnone"}

    assert BY_BASE["OPENAI_BASE_URL"].head(environ) == {"authorization": "b", "x": "c:d"}


def test_google_prefers_the_key_that_its_sdk_does():
    environ = {"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}

    assert BY_BASE["GOOGLE_GEMINI_BASE_URL"].head(environ) == {"x-goog-api-key": "b"}


def test_every_client_is_asked_for():
    bases = {name for several in CLIENTS.values() for each in several for name, _ in each.base_urls}

    assert bases == set(BY_BASE)


@pytest.mark.parametrize(
    "provider", [name for name, preset in CATALOGUE.items() if preset.credential_paths]
)
def test_request_ends_at_a_gateway_that_holds_the_providers_key(provider):
    closed = DeniedPaths.of(CATALOGUE[provider].credential_paths)
    (clients,) = CLIENTS[provider]

    for name, end in clients.base_urls:
        assert closed.denies(f"{end}{BY_BASE[name].path}".encode())
