"""What every command's help looks like, and whether what it says to type works."""

import io
import re
import shlex
from contextlib import suppress

import click
import pytest

from pyproxy.cli.command import Group, Program
from pyproxy.cli.env_formats import WRITERS
from pyproxy.cli.main import commands, run as cli_run
from pyproxy.cli.manual import clients, keys
from pyproxy.identity.jws_algorithms import ALGORITHMS

CONFIG = """
[[listeners]]
bind = "0.0.0.0:5000"
[auth]
keys = ["a-plain-key-of-somebody"]
[[routes]]
name = "openai"
provider = "generic"
upstream = "http://127.0.0.1:1"
"""
# What an example needs that is not here: a running gateway, a person, a package's folder.
NOT_RUN = ("serve", "top", "health", "bans", "completion", "check --strict", "check --client")
# What has to be there first.
NEEDED = {
    "keys list": ("keys new alice",),
    "keys revoke": ("keys new alice",),
    "jwks public": ("jwks new",),
    "jwks rotate": ("jwks new",),
}


def every(command=commands, path=("pyproxy",)):
    yield path, command
    if isinstance(command, Group):
        for name, each in command.commands.items():
            yield from every(each, (*path, name))


EVERY = [pytest.param(path, command, id=" ".join(path)) for path, command in every()]
LEAVES = [each for each in EVERY if not isinstance(each.values[1], Group)]
EXAMPLES = [
    pytest.param(example.line, id=example.line.split("\n")[0])
    for _, command in every()
    for example in command.examples
]


def help_of(path, command, width):
    ctx = None
    for name, each in zip(path, [*_above(path), command], strict=True):
        ctx = click.Context(
            each, info_name=name, parent=ctx, terminal_width=width,
            help_option_names=["-h", "--help"], max_content_width=100,
        )  # fmt: skip
    return command.get_help(ctx)


def _above(path):
    command = commands
    for name in path[1:]:
        yield command
        command = command.commands[name]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(("path", "command"), EVERY)
def test_help_fits(path, command, width):
    text = help_of(path, command, width)
    examples = {line.strip() for each in command.examples for line in each.line.split("\n")}

    for line in text.splitlines():
        assert len(line) <= (80 if line.strip() in examples else width), line
        assert line == line.rstrip()


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_summary_is_one_sentence(path, command):
    assert re.fullmatch(r"[A-Z][^.]*(?:\.\w[^.]*)*\.", command.summary), path
    assert len(command.summary) <= 64


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_option_is_described(path, command):
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help, (path, param)
            assert param.help[0].isupper() or param.name == "form", (path, param)
            assert param.help.endswith("."), (path, param)


@pytest.mark.parametrize(("path", "command"), LEAVES)
def test_every_command_has_an_example_and_its_program(path, command):
    assert command.examples, path
    assert isinstance(command.callback, Program)

    code = command.callback.load().__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    assert set(names) == {param.name for param in command.params if param.expose_value}


def arguments_of(line):
    """What pyproxy is given, in a line of a shell."""
    line = line.replace("\\\n", " ")
    inner = re.search(r"\$\((pyproxy [^)]*)\)", line)
    text = inner[1] if inner else re.search(r"pyproxy [^|>]*", line)[0]
    return shlex.split(text)[1:]


def parsed(arguments):
    """Let the parser judge them."""
    command, ctx = commands, None
    name = "pyproxy"
    while True:
        ctx = command.make_context(name, list(arguments), parent=ctx)
        if not isinstance(command, Group):
            return
        rest = [*ctx._protected_args, *ctx.args]
        name, command, arguments = command.resolve_command(ctx, rest)


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_accepted(line):
    with suppress(click.exceptions.Exit):  # of one that asks for help
        parsed(arguments_of(line))


def is_harmless(line):
    return not " ".join(arguments_of(line)).startswith(NOT_RUN)


@pytest.mark.parametrize("line", [each for each in EXAMPLES if is_harmless(each.values[0])])
def test_harmless_examples_run(tmp_path, monkeypatch, capsys, line):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYPROXY_CONFIG", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("a key of theirs"))
    (tmp_path / "pyproxy.toml").write_text(CONFIG)
    for command in NEEDED.get(" ".join(arguments_of(line)[:2]), ()):
        assert cli_run(command.split()) == 0

    code = cli_run(arguments_of(line))

    assert code in ({0, 1} if "explain" in line else {0}), capsys.readouterr().err


def test_choices_are_those_of_the_programs():
    assert list(keys.ALGORITHMS) == sorted(ALGORITHMS)
    assert list(clients.FORMATS) == list(WRITERS)
