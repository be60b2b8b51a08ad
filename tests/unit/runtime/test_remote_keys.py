"""The remote key set of a configuration."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from pyproxy.config.auth import JwtSettings
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.key_sets import KeySets
from pyproxy.runtime.remote_keys import remote_key_set
from pyproxy.telemetry.audit import AuditLog
from pyproxy.telemetry.log import Log

WALL = 1_750_000_000.0


@pytest.fixture
def lines():
    return []


@pytest.fixture
def journal(lines):
    log = Log(lines.append, lambda: WALL)
    return SimpleNamespace(log=log, audit=AuditLog(lines.append), wall=lambda: WALL)


async def test_without_a_url_there_is_none(journal):
    loop = asyncio.get_running_loop()

    assert remote_key_set(JwtSettings(), KeySets(), journal, loop) is None


@pytest.mark.parametrize("name", ["jwks_url", "issuer_url"])
async def test_a_source_that_is_down_is_told(journal, lines, name):
    # Nobody listens on the discard port; no name is resolved.
    jwt = JwtSettings().model_copy(update={name: "https://127.0.0.1:9/"})
    sets = KeySets()
    source = remote_key_set(jwt, sets, journal, asyncio.get_running_loop())

    async with source._session_factory() as session:
        await source.refresh(session)

    audited, logged = map(json.loads, lines)
    assert (audited["event"], audited["result"]) == ("jwks.reloaded", "failed")
    assert (logged["event"], logged["keys"]) == ("jwks.reloaded", "none")
    assert sets.current == KeySet()
