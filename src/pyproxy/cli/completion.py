"""``pyproxy completion``: what makes a shell complete its command lines."""

import os
from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class, shell_complete

from pyproxy.cli.manual.program import commands

PROGRAM: Final = "pyproxy"
VARIABLE: Final = "_PYPROXY_COMPLETE"


def completion(shell: str) -> None:
    """Print the script that click has for the shell."""
    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101 - one of the three
    # Not the class's own `source`, which would ask the bash that is installed for its version.
    script = ShellComplete.source(kind(commands, {}, PROGRAM, VARIABLE))
    # click's script for fish would end what is said of a command at its first comma.
    click.echo(script.replace('string split "," $', 'string split --max 1 "," $'))


def answer() -> int | None:
    """Answer the shell's script; none if it is not that which asks."""
    instruction = os.environ.get(VARIABLE)
    if not instruction:
        return None
    try:
        return shell_complete(commands, {}, PROGRAM, VARIABLE, instruction)
    except (KeyError, ValueError):  # COMP_WORDS and COMP_CWORD are not as the script sets them
        return 1
