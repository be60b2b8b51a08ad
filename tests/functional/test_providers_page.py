"""docs/providers.md says what is so."""

import json
import re
from pathlib import Path

import pytest

from pyproxy.config.load import load
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.providers.clients import CLIENTS

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
TEXT = PAGE.read_text(encoding="utf-8")
_, _, TABLE = TEXT.partition("\n| `provider` |")
ROWS = dict(re.findall(r"^\| `([a-z-]+)` \|(.*)$", TABLE, re.MULTILINE))


def test_every_preset_has_its_line():
    assert ROWS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("name", CATALOGUE)
def test_line_says_where_the_api_is_and_how_it_is_shown_its_key(name):
    preset, row = CATALOGUE[name], ROWS[name]
    expected = [preset.origin, preset.target_variable, *dict(preset.request_defaults)]
    if preset.credential is not None:
        expected += [preset.credential.header, *preset.credential.variables]

    said = [part.decode() if isinstance(part, bytes) else part for part in expected]
    assert [part for part in said if part.lower() not in row.lower()] == []


@pytest.mark.parametrize("name", CLIENTS)
def test_variables_of_clients_are_named(name):
    read = [clients for clients in CLIENTS[name] if clients.finds_itself]

    assert all(clients.base_urls[0][0] in TEXT and clients.keys[0] in TEXT for clients in read)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
def test_configurations_are_sound(block, tmp_path):
    (tmp_path / "pyproxy.toml").write_text(block)

    assert load(Path("pyproxy.toml"), {"API_KEY": "a-key-of-somebodys-own"}, tmp_path).settings


async def test_missing_credential_looks_as_is_shown(start, upstream):
    (shown,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    gateway = await start(upstream, route='provider = "openai"')

    assert (await gateway.ask("POST", "/v1/responses", body=b"{}")).json == json.loads(shown)


@pytest.mark.parametrize(
    "page", [PAGE, PAGE.parents[1] / "deploy" / "README.md"], ids=lambda page: page.name
)
def test_links_and_files_are_there(page):
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    files = re.findall(r"-c (deploy/\S+\.toml)", text)

    assert links
    assert files
    assert all((page.parent / link).exists() for link in links)
    assert all((PAGE.parents[1] / file).exists() for file in files)
