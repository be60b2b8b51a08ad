"""The locks say what pyproject.toml does: nothing is asked of the network."""

import re
import tomllib
from collections import defaultdict

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.locks import BUILD, EXTRAS, FOLDER, ROOT
from release.pins import read

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
RENEW = "make lock"
# What uv writes under a package that pyproject.toml itself names.
DIRECT = re.compile(r"^([\w.-]+)==[^\n]*\n(?:    --hash[^\n]*\n)+    # via ([^\n]*)$", re.MULTILINE)


def wanted(name):
    """Requirements of a lock, as pyproject.toml has them."""
    if name == BUILD:
        lines = [*PYPROJECT["build-system"]["requires"], "build"]
    else:
        extras = [PROJECT["optional-dependencies"][extra] for extra in EXTRAS[name]]
        lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


@pytest.mark.parametrize("name", [*EXTRAS, BUILD])
def test_every_direct_dependency_is_locked_within_its_range(name):
    locked = {pin.name: pin.version for pin in read(FOLDER / f"{name}.txt")}

    wrong = [
        str(requirement)
        for package, requirement in wanted(name).items()
        if not requirement.specifier.contains(locked.get(package, "0"))
    ]

    assert wrong == [], RENEW


@pytest.mark.parametrize("name", EXTRAS)
def test_nothing_is_locked_that_is_no_longer_asked_for(name):
    text = (FOLDER / f"{name}.txt").read_text()

    direct = {package for package, via in DIRECT.findall(text) if "pyproject.toml" in via}

    assert len(DIRECT.findall(text)) == len(read(FOLDER / f"{name}.txt"))
    assert direct == set(wanted(name)), RENEW


@pytest.mark.parametrize("name", EXTRAS)
def test_what_not_everybody_needs_has_its_marker(name):
    markers = {pin.name: pin.marker for pin in read(FOLDER / f"{name}.txt")}

    unmarked = [
        package
        for package, requirement in wanted(name).items()
        if requirement.marker and not markers[package]
    ]

    assert unmarked == []
    assert "cpython" in markers["uvloop"]


def test_python_before_3_11_3_gets_what_redis_needs_there():
    (pin,) = [pin for pin in read(FOLDER / "redis.txt") if pin.name == "async-timeout"]

    assert pin.marker == "python_full_version < '3.11.3'"


def test_all_locks_agree_on_every_version():
    versions = defaultdict(set)
    for file in FOLDER.glob("*.txt"):
        for pin in read(file):
            versions[pin.name].add((pin.version, *sorted(pin.hashes)))

    assert [name for name, found in versions.items() if len(found) > 1] == [], RENEW


def test_the_image_has_what_base_redis_and_otel_have():
    names = {name: {pin.name for pin in read(FOLDER / f"{name}.txt")} for name in EXTRAS}

    assert names["image"] == names["base"] | names["redis"] | names["otel"]


def test_there_is_a_lock_for_every_extra_that_is_not_for_developers_and_no_other():
    extras = set(PROJECT["optional-dependencies"]) - {"dev", "docs", "fuzz"}

    assert {file.stem for file in FOLDER.iterdir()} == {*extras, "base", "image", BUILD}


@pytest.mark.parametrize("name", [*EXTRAS, BUILD])
def test_no_lock_names_a_place(name):
    text = (FOLDER / f"{name}.txt").read_text()

    assert re.findall(r"://|--index|--extra|--find-links|file:|/\w+/", text) == []
