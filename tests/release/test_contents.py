"""What is private is found in a wheel and in an sdist, wherever it lies."""

import io
import tarfile
import zipfile

import pytest

from release.contents import faults

SOUND = ("pyproxy/py.typed", "pyproxy/admin/page.html", "pyproxy/__main__.py")
META = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
KEY = b"-----BEGIN PRIVATE KEY-----\n" + b"MIGHAgEAMBMGByqGSM49" * 3
MANUAL = "pyproxy-1.0.data/data/share/man/man1/pyproxy.1"
EXAMPLE = "deploy/kubernetes/base/pyproxy.toml"
WHEEL = {
    **dict.fromkeys((*SOUND, MANUAL), b""),
    **{f"pyproxy-1.0.dist-info/{n}": b"" for n in META},
}
SDIST = {
    **{f"src/{name}": b"" for name in SOUND},
    **dict.fromkeys(
        (
            "man/pyproxy.1",
            EXAMPLE,
            "README.md",
            "CHANGELOG.md",
            "SECURITY.md",
            "pyproject.toml",
            "PKG-INFO",
            "LICENSE",
        ),
        b"",
    ),
}


def wheel(tmp_path, files):
    file = tmp_path / "pyproxy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


def sdist(tmp_path, files):
    file = tmp_path / "pyproxy-1.0.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"pyproxy-1.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def test_sound_packages_have_no_fault(tmp_path):
    assert faults(wheel(tmp_path, WHEEL)) == []
    assert faults(sdist(tmp_path, SDIST)) == []


@pytest.mark.parametrize("name", SOUND)
def test_what_is_missing_is_named(tmp_path, name):
    without = {file: b"" for file in WHEEL if file != name}

    assert faults(wheel(tmp_path, without)) == [
        f"pyproxy-1.0-py3-none-any.whl: {name} is missing",
    ]


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "certs/copilot.crt",
        "certs/ca.key",
        "api_keys.dev",
        "signing_keys.json",
        "tests/unit/test_one.py",
        "deploy/pyproxy.toml",
        "deploy/kubernetes/pyproxy.toml",
        "src/pyproxy/__pycache__/one.cpython-311.pyc",
        ".git/config",
        ".venv/pyvenv.cfg",
    ],
)
def test_what_must_not_be_in_it_is_named(tmp_path, name):
    assert faults(sdist(tmp_path, {**SDIST, name: b""})) == [
        f"pyproxy-1.0.tar.gz: {name} must not be in it",
    ]


def test_private_key_is_found_under_any_name(tmp_path):
    found = faults(sdist(tmp_path, {**SDIST, "deploy/README.md": b"so:\n" + KEY}))

    assert found == ["pyproxy-1.0.tar.gz: deploy/README.md holds a private key"]


def test_what_is_no_part_of_the_package_would_be_installed_beside_it(tmp_path):
    found = faults(wheel(tmp_path, {**WHEEL, "bench/__init__.py": b""}))

    assert found == ["pyproxy-1.0-py3-none-any.whl: bench is no part of the package"]


@pytest.mark.parametrize("name", ["data/bin/sh", "data/share/man/man1/sh.1", "scripts/pyproxy"])
def test_what_would_be_installed_outside_of_the_package_is_named(tmp_path, name):
    found = faults(wheel(tmp_path, {**WHEEL, f"pyproxy-1.0.data/{name}": b""}))

    assert found == ["pyproxy-1.0-py3-none-any.whl: pyproxy-1.0.data is no part of the package"]
