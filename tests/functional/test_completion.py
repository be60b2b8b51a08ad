"""Completion in the shells themselves: bash with bash-completion, zsh and fish."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.gateway import environment, run
from tests.programs import demand
from tests.pseudo_terminal import PseudoTerminal

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
CONFIG = """
[auth]
keys_file = "people.txt"
[[routes]]
name = "first-route"
provider = "openai"
[[routes]]
name = "other"
provider = "anthropic"
"""
KEYS = f"""
alice:sha256:{"0" * 64}
albert:$2b$12$abcdefghijklmnopqrstuv
a-plain-key-of-somebody
user:with-a-plain-key-behind-a-colon
"""


@pytest.fixture
def here(tmp_path):
    """A folder with a configuration, and pyproxy where shells look for programs."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pyproxy"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pyproxy "$@"\n')
    program.chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "pyproxy.toml").write_text(CONFIG)
    (tmp_path / "work" / "people.txt").write_text(KEYS)
    return tmp_path


def shell(name):
    """The shell's path."""
    path = shutil.which(name)
    demand("" if path else f"{name} is not installed")
    return path


def surroundings(here):
    path = f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return environment({"PATH": path, "HOME": str(here), "TERM": "dumb", "PS1": "ready> "})


def fish(here, line):
    """What fish offers for a line."""
    done = subprocess.run(
        [shell("fish"), "-c", "pyproxy completion fish | source; complete -C $argv[1]", line],
        cwd=here / "work",
        env=surroundings(here),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""
    return [offer.split("\t")[0] for offer in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        pytest.param("pyproxy ke", ["keys"], id="a command"),
        pytest.param("pyproxy keys ", ["hash", "list", "new", "revoke"], id="of a group"),
        pytest.param("pyproxy check --co", ["--config", "--connect"], id="an option"),
        pytest.param("pyproxy check -c py", ["pyproxy.toml"], id="a file"),
        pytest.param("pyproxy keys revoke al", ["albert", "alice"], id="a key"),
        pytest.param("pyproxy env --route f", ["first-route"], id="a route"),
        pytest.param("pyproxy env --format d", ["dotenv"], id="a choice"),
        pytest.param("pyproxy explain p", ["PATCH", "POST", "PUT"], id="a method"),
    ],
)
def test_fish_completes(here, line, offers):
    assert sorted(fish(here, line)) == offers


def test_bash_completes(here):
    demand("" if BASH_COMPLETION.exists() else "bash-completion is not installed")
    command = [shell("bash"), "--norc", "--noprofile", "-i"]
    with PseudoTerminal(command, surroundings(here), here / "work") as terminal:
        terminal.until("ready> ")
        terminal.type(
            f'. {BASH_COMPLETION} && eval "$(pyproxy completion bash)" && echo "its"ready\r'
        )
        terminal.until("itsready")
        terminal.type("pyproxy expl\t")
        terminal.until("ain ")
        terminal.type("P\t\t")
        terminal.until("PATCH")
        terminal.type("\x15pyproxy keys revoke ali\t")
        terminal.until("ce ")
        terminal.type("\x15pyproxy check --config pyp\t")
        terminal.until("roxy.toml ")


def test_zsh_completes(here):
    command = [shell("zsh"), "-f", "-i"]
    with PseudoTerminal(command, surroundings(here), here / "work") as terminal:
        terminal.type("autoload -U compinit && compinit -u -D; PS1='ready> '\r")
        terminal.until("ready> ")
        terminal.type('eval "$(pyproxy completion zsh)" && echo "its"ready\r')
        terminal.until("itsready")
        terminal.type("pyproxy expl\t")
        terminal.until("ain")
        terminal.type("\x15pyproxy env --route fir\t")
        terminal.until("st-route")
        terminal.type("\x15pyproxy keys revoke ali\t")
        terminal.until("ce")


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param("routes = [", id="no TOML"),
        pytest.param("routes = 1\nauth = 2\n", id="of other types"),
        pytest.param("[auth]\nkeys_file = '../none'\n", id="a missing keys file"),
    ],
)
def test_a_broken_configuration_offers_nothing_and_says_nothing(here, configuration):
    (here / "work" / "pyproxy.toml").write_text(configuration)

    for words in ("pyproxy env --route ", "pyproxy keys revoke "):
        done = run(
            here / "work",
            _PYPROXY_COMPLETE="bash_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split())),
        )

        assert (done.stdout.strip(), done.stderr) == ("", "")


def test_no_key_is_offered(here):
    done = run(
        here / "work",
        _PYPROXY_COMPLETE="bash_complete",
        COMP_WORDS="pyproxy keys revoke ",
        COMP_CWORD="3",
    )

    assert done.stdout == "plain,alice\nplain,albert\n"
    assert done.stderr == ""
