"""What a wheel or an sdist must hold, and what must never be in one."""

import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from release.workshop import ROOT

_IN_BOTH = ("pyproxy/py.typed", "pyproxy/admin/page.html", "pyproxy/__main__.py", "LICENSE")
_IN_SDIST = (
    "man/pyproxy.1",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "pyproject.toml",
    "PKG-INFO",
)
_IN_WHEEL = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "share/man/man1/pyproxy.1")
# Installed beside the package, by their whole names.
_BESIDE = re.compile(r"pyproxy-[\w.]+\.data/data/share/man/man1/pyproxy\.1")
# What a container or a cluster serves, an example of which each secret is a file elsewhere.
_EXAMPLE = re.compile(r"deploy/(compose/gateway|kubernetes/(base|overlays/[\w-]+))/pyproxy\.toml")
# Names that something secret, or something of one machine alone, would have.
_PRIVATE = re.compile(
    r"(^|/)(\.env|api_keys[^/]*|signing[^/]*\.json|jwks[^/]*\.json|pyproxy\.toml|"
    r"[^/]*\.(key|pem|crt|p12|pyc)|\.git|\.venv|node_modules|tests|dist)(/|$)"
)
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}")


def faults(package: Path) -> list[str]:
    """What is wrong with a wheel or an sdist, a sentence each."""
    is_wheel = package.suffix == ".whl"
    files = dict(_of_wheel(package) if is_wheel else _of_sdist(package))
    needed = (*_IN_BOTH, *(_IN_WHEEL if is_wheel else _IN_SDIST))
    strange = _strange_in_wheel(files) if is_wheel else []
    found = [*_missing(needed, files), *_private(files), *_telling(files), *strange]
    return [f"{package.name}: {fault}" for fault in found]


def _of_wheel(package: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(package) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def _of_sdist(package: Path) -> Iterator[tuple[str, bytes]]:
    """Its files, without the folder that all of them are in."""
    with tarfile.open(package) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield str(PurePosixPath(*PurePosixPath(member.name).parts[1:])), content.read()


def _missing(needed: Iterable[str], files: Mapping[str, bytes]) -> list[str]:
    """A file may lie deeper than its name says: `src/`, `pyproxy-1.0.dist-info/`."""
    return [
        f"{name} is missing"
        for name in needed
        if not any(f"/{file}".endswith(f"/{name}") for file in files)
    ]


def _private(files: Mapping[str, bytes]) -> list[str]:
    named = [
        f"{name} must not be in it"
        for name in files
        if _PRIVATE.search(name) and not _EXAMPLE.fullmatch(name)
    ]
    keys = [name for name, content in files.items() if _PRIVATE_KEY.search(content)]
    return named + [f"{name} holds a private key" for name in keys]


def _telling(files: Mapping[str, bytes]) -> list[str]:
    here = str(ROOT).encode()
    return [f"{name} names a folder of this machine" for name in files if here in files[name]]


def _strange_in_wheel(files: Mapping[str, bytes]) -> list[str]:
    tops = {PurePosixPath(name).parts[0] for name in files if not _BESIDE.fullmatch(name)}
    return [
        f"{top} is no part of the package"
        for top in sorted(tops)
        if top != "pyproxy" and not re.fullmatch(r"pyproxy-[\w.]+\.dist-info", top)
    ]
