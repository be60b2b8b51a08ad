"""docs/configuration.md says what the settings are."""

import re
from pathlib import Path

import pytest

from pyproxy.config.environment import Environment
from pyproxy.config.load import load
from pyproxy.config.outline import ANY, every_key
from pyproxy.config.quantities import Rate
from pyproxy.config.surroundings import Surroundings
from pyproxy.identity.keys_file import parse_keys_file
from pyproxy.providers.catalogue import CATALOGUE
from tests.docs.pages import building

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
ANCHORS = set(re.findall(r'<a id="([\w.]+)"></a>', TEXT)) - {"secrets"}
OF_COMMANDS = {"PYPROXY_CONFIG", "NO_COLOR", "FORCE_COLOR"}


def variables(part):
    _, _, rest = TEXT.partition(f"<!-- made: {part} -->")
    return set(re.findall(r"^\| `([A-Z_]+)` \|", rest.partition("<!-- end")[0], re.MULTILINE))


def test_its_tables_are_what_the_settings_make():
    done = building("reference")

    assert done.returncode == 0, done.stderr


def test_every_key_has_a_place_to_link_to():
    keys = {".".join(part for part in key if part != ANY) for key in every_key()}

    explained = {anchor.replace(".NAME", "") for anchor in ANCHORS}
    tables = {key for key in explained if any(other.startswith(f"{key}.") for other in explained)}

    assert keys == explained - tables


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
def test_examples_are_sound(block, tmp_path):
    (tmp_path / "pyproxy.toml").write_text(block)

    assert load(Path("pyproxy.toml"), {"API_KEY": "a-key-of-somebodys-own"}, tmp_path).settings


def test_every_variable_that_is_read_is_told_and_no_other():
    class Noting(dict):
        def get(self, name, default=None):
            asked.add(name)
            return super().get(name, default)

    asked = set()
    environment = Environment(Surroundings(Noting(), str, lambda _: ""))
    environment.fill({"routes": [{"auth": ["token"]}], "egress": {"proxy": "http://proxy:3128"}})
    read = {name for name in asked if name.isupper() and not name.endswith("_FILE")}

    assert variables("variables") == read | OF_COMMANDS | {"API_KEYS_FILE"}


def test_every_variable_of_a_provider_is_told():
    read = {
        name
        for preset in CATALOGUE.values()
        for name in (
            preset.target_variable,
            *(preset.credential.variables if preset.credential else ()),
            *(preset.derived_from or ())[:1],
        )
        if name
    }

    assert variables("variables of providers") == read


def test_the_keys_file_that_is_shown_is_one():
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)

    alice, bob, plain = parse_keys_file(shown, "keys")

    assert (alice.name, alice.scheme) == ("alice", "sha256")
    assert (bob.name, bob.scheme, bob.routes) == ("bob", "bcrypt", {"openai", "claude"})
    assert bob.limit == Rate.parse("20r/s")
    assert (plain.name, plain.scheme, plain.is_short) == ("", "plain", False)
