"""Which keys the configuration has, and where."""

from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel

from pyproxy.config.finding import Location
from pyproxy.config.settings import Settings

ANY: str = "*"
"""Stands for an index or a freely chosen name in the paths of `every_key`."""


def keys_at(where: Location) -> tuple[str, ...]:
    """Say which keys a table may have.

    Args:
        where: The table's place; a place that is no table of ours has no keys.
    """
    section: type[BaseModel] | None = Settings
    is_named = False  # the next part is a name of the writer's choice
    for part in where:
        if isinstance(part, int) or is_named:
            is_named = False
            continue
        if section is None or part not in section.model_fields:
            return ()
        annotation = section.model_fields[part].annotation
        section, is_named = _section_in(annotation), get_origin(annotation) is dict
    return tuple(section.model_fields) if section else ()


def every_key(
    section: type[BaseModel] = Settings, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Give the path of every key, the innermost only: ``("routes", "*", "tls", "ca")``."""
    for name, field in section.model_fields.items():
        path = (*above, name)
        inner = _section_in(field.annotation)
        if inner is None:
            yield path
        else:
            is_many = get_origin(field.annotation) in {tuple, dict}
            yield from every_key(inner, (*path, ANY) if is_many else path)


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_section_in(argument) for argument in get_args(annotation))
    return next(filter(None, inner), None)
