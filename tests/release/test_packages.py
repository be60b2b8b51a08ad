"""Wheel and sdist: the same bytes each time, all that they need, and they work.

Nothing is fetched: what pyproxy needs is lent by the environment that runs the tests. In
`make release-check` each package is installed with its locks.
"""

import sys
import tomllib
from pathlib import Path
from sysconfig import get_path

import pytest

from release import contents, packages, pins, sbom
from release.locks import FOLDER
from release.packages import ANOTHER, ONE_DAY
from release.trial import demand_use
from release.workshop import ROOT, Clean, Failed, run

PYTHON = Path(sys.executable)
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    there = tmp_path_factory.mktemp("another") / "folder"
    return packages.copy_sources(there, ANOTHER)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    there = tmp_path_factory.mktemp("one-day")
    sources = packages.copy_sources(there / "sources", ONE_DAY)
    return packages.build(PYTHON, sources, there / "built", ONE_DAY)


def test_both_come_out_the_same_in_any_circumstance(built, sources, tmp_path):
    again = packages.build(PYTHON, sources, tmp_path, ANOTHER)

    packages.demand_same("wheel", built.wheel, again.wheel)
    packages.demand_same("sdist", built.sdist, again.sdist)


def test_wheel_of_the_sdist_is_the_wheel_of_the_sources(built, sources, tmp_path):
    packages.demand_same(
        "wheel", built.wheel, packages.build_wheel(PYTHON, sources, tmp_path, ANOTHER)
    )


def test_other_bytes_are_told(tmp_path):
    for name, text in (("a", "one"), ("b", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wheel").write_text(text)

    with pytest.raises(Failed, match="not the same"):
        packages.demand_same("wheel", tmp_path / "a" / "wheel", tmp_path / "b" / "wheel")


def test_nothing_is_missing_and_nothing_private_is_in_them(built):
    assert contents.faults(built.wheel) == []
    assert contents.faults(built.sdist) == []


def test_their_metadata_are_as_an_index_wants_them(built):
    run([PYTHON, "-m", "twine", "check", "--strict", built.wheel, built.sdist])


def test_installed_wheel_checks_serves_and_forwards(built, tmp_path):
    installed = Clean.make(tmp_path / "venv")
    (installed.site / "lent.pth").write_text(get_path("purelib"))
    installed.add(built.wheel)
    (tmp_path / "used").mkdir()

    demand_use(installed, VERSION, tmp_path / "used")


def test_fault_in_a_bill_of_materials_is_told():
    locked = pins.read(FOLDER / "base.txt")

    found = sbom.faults('{"components": [], "metadata": "file:///home"}', locked)

    assert "it names file:" in found
    assert any(fault.startswith("not valid by its schema") for fault in found)
    assert f"{locked[0].name}: a hash of the lock is missing" in found
