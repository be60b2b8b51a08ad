"""All that must hold before a release, and what is released: `make release-check`.

Builds wheel and sdist twice and compares them, looks inside, installs them with hash-locked
requirements in clean environments and uses them, checks licences, writes the bill of materials,
and asks what is known against the locked versions. What passed is in `dist/`; `SHA256SUMS` is
written last, so that a `dist/` without it is no release.
"""

import argparse
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import copy2, rmtree
from tempfile import TemporaryDirectory
from typing import TypeVar

from release import contents, licences, packages, pins, sbom
from release.audit import audit
from release.locks import BUILD, EXTRAS, FOLDER
from release.packages import ANOTHER, ONE_DAY, Built
from release.trial import demand_use
from release.workshop import ROOT, Clean, Failed, run

DIST = ROOT / "dist"
_SHIPPED = "image"  # the lock that the bill of materials speaks of
_SUMS = "SHA256SUMS"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Check:
    """A release in the making.

    Attributes:
        scratch: Where it is made; gone afterwards.
        version: What is to be released.
    """

    scratch: Path
    version: str

    def build(self) -> Built:
        """Build twice, and the wheel once more without an sdist between."""
        builder = Clean.make(self.scratch / "builder")
        builder.lock(FOLDER / f"{BUILD}.txt")
        one = packages.copy_sources(self.scratch / "one", ONE_DAY)
        other = packages.copy_sources(self.scratch / "an" / "other", ANOTHER)
        first = packages.build(builder.python, one, self.scratch / "first", ONE_DAY)
        second = packages.build(builder.python, other, self.scratch / "second", ANOTHER)
        direct = packages.build_wheel(builder.python, other, self.scratch / "direct", ANOTHER)
        packages.demand_same("wheel", first.wheel, second.wheel, direct)
        packages.demand_same("sdist", first.sdist, second.sdist)
        return first

    def use(self, name: str, lock: str, package: Path) -> Clean:
        """Install a lock and then a package in a clean environment, and use it."""
        installed = Clean.make(self.scratch / name)
        installed.lock(FOLDER / f"{lock}.txt")
        if package.suffix != ".whl":
            installed.lock(FOLDER / f"{BUILD}.txt")
        installed.add(package)
        installed.check()
        folder = self.scratch / f"{name}-used"
        folder.mkdir()
        demand_use(installed, self.version, folder)
        return installed

    def bill(self, installed: Clean) -> Path:
        """Write the bill of materials of what the image holds, made twice."""
        locked = pins.read(FOLDER / f"{_SHIPPED}.txt")
        said = licences.of_locked(locked, installed.site)
        epoch = packages.moment_of_commit()
        texts = {sbom.text(installed, locked, said, epoch) for _ in range(2)}
        if len(texts) != 1:
            raise Failed("the bill of materials is not the same each time")
        (text,) = texts
        _demand_none(sbom.faults(text, locked))
        file = self.scratch / f"pyproxy-{self.version}.cdx.json"
        file.write_text(text)
        return file


def main() -> int:
    """Check, and say in a line each what holds."""
    options = _options()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    rmtree(DIST, ignore_errors=True)
    try:
        packages.demand_committed()
        with TemporaryDirectory() as scratch:
            _check(Check(Path(scratch), version))
        _audit(is_left_out=options.not_audited)
    except Failed as exc:
        print(f"NOT READY: {exc}", file=sys.stderr)
        return 1
    print(f"{DIST.name}/ holds pyproxy {version}:\n{''.join(_listed())}", end="")
    return 0


def _check(check: Check) -> None:
    built = _told("wheel and sdist, built twice: the same bytes", check.build)
    both = (built.wheel, built.sdist)
    found = [fault for file in both for fault in contents.faults(file)]
    _told("nothing is missing in them, nothing private is in them", lambda: _demand_none(found))
    judge = [sys.executable, "-m", "twine", "check", "--strict", *map(str, both)]
    _told("their metadata, by twine", lambda: run(judge))
    image = _told("the wheel works, with image.txt", lambda: check.use("wheel", "image", both[0]))
    bill = _told("licences; the bill of materials, valid and the same", lambda: check.bill(image))
    _told("the sdist works, with base.txt", lambda: check.use("sdist", "base", both[1]))
    for lock in sorted(EXTRAS.keys() - {"image", "base"}):
        _told(f"the wheel works, with {lock}.txt", partial(check.use, lock, lock, both[0]))
    DIST.mkdir()
    for file in (*both, bill):
        copy2(file, DIST)


def _audit(*, is_left_out: bool) -> None:
    if is_left_out:
        print(f"NOT AUDITED, as asked: so there is no {_SUMS}, and this is no release", flush=True)
        return
    answer = _told("known vulnerabilities", audit)
    if answer.code:
        raise Failed(f"{answer.sentence()}\n`make release-check ARGS=--not-audited` does the rest.")
    (DIST / _SUMS).write_text("".join(_listed()))


def _listed() -> list[str]:
    files = sorted(file for file in DIST.iterdir() if file.name != _SUMS)
    return [f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]


def _demand_none(faults: list[str]) -> None:
    if faults:
        raise Failed("\n".join(faults))


def _told(what: str, do: Callable[[], Result]) -> Result:
    begun = time.perf_counter()
    print(f"{what} ..", end=" ", flush=True)
    result = do()
    print(f"yes ({time.perf_counter() - begun:.0f} s)", flush=True)
    return result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("release", description=__doc__)
    parser.add_argument("--not-audited", action="store_true", help="ask nobody; no release comes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
