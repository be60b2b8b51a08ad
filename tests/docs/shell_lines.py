"""What a script of a shell calls, as far as it can be read without running it."""

import re
import shlex
from collections.abc import Iterator

import click

from pyproxy.cli.main import commands

HERE_DOCUMENT = re.compile(r"<<-? *'?(\w+)'?\n.*?^\s*\1$", re.DOTALL | re.MULTILINE)
ASSIGNMENT = re.compile(r"^\w+=")
# Words that another command may stand behind, with what belongs to them.
BEFORE = {
    "sudo",
    "exec",
    "env",
    "time",
    "nohup",
    "eval",
    "command",
    "then",
    "do",
    "else",
    "!",
    "if",
}
BREAKS = {";", ";;", "&&", "||", "|", "&", "(", ")", "{", "}", "\n", ">", ">>", "<", "`"}
# A command that is to be shown instead of being run by its name: the image's entry point.
RUNS_IT = re.compile(r"^(?:\S*/)?pyproxy(?::\S+)?$")


def calls(script: str) -> Iterator[list[str]]:
    """Every command of a script with its arguments, those in ``$(...)`` too."""
    text = HERE_DOCUMENT.sub("", script).replace("\\\n", " ")
    for line in text.split("\n"):
        yield from _calls_of_line(line)


def _calls_of_line(line: str) -> Iterator[list[str]]:
    for inner in re.findall(r"\$\(([^()]*)\)", line):
        yield from _calls_of_line(inner)
    plain = re.sub(r"\$\([^()]*\)", "$RESULT", line)
    reader = shlex.shlex(plain, posix=True, punctuation_chars=";&|()<>`\n")
    reader.whitespace_split = True
    call: list[str] = []
    for word in reader:
        if word in BREAKS:
            yield from [call] if call else []
            call = []
        else:
            call.append(word)
    yield from [call] if call else []


def program(call: list[str]) -> list[str]:
    """A call without what stands before its program: assignments, ``sudo`` and the like."""
    rest = list(call)
    while rest and (ASSIGNMENT.match(rest[0]) or rest[0] in BEFORE or rest[0].startswith("-")):
        rest.pop(0)
    return rest


def pyproxy_calls(script: str) -> Iterator[list[str]]:
    """The arguments of every call of pyproxy, within a container too."""
    for call in calls(script):
        words = program(call)
        for place, word in enumerate(words):
            if not RUNS_IT.match(word) and word != "gateway":
                continue
            arguments = words[place + 1 :]
            is_program = place == 0 and word != "gateway"
            if is_program or (arguments and arguments[0] in commands.list_commands(_context())):
                yield arguments
                break


def _context() -> click.Context:
    return click.Context(commands)


def fault(arguments: list[str]) -> str:
    """Why the command line would not take them; empty if it would."""
    try:
        _parse(commands, "pyproxy", arguments, None)
    except click.exceptions.Exit:
        return ""
    except click.UsageError as error:
        # A file that the page's reader has is not here.
        message = error.format_message()
        return "" if "does not exist" in message else message
    return ""


def _parse(
    command: click.Command, name: str, arguments: list[str], parent: click.Context | None
) -> None:
    with command.make_context(name, list(arguments), parent=parent) as context:
        if not isinstance(command, click.Group):
            return
        rest = [*context._protected_args, *context.args]
        if rest:
            found, chosen, more = command.resolve_command(context, rest)
            assert found is not None
            assert chosen is not None
            _parse(chosen, found, more, context)
