"""The manual page and docs/command-line.md are what the commands make, and are sound."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import building
from tests.programs import demand

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "man" / "pyproxy.1"
SECTIONS = [
    "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES",
    "SIGNALS", "EXAMPLES", "SEE ALSO",
]  # fmt: skip


def said_of(*command):
    """What a program has to say of the page."""
    demand("" if shutil.which(command[0]) else f"{command[0]} is not installed")
    done = subprocess.run([*command, PAGE], capture_output=True, text=True, check=False)
    return done.stderr if command[0] == "man" else done.stdout


def test_both_are_what_the_commands_make():
    done = building("commands")

    assert done.returncode == 0, done.stderr


def test_manual_has_the_sections_that_manuals_have():
    lines = PAGE.read_text().splitlines()

    assert [line[4:] for line in lines if line.startswith(".SH ")] == SECTIONS


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("mandoc", "-T", "lint"), id="mandoc"),
        pytest.param(("man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l"), id="man-db"),
    ],
)
def test_manual_has_no_fault(command):
    assert said_of(*command) == ""
