"""``${NAME}`` in the configuration's strings."""

import re
from collections.abc import Mapping
from typing import Final, Self

from pyproxy.config.finding import Finding, Location

_REFERENCE: Final = re.compile(
    r"(?P<escaped>\$\$\{)"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<broken>\$\{)"
)

# No key lies half as deep; whatever does is unknown and is reported as such, so a file
# nested a thousand times cannot exhaust the stack.
_DEEPEST: Final = 16


class Expanded(str):
    """A string with something of the environment in it.

    Attributes:
        names: The variables it was made of, so that a secret can say where it is from.
    """

    __slots__ = ("names",)

    names: tuple[str, ...]

    def __new__(cls, text: str, names: tuple[str, ...]) -> Self:
        """Keep the names with the text."""
        self = super().__new__(cls, text)
        self.names = names
        return self


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` and ``${NAME:-default}``; ``$${`` stands for ``${``.

    As in a shell, the default also takes the place of an empty value. What was
    put in is not looked at again.

    Raises:
        ValueError: A name that is not set and has no default, or a ``${`` that is no reference.
            The sentence names variables only, never a value.
    """
    names: list[str] = []

    def replacement(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match["escaped"]:
            return "${"
        if match["broken"]:
            raise ValueError(
                'has a "${" that is no reference; write ${NAME} or ${NAME:-default}, '
                'or "$${" for the characters themselves'
            )
        value = environ.get(name)
        if value is None and default is None:
            raise ValueError(
                f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}"
            )
        names.append(name)
        return value or default or ""

    result = _REFERENCE.sub(replacement, text)
    return Expanded(result, tuple(names)) if names else result


def interpolate_tree(
    tree: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[dict[str, object], tuple[Finding, ...]]:
    """Interpolate every string of a parsed file; keys stay as they are.

    Returns:
        The new tree, and what could not be replaced; a string with a fault stays as it was.
    """
    findings: list[Finding] = []
    return _table(tree, environ, (), findings), tuple(findings)


def _table(
    table: Mapping[str, object], environ: Mapping[str, str], at: Location, findings: list[Finding]
) -> dict[str, object]:
    return {key: _value(value, environ, (*at, key), findings) for key, value in table.items()}


def _value(
    value: object, environ: Mapping[str, str], at: Location, findings: list[Finding]
) -> object:
    if isinstance(value, str):
        try:
            return interpolate(value, environ)
        except ValueError as reason:
            findings.append(Finding(at, str(reason)))
            return value
    if len(at) > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return _table(value, environ, at, findings)
    if isinstance(value, list):
        return [_value(item, environ, (*at, i), findings) for i, item in enumerate(value)]
    return value
