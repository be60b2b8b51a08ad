"""Every command in the order of the help, with what a page says of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from pyproxy.cli.command import HELP_OPTIONS, Command, Group, Rows, example_lines


@dataclass(frozen=True, slots=True)
class Entry:
    """A command.

    Attributes:
        name: ``pyproxy keys new``.
        section: The heading of the help of the program that it stands under.
        usage: As it is typed.
        summary: One sentence.
        paragraphs: What else its help says.
        options: Rows by their headings.
        notes: Likewise, of what is neither option nor example.
        examples: Lines, comments among them.
        commands: Names and summaries of its own commands.
    """

    name: str
    section: str
    usage: str
    summary: str
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, Rows], ...]
    notes: tuple[tuple[str, Rows], ...]
    examples: tuple[str, ...]
    commands: tuple[tuple[str, Rows], ...]


def entries(
    command: Command, parent: click.Context | None = None, section: str = ""
) -> Iterator[Entry]:
    """The command, and those below it."""
    ctx = click.Context(
        command, info_name=command.name, parent=parent, help_option_names=list(HELP_OPTIONS)
    )
    summary, *paragraphs = " ".join((command.help or "").replace("\n\n", "\0").split()).split("\0")
    parts = command.sections if isinstance(command, Group) else {}
    yield Entry(
        name=ctx.command_path,
        section=section,
        usage=" ".join([ctx.command_path, *command.collect_usage_pieces(ctx)]),
        summary=summary.strip(),
        paragraphs=tuple(each.strip() for each in paragraphs),
        options=tuple(command.option_rows(ctx)),
        notes=tuple(command.said_below()),
        examples=tuple(example_lines(command.examples)),
        commands=tuple(
            (heading, [(str(each.name), each.summary) for each in part])
            for heading, part in parts.items()
        ),
    )
    for heading, part in parts.items():
        for each in part:
            yield from entries(each, ctx, section or heading)
