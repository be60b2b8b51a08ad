"""Variables for those who read them: a shell, Docker, a program, Kubernetes."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pyproxy.cli.client_proof import Blank, Variable
from pyproxy.cli.client_variables import Group

# What holds the keys in a cluster: kubectl create secret generic pyproxy --from-literal=key=...
SECRET_NAME: Final = "pyproxy"  # noqa: S105 - of the object, not of what is in it

Writer = Callable[[Sequence[Group]], Iterator[str]]


def sh(groups: Sequence[Group]) -> Iterator[str]:
    """Lines for ``eval``, whatever the values are (POSIX.1-2017 section 2.2.2)."""
    for group in groups:
        yield from _comments(group)
        for name in group.unset:
            yield f"unset {name}"
        for variable in group.variables:
            yield f"export {variable.name}={shlex.quote(variable.value)}"


def dotenv(groups: Sequence[Group]) -> Iterator[str]:
    """Lines for ``docker run --env-file``, which takes each as it is: quotes would be of the value.

    Compose reads them alike, except for a ``$`` and for a ``#`` behind a space.
    """
    for group in groups:
        yield from _comments(group)
        for variable in group.variables:
            if "\n" in variable.value:
                yield f"# {variable.name} has a line break, which no such file can hold"
            else:
                yield f"{variable.name}={variable.value}"


def json_object(groups: Sequence[Group]) -> Iterator[str]:
    """One object with a text for each name."""
    values = {each.name: each.value for group in groups for each in group.variables}
    yield json.dumps(values, indent=2)


def k8s(groups: Sequence[Group]) -> Iterator[str]:
    """A container's ``env:`` in YAML; what is to be filled in comes from a secret.

    A text in JSON is a double-quoted one in YAML (YAML 1.2.2 section 1.3).
    """
    yield "env:"
    helpers: dict[str, None] = {}
    for group in groups:
        for variable in group.variables:
            yield from _k8s_entry(variable, helpers)


WRITERS: Final[Mapping[str, Writer]] = MappingProxyType(
    {"sh": sh, "dotenv": dotenv, "json": json_object, "k8s": k8s}
)
"""By the name of the format."""

HAVE_COMMENTS: Final = frozenset({"sh", "dotenv"})


def remarks_of(groups: Sequence[Group]) -> Iterator[str]:
    """What ``sh`` and ``dotenv`` say in comments, each once."""
    yield from dict.fromkeys(f"{each.route}: {text}" for each in groups for text in each.remarks)


def _comments(group: Group) -> Iterator[str]:
    yield f"# {_on_one_line(group.route)}"
    for text in group.remarks:
        yield f"#   {_on_one_line(text)}"


def _on_one_line(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)


def _k8s_entry(variable: Variable, helpers: dict[str, None]) -> Iterator[str]:
    blank = variable.blank
    if blank is None:
        yield from _k8s_value(variable.name, _without_references(variable.value))
    elif variable.value == blank.text:
        yield from _k8s_secret(variable.name, blank)
    else:
        helper = f"PYPROXY_{blank.item.upper().replace('-', '_')}"
        if helper not in helpers:
            helpers[helper] = None
            yield from _k8s_secret(helper, blank)
        around = _without_references(variable.value)
        yield from _k8s_value(variable.name, around.replace(blank.text, f"$({helper})"))


def _k8s_value(name: str, value: str) -> Iterator[str]:
    yield f"- name: {name}"
    yield f"  value: {json.dumps(value)}"


def _k8s_secret(name: str, blank: Blank) -> Iterator[str]:
    yield f"- name: {name}"
    yield "  valueFrom:"
    yield "    secretKeyRef:"
    yield f"      name: {SECRET_NAME}"
    yield f"      key: {blank.item}"


def _without_references(value: str) -> str:
    """Kubernetes puts another variable in the place of ``$(NAME)``, and ``$$(`` is ``$(``."""
    return value.replace("$(", "$$(")
