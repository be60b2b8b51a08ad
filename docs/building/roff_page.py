"""man/pyproxy.1, in the macros of man(7)."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from command_walk import Entry

import pyproxy
from pyproxy.cli.command import Rows

# Of the page's last change that its readers should notice; kept by hand.
_DATE: Final = "2026-11-28"
_FILES: Final = (
    ("pyproxy.toml", "the configuration, in the working folder, unless --config or PYPROXY_CONFIG"),
    ("api_keys.txt", "hashes of API keys, unless auth.keys_file names another file"),
    ("signing_keys.json", "keys that sign tokens, unless auth.jwt.signing_keys_file does"),
    ("certs/", "certificates and keys for development: pyproxy cert, pyproxy serve --dev"),
    ("/etc/pyproxy/pyproxy.toml", "the configuration of an installed service, and of the image"),
)
_ALSO: Final = "curl(1), openssl(1), systemd(1)"
_PAGES: Final = "The documentation is in docs/ of the source: docs/configuration.md has every key."
_VARIABLES: Final = (
    "Keys that the configuration leaves out are read from API_KEY, OPENAI_API_KEY and others, "
    "which docs/configuration.md lists."
)
_WHOM: Final = "To the process that was started by `pyproxy serve`:"
# Where source lines end: what shows the page fills its own.
_WIDTH: Final = 72


def roff(every: Sequence[Entry]) -> str:
    """The page."""
    program, *others = every
    notes = dict(program.notes)
    signals = next(rows for each in others for heading, rows in each.notes if heading == "Signals")
    lines = [
        f'.TH PYPROXY 1 "{_DATE}" "pyproxy {pyproxy.__version__}" "User Commands"',
        ".SH NAME",
        f"pyproxy \\- {_plain(program.summary.removesuffix('.'))}",
        ".SH SYNOPSIS",
        *_synopsis(others),
        ".SH DESCRIPTION",
        *_paragraphs(program.paragraphs),
        *_rows(program.options[0][1]),
        ".SH COMMANDS",
        *_commands(others),
        ".SH EXIT STATUS",
        *_rows(notes["Exit codes"]),
        ".SH ENVIRONMENT",
        *_rows(notes["Environment"]),
        ".PP",
        *_filled(_VARIABLES),
        ".SH FILES",
        *_rows(_FILES),
        ".SH SIGNALS",
        *_filled(_WHOM),
        *_rows(signals),
        ".SH EXAMPLES",
        *_example(program.examples),
        ".SH SEE ALSO",
        re.sub(r"(\w+)\((\d)\)", r"\\fB\1\\fR(\2)", _ALSO),
        ".PP",
        *_filled(_PAGES),
    ]
    return "\n".join(lines) + "\n"


def _synopsis(others: Sequence[Entry]) -> Iterator[str]:
    for i, each in enumerate(entry for entry in others if not entry.commands):
        if i:
            yield ".br"
        name, _, rest = each.usage.partition(" [OPTIONS]")
        yield f"\\fB{_plain(name)}\\fR [\\fIOPTIONS\\fR]{_plain(rest)}"


def _commands(others: Sequence[Entry]) -> Iterator[str]:
    for each in others:
        yield f'.SS "{_plain(each.usage)}"'
        yield from _paragraphs((each.summary, *each.paragraphs))
        for _, rows in each.options:
            yield from _rows([row for row in rows if not row[0].startswith("-h")])
        for heading, rows in each.notes:
            if rows and heading != "Signals":
                yield from [".PP", f"{heading}:", *_rows(rows)]
        if each.examples:
            yield from [".PP", "Examples:", *_example(each.examples)]


def _paragraphs(texts: Sequence[str]) -> Iterator[str]:
    for i, text in enumerate(texts):
        if i:
            yield ".PP"
        yield from _filled(text)


def _rows(rows: Rows) -> Iterator[str]:
    for name, text in rows:
        yield from [".TP", f"\\fB{_plain(name)}\\fR", *_filled(text)]


def _example(lines: Sequence[str]) -> Iterator[str]:
    yield from [".RS 4", ".nf"]
    for line in "\n".join(lines).split("\n"):
        yield _plain(line)
    yield from [".fi", ".RE"]


def _filled(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False, break_long_words=False):
        yield _plain(line)


def _plain(text: str) -> str:
    """Text that says what it says: nothing in it is a request or an escape."""
    parts = re.split(r"`([^`]*)`", text)
    escaped = [
        re.sub(r"^([.'])", r"\\&\1", part.replace("\\", "\\e").replace("-", "\\-"))
        for part in parts
    ]
    escaped[1::2] = [f"\\fB{part}\\fR" for part in escaped[1::2]]
    return "".join(escaped)
