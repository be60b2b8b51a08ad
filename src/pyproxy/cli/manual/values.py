"""Values of options that are judged before a command runs."""

from typing import Final

import click

_LONGEST_S: Final = 3600.0


def seconds(_: click.Context, __: click.Parameter, value: float) -> float:
    """A timeout."""
    if not 0.0 < value <= _LONGEST_S:  # as what is no number would not be
        raise click.BadParameter(f"must be more than 0 and at most {_LONGEST_S:g} seconds")
    return value


def fields(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Fields as they stand in a request."""
    if not all(":" in each for each in value):  # not repeated: it may be a key
        raise click.BadParameter("must be 'NAME: VALUE', with a colon")
    return value
