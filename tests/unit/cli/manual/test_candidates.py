from pathlib import Path

import click
import pytest

from pyproxy.cli.manual.candidates import key_names, methods, route_names

PARAM = click.Argument(["name"])
KEYS = "alice:sha256:00\n# bob:sha256:00\nuser:plain-key\nann:$2b$12$x\nplain\n"


@pytest.fixture
def ctx(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("API_KEYS_FILE", raising=False)
    return click.Context(click.Command("x"))


def test_methods_are_found_in_either_case(ctx):
    assert methods(ctx, PARAM, "pa") == ["PATCH"]


def test_only_names_of_hashed_keys_are_told(ctx):
    Path("api_keys.txt").write_text(KEYS)

    assert key_names(ctx, PARAM, "") == ["alice", "ann"]


@pytest.mark.parametrize("named_by", ["option", "configuration", "environment"])
def test_the_keys_file_is_the_one_that_counts(ctx, monkeypatch, named_by):
    Path("others").write_text(KEYS)
    if named_by == "option":
        ctx.params["keys_file"] = Path("others")
    elif named_by == "configuration":
        Path("here.toml").write_text("[auth]\nkeys_file = 'others'\n")
        ctx.params["config_file"] = Path("here.toml")
    else:
        monkeypatch.setenv("API_KEYS_FILE", "others")

    assert key_names(ctx, PARAM, "al") == ["alice"]


def test_routes_are_those_of_the_configuration(ctx):
    Path("pyproxy.toml").write_text('[[routes]]\nname = "a"\n[[routes]]\nname = 1\n')

    assert route_names(ctx, PARAM, "") == ["a"]


@pytest.mark.parametrize(
    "name", ["$(touch x)", "`id`", "a;b", "a b", "*", "~", "-a", "a\\\\b", "a'b", "\\u001b[2Ja"]
)
def test_a_name_that_a_shell_would_not_leave_alone_is_not_offered(ctx, name):
    Path("pyproxy.toml").write_text(
        f'[[routes]]\nname = "{name}"\n[[routes]]\nname = "gr\u00fcn:1"\n'
    )

    assert route_names(ctx, PARAM, "") == ["gr\u00fcn:1"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"routes = [", id="no TOML"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"a = " + b"9" * 5000, id="too many digits"),
        pytest.param(b"#" * (1024 * 1024 + 1), id="too long"),
    ],
)
def test_whatever_is_wrong_offers_nothing(ctx, content):
    if content is not None:
        Path("pyproxy.toml").write_bytes(content)

    assert route_names(ctx, PARAM, "") == []
