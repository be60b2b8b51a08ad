"""Each change waits in a file of its own, and can be collated."""

import re
import subprocess
import sys
import tomllib

import pytest

from release.workshop import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in SETTINGS["type"]]
FOLDER = ROOT / SETTINGS["directory"]
FRAGMENTS = sorted(set(FOLDER.iterdir()) - {FOLDER / "README.md", FOLDER / "template.md.jinja"})
NAMES = [file.name for file in FRAGMENTS]
LONGEST = 400  # characters; more is documentation


@pytest.mark.parametrize("name", NAMES)
def test_file_is_named_for_its_change_and_a_kind(name):
    assert re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(KINDS)})\.md", name)


@pytest.mark.parametrize("name", NAMES)
def test_file_holds_one_short_paragraph(name):
    text = (FOLDER / name).read_text()

    assert 0 < len(text) <= LONGEST
    assert re.fullmatch(r"[^\s#*-][^\n]*(\n[^\s#*-][^\n]*)*\.\n", text)


def test_they_are_collated_in_the_form_of_the_changelog():
    command = ["towncrier", "build", "--draft", "--version", "7.0.0", "--date", "2030-01-02"]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert "## 7.0.0, 2030-01-02" in done.stdout or not NAMES
    for name in NAMES:
        sought = (FOLDER / name).read_text().split()
        assert any(words[at : at + len(sought)] == sought for at in range(len(words))), name


def test_the_changelog_has_the_place_where_they_go():
    text = (ROOT / "CHANGELOG.md").read_text()

    assert text.count("<!-- towncrier release notes start -->\n\n## ") == 1
