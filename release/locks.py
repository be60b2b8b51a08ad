"""The locked requirements of `deploy/requirements`, made from `pyproject.toml`.

One resolution over all extras decides every version, so that the files agree. It holds for
every platform and Python that `requires-python` admits: what only some of them need is there
with its marker.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy" / "requirements"
EXTRAS: Mapping[str, Sequence[str]] = {
    "base": (),
    "redis": ("redis",),
    "otel": ("otel",),
    "journald": ("journald",),
    "image": ("redis", "otel"),
}
"""Each lock, and the extras it has beside what pyproxy always needs."""
BUILD = "build"
"""The lock of what builds the wheel."""
_HEADER = "# Made by `make lock` from pyproject.toml; not to be edited.\n"


class NotResolved(Exception):
    """The resolver found no answer, or there is no resolver."""


def renew(*, upgrade: bool) -> None:
    """Write every lock anew.

    Args:
        upgrade: Takes the newest versions that the ranges admit; else a version that is locked
            stays wherever it still fits.

    Raises:
        NotResolved: Nothing fits, or the package index was not reached.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    every = sorted({extra for extras in EXTRAS.values() for extra in extras})
    kept = {} if upgrade else _locked(FOLDER.glob("*.txt"))
    with TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.txt"
        _resolve(whole, kept, _project(every))
        versions = _locked([whole])
        for name, extras in EXTRAS.items():
            _lock(name, versions, _project(extras))
        _lock(BUILD, kept, ["-"], _build_requirements())


def _lock(name: str, versions: Mapping[str, str], source: Sequence[str], given: str = "") -> None:
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / f"{name}.txt"
        _resolve(made, versions, source, given)
        (FOLDER / f"{name}.txt").write_text(_HEADER + made.read_text())


def _resolve(
    output: Path, versions: Mapping[str, str], source: Sequence[str], given: str = ""
) -> None:
    """Let uv write ``output``; it prefers the versions that it finds there."""
    output.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
    command = [
        *(_uv(), "pip", "compile", *source, "--universal", "--python-version", _lowest_python()),
        *("--generate-hashes", "--no-emit-index-url", "--no-header"),
        *("--annotation-style", "line", "--quiet", "--output-file", str(output)),
    ]
    done = subprocess.run(
        command, cwd=ROOT, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotResolved(done.stderr.strip())


def _uv() -> str:
    program = Path(sys.executable).with_name("uv")
    if not os.access(program, os.X_OK):
        raise NotResolved("uv is missing: pip install -e '.[dev]'")
    return str(program)


def _locked(files: Iterable[Path]) -> dict[str, str]:
    lines = [line for file in files for line in file.read_text().splitlines() if "==" in line]
    pins = [line.split(";")[0].rstrip(" \\").split("==") for line in lines if line[0].isalnum()]
    return {name: version.strip() for name, version in pins}


def _project(extras: Iterable[str]) -> list[str]:
    return ["pyproject.toml", *(word for extra in extras for word in ("--extra", extra))]


def _build_requirements() -> str:
    """The backend, and the program that calls it."""
    return "\n".join([*_pyproject()["build-system"]["requires"], "build"])


def _lowest_python() -> str:
    return str(_pyproject()["project"]["requires-python"]).removeprefix(">=")


def _pyproject() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


if __name__ == "__main__":
    try:
        renew(upgrade="--upgrade" in sys.argv[1:])
    except NotResolved as exc:
        sys.exit(str(exc))
