"""Commands as data: what each takes, what its help says, and where its program is.

Help, completion, the manual page and docs/command-line.md are made of these and load no more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Final

import click
from click.shell_completion import CompletionItem

HELP_OPTIONS: Final = ("-h", "--help")
WIDEST: Final = 100  # columns that a line of prose may take: longer ones are hard to follow
OPTIONS: Final = "Options"
_CONTEXT: Final = {"help_option_names": list(HELP_OPTIONS), "max_content_width": WIDEST}

Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Example:
    """A line to type.

    Attributes:
        line: As it is typed.
        why: What it is good for, in a few words.
    """

    line: str
    why: str


class Program:
    """A function that is imported when it is called.

    The door by which a command's own imports stay out of its help, of completion, and of
    other commands: a container's health check runs every few seconds.

    Args:
        place: ``check.check`` is ``pyproxy.cli.check.check``.
    """

    def __init__(self, place: str) -> None:
        self._module, _, self._name = f"pyproxy.cli.{place}".rpartition(".")

    def load(self) -> Callable[..., object]:
        """The function."""
        found: Callable[..., object] = getattr(import_module(self._module), self._name)
        return found

    def __call__(self, **arguments: object) -> object:
        """Run it; its result is the exit code, if it is a number."""
        return self.load()(**arguments)


class Option(click.Option):
    """An option.

    Attributes:
        section: The heading of the help that it stands under.
    """

    section: str = OPTIONS


class Command(click.Command):
    """A command.

    Args:
        name: What is typed.
        program: Where it is; empty for a group.
        text: The help; its first line is one sentence, and the summary in lists.
        params: What it takes.
        exits: What exit codes mean, where they say more than done and unusable.
        examples: Lines to type.
        notes: Further sections: heading, and rows of a name and its meaning.

    Attributes:
        summary: One sentence.
    """

    def __init__(
        self,
        name: str,
        *,
        text: str,
        program: str = "",
        params: Sequence[click.Parameter] = (),
        exits: Rows = (),
        examples: Sequence[Example] = (),
        notes: Mapping[str, Rows] | None = None,
    ) -> None:
        self.summary = text.split("\n", 1)[0]
        super().__init__(
            name,
            help=text,
            short_help=self.summary,
            callback=Program(program) if program else None,
            params=list(params),
            context_settings=dict(_CONTEXT),
        )
        self.exits, self.examples, self.notes = exits, examples, notes or {}

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell offers; of each option's help the first sentence."""
        items = super().shell_complete(ctx, incomplete)
        for item in items:
            item.help = (item.help or "").partition(". ")[0].removesuffix(".")
        return items

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options under their headings, the one for help last."""
        for heading, rows in self.option_rows(ctx):
            with formatter.section(heading):
                formatter.write_dl(rows)

    def option_rows(self, ctx: click.Context) -> Iterator[tuple[str, Rows]]:
        """Headings, and rows of options and what they do."""
        found: dict[str, list[tuple[str, str]]] = {OPTIONS: []}
        for param in self.get_params(ctx):
            row = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if row is not None:
                heading = param.section if isinstance(param, Option) else OPTIONS
                found.setdefault(heading, []).append(row)
        yield from found.items()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Exit codes, whatever else there is to say, and examples that are left as they are."""
        del ctx
        for heading, rows in self.said_below():
            with formatter.section(heading):
                formatter.write_dl(rows)
        if self.examples:
            with formatter.section("Examples"):
                for line in example_lines(self.examples):
                    formatter.write(f"{'':{formatter.current_indent}}{line}".rstrip() + "\n")

    def said_below(self) -> Iterator[tuple[str, Rows]]:
        """Headings and rows that stand below the options."""
        if self.exits:
            yield "Exit codes", self.exits
        yield from self.notes.items()


class Group(Command, click.Group):
    """A command of commands.

    Args:
        name: What is typed.
        text: As for ``Command``; so are the rest.
        sections: The commands under the headings of the help; one heading or more.
        params: Options of the group itself.
        examples: Lines to type.
        notes: Further sections.
    """

    def __init__(
        self,
        name: str,
        *,
        text: str,
        sections: Mapping[str, Sequence[Command]],
        params: Sequence[click.Parameter] = (),
        examples: Sequence[Example] = (),
        notes: Mapping[str, Rows] | None = None,
    ) -> None:
        super().__init__(name, text=text, params=params, examples=examples, notes=notes)
        self.sections = sections
        for part in sections.values():
            for each in part:
                self.add_command(each)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may be meant."""
        name = args[0]
        if name in self.commands or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = get_close_matches(name, self.commands, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(self.commands)}"
        raise click.UsageError(f'there is no command "{name}"; {hint}', ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by their sections, then options."""
        width = max(map(len, self.commands))
        for heading, part in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{each.name:{width}}", each.summary) for each in part])
        super().format_options(ctx, formatter)


def example_lines(examples: Sequence[Example]) -> Iterator[str]:
    """Comment and line, turn about; fit to be pasted into a shell."""
    for each in examples:
        yield f"# {each.why}"
        yield each.line
