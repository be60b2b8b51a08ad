import subprocess
import sys

import pytest

from pyproxy.cli.main import main

COMMANDS = [
    "serve",
    "check",
    "explain",
    "keys",
    "jwks",
    "cert",
    "env",
    "schema",
    "health",
    "version",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(pyproxy, command):
    code, out, _ = pyproxy(command, "--help")

    assert code == 0
    assert f"pyproxy {command}" in out[0]


def test_unknown_command_is_unusable(pyproxy):
    code, out, err = pyproxy("sevre")

    assert (code, out) == (2, [])
    assert "sevre" in "".join(err)


def test_unknown_option_is_unusable(pyproxy):
    assert pyproxy("serve", "--no-such")[0] == 2


def test_every_fault_has_its_line(pyproxy, here):
    (here / "pyproxy.toml").write_text("[[routes]]\nname = 'a'\nupstrem = 'x'\npath = 'b'\n")

    code, out, err = pyproxy("check")

    assert (code, out) == (2, [])
    assert len(err) >= 2
    assert all(line.startswith("pyproxy: ") for line in err)
    assert "Traceback" not in "".join(err)


def test_missing_configuration_is_unusable(pyproxy):
    code, _, err = pyproxy("check", "--config", "none.toml")

    assert code == 2
    assert "none.toml" in err[0]


@pytest.mark.usefixtures("here")
def test_process_ends_with_the_exit_code(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["version"])

    assert ending.value.code == 0
    assert capsys.readouterr().out


class Closed:
    """A pipe whose reader left."""

    def write(self, _text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


def test_reader_that_leaves_is_no_fault(pyproxy, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Closed())

    assert pyproxy("version")[0] == 0


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version_is_an_option_too(pyproxy, option):
    assert pyproxy(option) == pyproxy("version")


@pytest.mark.parametrize("group", [(), ("keys",), ("jwks",)])
def test_help_is_not_cut(pyproxy, group):
    code, out, _ = pyproxy(*group, "--help")

    assert code == 0
    assert not any(line.startswith("  ") and line.endswith("...") for line in out)


def test_near_miss_is_answered_with_what_was_meant(pyproxy):
    assert "serve" in "".join(pyproxy("sevre")[2])


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        pytest.param("version", ("pydantic", "aiohttp", "cryptography"), id="version"),
        pytest.param(
            "health",
            ("aiohttp", "cryptography", "bcrypt", "uvloop", "pyproxy.models.json_runs"),
            id="health",
        ),
    ],
)
def test_small_commands_load_little(here, command, spared):
    program = (
        "import sys; from pyproxy.cli.main import run; run(sys.argv[1:2]);"
        "print([name for name in sys.argv[2:] if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, command, *spared],
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"
