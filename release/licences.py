"""The licences of what is shipped with pyproxy, which is under MIT itself."""

from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

from release.pins import Pin
from release.workshop import Failed

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",  # binds its own files alone, and they are shipped as they are
        "PSF-2.0",
    }
)
"""All that may be passed on beside MIT, in an image too. A new one is a decision."""
# What packages write that say it in words of their own.
_WORDS: Mapping[str, str] = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "MIT License": "MIT",
}
# What some Pythons alone need, so that its metadata may not be here to be read.
_ELSEWHERE: Mapping[str, str] = {"async-timeout": "Apache-2.0"}


def of_locked(pins: Iterable[Pin], site: Path) -> dict[str, str]:
    """The SPDX expression of each locked package.

    Raises:
        Failed: One says nothing that is understood, or is not among the allowed.
    """
    installed: dict[str, Distribution] = {
        canonicalize_name(found.name): found for found in distributions(path=[str(site)])
    }
    names = {pin.name for pin in pins}
    found = {name: _expression(name, installed.get(name)) for name in sorted(names)}
    unfit = [f"{name}: {said or 'says nothing'}" for name, said in found.items() if not fits(said)]
    if unfit:
        raise Failed("licences that release/licences.py does not allow:\n" + "\n".join(unfit))
    return found


def fits(expression: str) -> bool:
    """Whether one choice of the expression is allowed in all its parts.

    Brackets and exceptions (`WITH`) are not understood, and so not allowed.
    """
    choices = expression.split(" OR ")
    return any(all(part in ALLOWED for part in choice.split(" AND ")) for choice in choices)


def _expression(name: str, found: Distribution | None) -> str:
    if found is None:
        return _ELSEWHERE.get(name, "")
    fields = found.metadata
    said = next((fields[name] for name in ("License-Expression", "License") if name in fields), "")
    try:
        return canonicalize_license_expression(_WORDS.get(said.strip(), said.strip()))
    except InvalidLicenseExpression:
        return said.strip().partition("\n")[0]
