"""Values of options that are judged before a command runs."""

from typing import Final

import click

_LONGEST_S: Final = 3600.0


def seconds(_: click.Context, __: click.Parameter, value: str) -> float:
    """A timeout."""
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not 0.0 < found <= _LONGEST_S:  # as what is no number would not be
        raise click.BadParameter(f"must be more than 0 and at most {_LONGEST_S:g} seconds")
    return found


def fields(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Fields as they stand in a request."""
    if not all(":" in each for each in value):  # not repeated: it may be a key
        raise click.BadParameter("must be 'NAME: VALUE', with a colon")
    return value
