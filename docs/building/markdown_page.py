"""docs/command-line.md."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from command_walk import Entry

from pyproxy.cli.command import Rows

_TITLE: Final = "# Command line"
_ABOVE: Final = (
    "Made from the commands' own help: `pyproxy COMMAND -h` says the same, and so does "
    "`man pyproxy`."
)


def markdown(every: Sequence[Entry]) -> str:
    """The page."""
    program, *others = every
    lines = [_TITLE, "", _ABOVE, "", *_entry(program, ""), *_overview(program)]
    for section, part in groupby(others, key=lambda each: each.section):
        lines += [f"## {section}", ""]
        for each in part:
            lines += [f"### `{each.name}`", "", *_entry(each, each.summary)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _overview(program: Entry) -> Iterator[str]:
    yield from ["## Commands", ""]
    yield from ["| command | does |", "| --- | --- |"]
    for _, rows in program.commands:
        for name, summary in rows:
            yield f"| [`pyproxy {name}`](#pyproxy-{name}) | {_cell(summary)} |"
    yield ""


def _entry(entry: Entry, summary: str) -> Iterator[str]:
    if summary:
        yield from [summary, ""]
    yield from ["```text", entry.usage, "```", ""]
    for paragraph in entry.paragraphs:
        yield from [_text(paragraph), ""]
    if entry.name != "pyproxy":
        for _, rows in entry.commands:
            yield from _table("command", rows)
    rows = [row for _, part in entry.options for row in part if not row[0].startswith("-h")]
    if rows:
        yield from _table("option", rows)
    for heading, rows in entry.notes:
        yield from _table(_HEADINGS.get(heading, heading.lower()), rows)
    if entry.examples:
        yield from ["```text", *entry.examples, "```", ""]


_HEADINGS: Final = {"Exit codes": "exit code", "Signals": "signal", "Environment": "variable"}


def _table(heading: str, rows: Rows) -> Iterator[str]:
    yield from [f"| {heading} | |", "| --- | --- |"]
    for name, text in rows:
        yield f"| `{name.replace('|', chr(92) + '|')}` | {_cell(text)} |"
    yield ""


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    """Prose, with what is typed marked as such."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"(?<![\w`])--[a-z][\w-]*", r"`\g<0>`", part) for part in parts[::2]]
    return "".join(parts)
