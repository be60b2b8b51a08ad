"""The remote key set of a configuration."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from pyproxy.config.auth import JwtSettings
from pyproxy.config.egress import EgressSettings
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime.remote_keys import remote_key_set
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.log import Log

WALL = 1_750_000_000.0

NO_PROXY = EgressSettings().proxy_for


@pytest.fixture
def lines():
    return []


@pytest.fixture
def local():
    """A set of one key."""
    document = json.dumps(generate_key_set("ES256")).encode()
    return KeySet.parse(document, algorithms=["ES256"], source="file", public_only=False)


@pytest.fixture
def journal(lines):
    log = Log(lines.append, lambda: WALL)
    return SimpleNamespace(log=log, audit=AuditLog(lines.append), wall=lambda: WALL)


@pytest.mark.parametrize("name", ["jwks_url", "issuer_url"])
async def test_a_source_that_is_down_is_told(journal, lines, name):
    # Nobody listens on the discard port; no name is resolved.
    jwt = JwtSettings().model_copy(update={name: "https://127.0.0.1:9/"})
    sets = KeySets()
    source = remote_key_set(jwt, sets, journal, asyncio.get_running_loop(), NO_PROXY)

    async with source._session_factory() as session:
        await source.refresh(session)

    audited, logged = map(json.loads, lines)
    assert (audited["event"], audited["result"]) == ("jwks.reloaded", "failed")
    assert (logged["event"], logged["keys"], logged["level"]) == ("jwks.reloaded", "none", "error")
    assert logged["reason"] == "connection refused"
    assert logged["message"] == "no token can be verified until it answers"
    assert sets.current == KeySet()


async def test_a_source_that_is_down_leaves_the_local_keys(journal, lines, local):
    jwt = JwtSettings().model_copy(update={"jwks_url": "https://127.0.0.1:9/"})
    source = remote_key_set(
        jwt, KeySets(local=local), journal, asyncio.get_running_loop(), NO_PROXY
    )

    async with source._session_factory() as session:
        await source.refresh(session)

    logged = json.loads(lines[1])
    assert logged["message"] == "only tokens of the local keys can be verified until it answers"


@pytest.mark.parametrize(
    ("details", "level", "message"),
    [
        pytest.param({"result": "ok", "keys": "1"}, "info", "", id="fetched"),
        pytest.param(
            {"result": "failed", "keys": "kept"},
            "warning",
            "the keys fetched last stay in force up to jwks_max_age",
            id="kept",
        ),
        pytest.param(
            {"result": "failed", "keys": "lost"},
            "error",
            "no token can be verified until it answers",
            id="lost",
        ),
        pytest.param(
            {"result": "ok", "keys": "1", "alarm": "private keys published: a"},
            "error",
            "the source shows keys that should be secret; they are not used",
            id="alarm",
        ),
        pytest.param(
            {"result": "ok", "keys": "1", "refused": "1"},
            "warning",
            "some keys of the set are not used",
            id="refused",
        ),
    ],
)
async def test_what_follows_is_said(journal, lines, details, level, message):
    jwt = JwtSettings().model_copy(update={"jwks_url": "https://127.0.0.1:9/"})
    source = remote_key_set(jwt, KeySets(), journal, asyncio.get_running_loop(), NO_PROXY)

    source._on_event("jwks.reloaded", details)

    _, logged = map(json.loads, lines)
    assert (logged["level"], logged.get("message", "")) == (level, message)
