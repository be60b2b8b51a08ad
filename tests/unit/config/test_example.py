"""config.example.toml: every key, with its default."""

import re
import tomllib
from pathlib import Path

import pytest

from pyproxy.config.load import load
from pyproxy.config.outline import ANY, every_key
from pyproxy.config.settings import Settings

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
KEY = {"API_KEY": "k" * 20}
SHOWN = re.compile(r"^#(?=[a-z_]+ = )", re.MULTILINE)
# Freely named: every one has the same keys.
NAMED = {"rate_limits"}


def uncommented():
    lines, seen = [], set()
    for line in SHOWN.sub("", EXAMPLE.read_text()).splitlines():
        key = line.partition(" = ")[0]
        if line.startswith("["):
            seen = set()
        if " = " in line and not line.startswith("#"):
            if key in seen:  # shown in a second form
                continue
            seen.add(key)
        lines.append(line)
    return tomllib.loads("\n".join(lines))


def paths_of(node, above=()):
    if isinstance(node, list) and node and isinstance(node[0], dict):
        node = {ANY: node[0]}
    if not isinstance(node, dict) or not node:
        return {above}
    paths = set()
    for key, value in node.items():
        paths |= paths_of(value, (*above, ANY if above[-1:] and above[-1] in NAMED else key))
    return paths


def test_the_example_says_what_is_so_anyway():
    folder = EXAMPLE.parent

    assert load(EXAMPLE, KEY, folder).settings == load(None, KEY, folder).settings


def test_the_example_leaves_nothing_to_remark():
    assert load(EXAMPLE, KEY, EXAMPLE.parent).remarks == ()


def test_the_example_shows_every_key_and_no_other():
    # Its two forms cannot stand in one table; both are shown.
    assert "query = " in EXAMPLE.read_text()
    forms = {("routes", ANY, "credential", "query")}

    assert paths_of(uncommented()) | forms == set(every_key())


@pytest.mark.parametrize(
    "section", ["server", "auth", "endpoints", "headers", "cors", "egress", "metrics", "store"]
)
def test_what_is_shown_is_the_default(section):
    shown = uncommented()[section]
    if section == "server":
        del shown["admin_token"]  # there is none by default
    if section == "auth":
        del shown["jwt"]["jwks_file"]  # its default is to look for this one

    assert getattr(Settings.model_validate({section: shown}), section) == getattr(
        Settings(), section
    )


def test_the_example_is_narrow_enough_to_read():
    assert all(len(line) <= 105 for line in EXAMPLE.read_text().splitlines())
