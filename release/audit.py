"""Asks what is known against the locked versions: `python -m release.audit`.

Exit codes: 0, nothing is known against any of them; 1, something is; 2, not all of them could be
asked about, which is no answer.
"""

import json
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.request import urlopen

from packaging.utils import canonicalize_name
from pip._internal.models.index import PyPI  # where the public index is, as pip knows it

from release import pins
from release.locks import FOLDER

ACCEPTED: Mapping[str, str] = {}
"""Reports that concern no use that pyproxy makes of the package: id, and why, with the date."""
_PATIENCE_S = 15  # for one answer
_PATIENCE_IN_ALL_S = 120
_AT_ONCE = 8
_PART = 65536
# What comes of an answer in another form than was agreed on.
_RUBBISH = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_CLEAN, _VULNERABLE, _NOT_AUDITED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known.

    Attributes:
        known: The ids of reports, by package; an empty list: none.
        unknown: Packages that nobody was there to say anything about.
    """

    known: Mapping[str, Collection[str]]
    unknown: Collection[str]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.reports:
            return _VULNERABLE
        return _NOT_AUDITED if self.unknown else _CLEAN

    @property
    def reports(self) -> list[str]:
        """`package: id` of each report that is not accepted."""
        return [
            f"{name}: {report}"
            for name, reports in self.known.items()
            for report in reports
            if report not in ACCEPTED
        ]

    def sentence(self) -> str:
        """What a person reads."""
        if self.reports:
            return (
                f"KNOWN VULNERABILITIES: {', '.join(self.reports)}.\n"
                "Raise the bound in pyproject.toml, then `make lock ARGS=--upgrade`."
            )
        if self.unknown:
            return (
                f"NOT AUDITED: {', '.join(self.unknown)}.\n"
                "The vulnerability service was not reached, or does not know these versions, and "
                "that is not a pass.\nRun `make audit` on a machine that reaches it."
            )
        return f"nothing is known against the {len(self.known)} packages of the locks"


def audit() -> Answer:
    """Ask pip-audit, and the index itself about what pip-audit was not answered."""
    locked = {
        pin.name: pin.version for file in sorted(FOLDER.glob("*.txt")) for pin in pins.read(file)
    }
    known = _by_pip_audit()
    known |= _by_newest({name: locked[name] for name in locked if name not in known})
    return Answer(known, [name for name in locked if name not in known])


def answered(report: str) -> dict[str, list[str]]:
    """What pip-audit found, by package, of those that it was answered about.

    Of all others it says that they were skipped, and ends with 0 even if those are all there are.

    Args:
        report: Its output in JSON; empty if it failed.
    """
    found: dict[str, list[str]] = {}
    try:
        for package in json.loads(report)["dependencies"]:
            if "vulns" in package:
                # Of a package that has two versions here both count.
                known = found.setdefault(package["name"], [])
                known += [report["id"] for report in package["vulns"]]
    except _RUBBISH:
        return {}
    return found


def _by_pip_audit() -> dict[str, list[str]]:
    locks = [word for file in FOLDER.glob("*.txt") for word in ("--requirement", file)]
    command = [
        *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"),
        *("--require-hashes", "--disable-pip", "--timeout", str(_PATIENCE_S), *locks),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_IN_ALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {}
    return answered(done.stdout)


def _by_newest(locked: Mapping[str, str]) -> dict[str, list[str]]:
    """Ask a package's own page, which speaks of its newest version alone.

    A mirror may have these pages and none for each version, which pip-audit wants.
    """
    names = list(locked)
    try:
        pages = [_page(name) for name in names[:1]]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            pages += pool.map(_page, names[1:])
    except (OSError, HTTPException, *_RUBBISH):
        return {}
    return {
        name: reports
        for (version, reports), name in zip(pages, names, strict=True)
        if version == locked[name]
    }


def _page(name: str) -> tuple[str, list[str]]:
    with urlopen(f"{PyPI.pypi_url}/{name}/json", timeout=_PATIENCE_S) as answer:  # noqa: S310 - https
        page = json.loads(_all_of(answer))
    if canonicalize_name(page["info"]["name"]) != name:
        raise ValueError("the page of another package")
    reports = [report["id"] for report in page["vulnerabilities"] if not report["withdrawn"]]
    return page["info"]["version"], reports


def _all_of(answer: HTTPResponse) -> bytes:
    """What is answered, but not for ever: ``timeout`` is of each part, however small."""
    until = time.perf_counter() + _PATIENCE_S
    parts = []
    while part := answer.read1(_PART):
        parts.append(part)
        if time.perf_counter() > until:
            raise TimeoutError
    return b"".join(parts)


if __name__ == "__main__":
    ANSWER = audit()
    print(ANSWER.sentence())
    sys.exit(ANSWER.code)
