"""The units and the installer, as systemd's and shellcheck's own judges see them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pyproxy.config.settings import Settings
from tests.programs import demand

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = DEPLOY / "systemd"
INSTALLER = DEPLOY / "install.sh"
# Below it, `systemd-analyze security` says "OK" in one word.
MOST_EXPOSED = 2.0


def directives(unit):
    """Each directive's values, in order."""
    found = {}
    for line in (UNITS / unit).read_text().splitlines():
        name, is_directive, value = line.partition("=")
        if is_directive and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def analyze():
    """Ask systemd-analyze; what it says, and whether it is content."""
    program = shutil.which("systemd-analyze")
    demand("" if program else "systemd-analyze is not installed (Debian's package: systemd)")

    def analyze_(*arguments):
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, check=False, timeout=50
        )
        return done.returncode, done.stdout + done.stderr

    return analyze_


def test_the_service_is_exposed_less_than_it_may_be(analyze):
    threshold = f"--threshold={int(MOST_EXPOSED * 10)}"

    code, said = analyze(
        "security", "--offline=true", "--no-pager", threshold, UNITS / "pyproxy.service"
    )

    level = re.search(r"Overall exposure level for pyproxy.service: ([0-9.]+)", said)
    assert code == 0, said
    assert float(level[1]) < MOST_EXPOSED


def test_systemd_understands_every_line(analyze, tmp_path):
    units = []
    for unit in ("pyproxy.service", "pyproxy.socket"):
        text = (UNITS / unit).read_text()
        # Of what is not installed here only the name is another.
        text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text)
        units.append(tmp_path / unit)
        units[-1].write_text(text)

    assert analyze("verify", *units) == (0, "")


def test_nothing_is_said_that_the_oldest_systemd_would_not_know():
    # Ubuntu 22.04 has 249, of which type notify-reload (253) is unknown: a drop-in adds it.
    assert directives("pyproxy.service")["Type"] == ["notify"]
    assert "Type=notify-reload" in INSTALLER.read_text()


def test_a_stop_may_take_longer_than_a_drain():
    drain = Settings.model_validate({"listeners": [{"bind": "127.0.0.1:0"}]}).server.drain

    assert int(directives("pyproxy.service")["TimeoutStopSec"][0]) > drain + 10


@pytest.mark.parametrize("config", ["config.example.toml", "deploy/k8s-egress.toml"])
def test_the_installer_finds_the_lines_that_it_changes(config):
    text = (DEPLOY.parent / config).read_text()
    name = "configure_egress" if "egress" in config else "configure_gateway"
    body = INSTALLER.read_text().split(f"{name}() {{")[1].split("\n}\n")[0]

    # sed -e "s|WHAT|BY|"
    changes = re.findall(r"""-e ["']s\|(.+?)\|""", body)

    assert changes
    for each in changes:
        pattern = each.replace('\\"', '"')
        assert len(re.findall(pattern, text, re.MULTILINE)) >= 1, pattern
    assert tomllib.loads(text)


def test_the_socket_is_where_the_shipped_configuration_listens():
    listener = tomllib.loads((DEPLOY.parent / "config.example.toml").read_text())["listeners"][0]

    assert directives("pyproxy.socket")["ListenStream"] == [listener["bind"]]
    assert directives("pyproxy.socket")["BindIPv6Only"] == ["ipv6-only"]


# --- The installer


def install(*options):
    done = subprocess.run(
        ["bash", INSTALLER, *options], capture_output=True, text=True, check=False, timeout=10
    )
    return done.returncode, done.stdout, done.stderr


def test_shellcheck_has_nothing_to_say():
    program = shutil.which("shellcheck")
    demand("" if program else "shellcheck is not installed (Debian's package: shellcheck)")

    done = subprocess.run([program, INSTALLER], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_help_needs_no_root_and_names_every_option():
    code, said, _ = install("--help")
    known = re.findall(r"^      (?:-h \| )?(--[a-z |-]+)\)", INSTALLER.read_text(), re.MULTILINE)
    options = {each for line in known for each in line.split(" | ")} - {"--help"}

    assert code == 0
    assert len(options) >= 9
    assert [each for each in options if each not in said] == []
    assert max(map(len, said.splitlines())) <= 95


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--frobnicate"], "no such option: --frobnicate"),
        (["--listen"], "--listen wants a value"),
        (["--listen", "443"], "--listen wants ADDRESS:PORT"),
        (["--listen", "0.0.0.0:443|e"], "--listen wants ADDRESS:PORT"),
        (["--allow", "everybody"], "--allow wants networks"),
        (["--extra", "../../x"], "no such extra"),
        (["--wheel", "/nowhere.whl"], "no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_no_option_changes_nothing(options, problem):
    code, said, error = install(*options)

    assert (code, said) == (1, "")
    assert problem in error


def test_extras_are_those_of_the_project():
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())
    extras = {*project["project"]["optional-dependencies"]}
    offered = re.search(r"--extra NAME +(.+?) too;", INSTALLER.read_text())[1]

    assert set(re.split(r", | or ", offered)) <= extras


RUNUSER = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
tr '\\0' '\\n' </proc/$$/cmdline >cmdline
exec "$@"
"""
PROGRAM = """#!/bin/sh
tr '\\0' '\\n' </proc/$$/cmdline >>cmdline
env >environ
"""


@pytest.fixture
def within(tmp_path):
    """Run lines among the installer's functions, with its folders here."""

    def within_(lines):
        text = INSTALLER.read_text().removesuffix('main "$@"\n') + lines
        folders = ("/var/lib/pyproxy", "/etc/pyproxy", "/etc/systemd/system", "/etc/logrotate.d")
        for folder in folders:
            text = text.replace(f"={folder}", f"={tmp_path}")
        path = f"{tmp_path}:{os.environ['PATH']}"
        command = ["bash", "-c", text, str(INSTALLER)]
        return subprocess.run(command, env={"PATH": path, "STRAY": "1"}, check=False)

    return within_


def test_variables_of_the_service_are_on_no_command_line_when_they_are_checked(tmp_path, within):
    for name, program in (("runuser", RUNUSER), ("program", PROGRAM)):
        (tmp_path / name).write_text(program)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "environment").write_text("# NAME=VALUE\nAPI_KEY=a b$c\nhttps_proxy=http://p\n")

    assert within('check "$STATE/program"').returncode == 0

    environ = (tmp_path / "environ").read_text().splitlines()
    assert {"API_KEY=a b$c", "https_proxy=http://p"} <= set(environ)
    assert not any(each.startswith(("STRAY", "#")) for each in environ)
    assert "a b$c" not in (tmp_path / "cmdline").read_text()
    assert "check" in (tmp_path / "cmdline").read_text()


@pytest.mark.parametrize("configure", ["configure_gateway", "configure_egress"])
def test_an_address_is_the_sockets_too_when_the_first_run_breaks_off(tmp_path, within, configure):
    alone = "put() { exit 7; }; share() { :; }; PYTHON=python3 hosts=()"
    done = within(f"{alone}; listen=127.0.0.1:443; {configure} true")

    assert done.returncode == 7
    assert "ListenStream=127.0.0.1:443" in (tmp_path / "pyproxy.socket.d/listen.conf").read_text()


def test_without_a_systemctl_the_units_are_laid_out_all_the_same(tmp_path, within):
    done = within("systemctl() { return 127; }; install_units; exit 9")

    assert done.returncode == 9
    assert (tmp_path / "pyproxy.service").exists()
