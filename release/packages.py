"""Builds wheel and sdist, and shows that they come out the same each time."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from os import utime
from pathlib import Path

from release.workshop import ROOT, Circumstance, Failed, run

ONE_DAY = Circumstance(umask=0o022, zone="UTC", hash_seed=1, moment=1_000_000_000)
ANOTHER = Circumstance(umask=0o077, zone="Pacific/Auckland", hash_seed=2, moment=1_700_000_000)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left."""

    wheel: Path
    sdist: Path


def moment_of_commit() -> str:
    """`SOURCE_DATE_EPOCH`: when the last commit was made."""
    return run(["git", "log", "-1", "--format=%ct"]).strip()


def demand_committed() -> None:
    """Raise `Failed` if there is something here that no commit holds."""
    changed = run(["git", "status", "--porcelain"]).strip()
    if changed:
        raise Failed(f"a release is built from a commit; commit or stash first:\n{changed}")


def copy_sources(to: Path, circumstance: Circumstance) -> Path:
    """Copy what git keeps, as written at that moment by a person with that umask."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        copy = to / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy, follow_symlinks=False)
        if copy.is_symlink():
            continue
        copy.chmod(0o666 & ~circumstance.umask)
        utime(copy, (circumstance.moment, circumstance.moment))
    return to


def build(python: Path, sources: Path, to: Path, circumstance: Circumstance) -> Built:
    """Build the sdist from the sources and the wheel from the sdist.

    The Python has what `build.txt` locks; nothing is fetched.
    """
    _build(python, sources, to, circumstance, [])
    return Built(*(_only(to, pattern) for pattern in ("*.whl", "*.tar.gz")))


def build_wheel(python: Path, sources: Path, to: Path, circumstance: Circumstance) -> Path:
    """Build the wheel straight from the sources."""
    _build(python, sources, to, circumstance, ["--wheel"])
    return _only(to, "*.whl")


def _build(
    python: Path, sources: Path, to: Path, circumstance: Circumstance, more: Sequence[str]
) -> None:
    run(
        [python, "-m", "build", "--no-isolation", *more, "--outdir", to, sources],
        environ={**circumstance.environ(), "SOURCE_DATE_EPOCH": moment_of_commit()},
        umask=circumstance.umask,
    )


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def demand_same(what: str, *files: Path) -> str:
    """The SHA-256 of files that have the same name and bytes.

    Raises:
        Failed: They differ.
    """
    digests = {(file.name, sha256(file.read_bytes()).hexdigest()) for file in files}
    if len(digests) != 1:
        raise Failed(f"{what}: not the same each time it is built: {sorted(digests)}")
    ((_, digest),) = digests
    return digest
