"""How commands end: colours where they are seen, progress, Ctrl-C, streams that are gone."""

import os
import re
import signal
import socket
import subprocess

import pytest

from tests.lab.gateway import COMMAND, environment, run
from tests.pseudo_terminal import PseudoTerminal

CONFIG = """
[[listeners]]
bind = "127.0.0.1:1"
[auth]
keys = ["short"]
[[routes]]
name = "one"
upstream = "http://127.0.0.1:{port}"
"""
COLOUR = re.compile("\x1b\\[[0-9;]+m")
RED, YELLOW, GREEN = "\x1b[31m", "\x1b[33m", "\x1b[32m"


@pytest.fixture
def here(tmp_path):
    (tmp_path / "pyproxy.toml").write_text(CONFIG.format(port=1))
    return tmp_path


@pytest.fixture
def silent():
    """The port of somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def on_terminal(here, *arguments, output=None, **environ):
    """What a command writes to a terminal, and its exit code."""
    around = environment({"TERM": "xterm", **environ})
    with PseudoTerminal([*COMMAND, *arguments], around, here, output=output) as terminal:
        code = terminal.ends()
        return code, terminal.written


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("check",), f"{YELLOW}warning:", id="warning"),
        pytest.param(("check", "--connect"), f"{RED}upstreams:", id="finding"),
        pytest.param(("explain", "GET", "http://a/"), f"{RED}refused", id="refusal"),
        pytest.param(("health",), f"{RED}pyproxy:", id="fault"),
        pytest.param(("check", "-c", "none"), f"{RED}pyproxy:", id="configuration"),
        pytest.param(("chek",), f"{RED}pyproxy:", id="usage"),
        pytest.param(
            ("explain", "GET", "http://a/", "-H", "x-api-key: short"), f"{GREEN}let in", id="good"
        ),
    ],
)
def test_colours_are_seen_on_a_terminal(here, arguments, said):
    assert said in on_terminal(here, *arguments)[1]


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_colours_can_be_had_off(here, environ):
    _, written = on_terminal(here, "check", "--connect", **environ)

    assert COLOUR.search(written) is None
    assert "upstreams: 1 fault" in written


@pytest.mark.parametrize(
    ("environ", "is_coloured"),
    [
        pytest.param({}, False, id="piped"),
        pytest.param({"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
        pytest.param({"CLICOLOR_FORCE": "1"}, True, id="CLICOLOR_FORCE"),
        pytest.param({"FORCE_COLOR": "0"}, False, id="FORCE_COLOR=0"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="NO_COLOR wins"),
    ],
)
def test_colours_elsewhere_only_by_force(here, environ, is_coloured):
    done = run(here, "explain", "GET", "http://a/", **environ)

    assert bool(COLOUR.search(done.stdout)) == is_coloured


def test_faults_are_coloured_where_standard_error_is_a_terminal(here):
    with (here / "output").open("w") as output:
        _, written = on_terminal(here, "check", "--connect", output=output)

    assert f"{RED}pyproxy:" in written
    assert COLOUR.search((here / "output").read_text()) is None


def test_json_is_never_coloured(here):
    done = run(here, "version", "--json", FORCE_COLOR="1")

    assert "\x1b" not in done.stdout


def test_progress_is_shown_and_taken_away(here):
    _, written = on_terminal(here, "check", "--connect", NO_COLOR="1")
    piped = run(here, "check", "--connect")

    assert "\r\x1b[Kasking one: http://127.0.0.1:1\r\x1b[K" in written
    assert "asking" not in piped.stdout + piped.stderr
    assert "\x1b" not in piped.stdout + piped.stderr


def test_ctrl_c_is_one_line(here, silent):
    (here / "pyproxy.toml").write_text(CONFIG.format(port=silent))
    command = [*COMMAND, "check", "--connect", "--timeout", "30"]
    with PseudoTerminal(command, environment({"TERM": "xterm"}), here) as terminal:
        terminal.until("asking")
        terminal.type("\x03")
        code = terminal.ends()

    assert code == 128 + signal.SIGINT
    assert COLOUR.sub("", terminal.written).endswith("\r\npyproxy: stopped\r\n")
    assert "Traceback" not in terminal.written


def test_ctrl_c_at_a_prompt_is_one_line(here):
    with PseudoTerminal([*COMMAND, "keys", "hash"], environment(), here) as terminal:
        terminal.until("Key:")
        terminal.type("\x03")
        code = terminal.ends()

    assert code == 128 + signal.SIGINT
    assert COLOUR.sub("", terminal.written) == "Key: \r\npyproxy: stopped\r\n"
    assert "Traceback" not in terminal.written


def shell(here, script):
    """Exit code and standard error of a script; ``$P`` is pyproxy."""
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=here,
        env=environment({"P": " ".join(COMMAND), "LC_ALL": "C"}),
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        pytest.param("set -o pipefail; $P schema | head -1", 0, "", id="reader has enough"),
        pytest.param(
            "$P schema >/dev/full", 1, "standard output: no space left on device", id="disk full"
        ),
        pytest.param("$P keys hash <&-", 2, "standard input is closed", id="input closed"),
        pytest.param(
            r"printf '\xff\xfe' | $P keys hash", 2, "standard input is not UTF-8", id="input bytes"
        ),
        pytest.param("$P version >&-", 0, "", id="output closed"),
        pytest.param(
            "$P keys new a >/dev/full && exit; code=$?; test ! -s api_keys.txt && exit $code",
            2,
            "standard output: no space left on device; no key was made",
            id="key unseen",
        ),
        pytest.param("$P keys new a >&-", 2, "the key cannot be shown", id="key nowhere shown"),
        pytest.param("$P check -c $'\\xff'", 2, "cannot be read: no such file", id="name bytes"),
        pytest.param("$P explain $'G\\xff' http://a/ >&2", 1, "malformed", id="method bytes"),
        pytest.param("$P check -c .", 2, "it is a folder, no file", id="a folder"),
        pytest.param("$P cert --host a..b", 2, "'a..b' is no name or address", id="no host"),
        pytest.param("$P explain GET http://a/ --from b", 2, "--from: 'b' is no IP", id="no IP"),
        pytest.param("$P completion", 2, "Missing argument 'SHELL'", id="no shell"),
        pytest.param("$P health", 1, "127.0.0.1:1: connection refused", id="nobody there"),
        pytest.param(
            "$P health --timeout x", 2, "must be more than 0 and at most 3600 s", id="no number"
        ),
    ],
)
def test_whatever_is_wrong_is_said_in_a_line(here, script, code, said):
    found, err = shell(here, script)

    assert found == code, err
    assert said in err
    assert bool(err) == bool(said)
    assert "Traceback" not in err
    assert "Errno" not in err


@pytest.mark.parametrize("columns", [1, 20])
def test_narrow_terminals_do_no_harm(here, columns):
    around = environment({"TERM": "xterm"})
    for arguments in (("check", "--connect"), ("check", "-h"), ("chek",)):
        with PseudoTerminal([*COMMAND, *arguments], around, here, columns=columns) as terminal:
            terminal.ends()

        assert terminal.written
        assert "Traceback" not in terminal.written


def test_unreadable_configuration_is_said(here):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (here / "pyproxy.toml").chmod(0)

    done = run(here, "check")

    assert done.returncode == 2
    assert "permission denied" in done.stderr
