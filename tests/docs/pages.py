"""Pages as they are written: their fenced blocks, in order."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
# A fence that is not read as one: behind a tab, in a quotation or on an item's own line, or one
# that is closed by a longer one, as which it would be open to the end.
HIDDEN = re.compile(r"^[ \t>]*(?:[-+*]|\d+[.)])?[ \t>]*(?:`{3,}|~{3,})")
# As the site's parser reads it: a language, then one pair of braces, or one title.
INFO = re.compile(
    r'^(?P<language>[\w+-]+)?(?: *\{(?P<inner>[^}]*)\}| +title="(?P<title>[^"]*)")? *$'
)
TITLE = re.compile(r'title="([^"]*)"')
MARK = re.compile(r"\.([\w-]+)")
NEEDS = {
    "needs-docker": "an engine that runs containers",
    "needs-cluster": "a Kubernetes cluster",
    "needs-root": "root on a machine of its own",
    "needs-internet": "the internet",
}
# A file that a page has its reader write, told by the sentence before it.
NAMED = re.compile(r"`([\w./-]+\.(?:toml|conf|ini|cfg|ya?ml|json|py|m?js|ts|sh|txt|env))`")
FILES = {
    "toml": (".toml",),
    "ini": (".ini", ".conf", ".cfg"),
    "nginx": (".conf",),
    "haproxy": (".cfg",),
    "conf": (".conf",),
    "yaml": (".yaml", ".yml"),
    "python": (".py",),
    "js": (".js", ".mjs"),
    "json": (".json",),
    "text": (".txt",),
}


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: From the repository's root.
        line: Of its fence, counted from 1.
        language: The first word behind the fence.
        marks: Its classes, such as ``needs-docker``.
        title: What the site shows above it.
        text: What is in it, without the indentation of its fence.
        lead: The paragraph before it; empty if there is none between it and another block.
        is_readable: Whether the site's parser takes the words behind the fence.
    """

    page: str
    line: int
    language: str
    marks: frozenset[str]
    title: str
    text: str
    lead: str
    is_readable: bool

    def __str__(self) -> str:
        """Where it is, and how it begins."""
        first = self.text.strip().split("\n")[0]
        return f"{self.page}:{self.line}: {first}"

    @property
    def is_shell(self) -> bool:
        """Whether a reader types it."""
        return self.language == "sh"

    @property
    def needs(self) -> str:
        """What it needs that no test has; empty if nothing."""
        return ", ".join(NEEDS[mark] for mark in sorted(self.marks & NEEDS.keys()))

    @property
    def file(self) -> str:
        """The file that it is to be put into; empty if the page names none, or not one."""
        ends = FILES.get(self.language, ())
        if self.title:
            return self.title if not self.is_shell else ""
        named = {name for name in NAMED.findall(self.lead) if name.endswith(ends)}
        return named.pop() if ends and len(named) == 1 else ""


def pages() -> list[str]:
    """Every page that is held to what it says, from the repository's root."""
    found = [ROOT / "README.md", ROOT / "deploy" / "README.md", *ROOT.glob("docs/**/*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found if path.exists())


def blocks(page: str) -> list[Block]:
    """The fenced blocks of one page."""
    return list(read(page, (ROOT / page).read_text(encoding="utf-8")))


def read(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a text."""
    lines = text.split("\n")
    number, before = 0, 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened is None:
            number += 1
            continue
        end = _end(lines, number, opened["fence"])
        lead = _lead(lines[before:number])
        yield _block(page, number, opened, lines[number + 1 : end], lead)
        number = before = end + 1


def hidden(text: str) -> list[int]:
    """Lines, counted from 1, that look like a fence and neither open nor close a block."""
    lines = text.split("\n")
    found, number = [], 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        end = _end(lines, number, opened["fence"]) if opened else number
        if not opened and HIDDEN.match(lines[number]):
            found.append(number + 1)
        elif opened:
            inner = opened["fence"]
            found += [
                at + 1
                for at in range(number + 1, min(end, len(lines)))
                if lines[at].strip().startswith(inner)
            ]
            found += [number + 1] if end == len(lines) else []
        number = end + 1
    return found


def _end(lines: list[str], start: int, fence: str) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].strip() == fence:
            return number
    return len(lines)


def _lead(lines: list[str]) -> str:
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    return "" if paragraphs[-1].startswith("#") else paragraphs[-1]


def _block(page: str, number: int, opened: re.Match[str], lines: list[str], lead: str) -> Block:
    words = opened["info"].strip()
    info = INFO.match(words)
    inner = (info["inner"] or "") if info else ""
    titled = TITLE.search(inner)
    indent = len(opened["indent"])
    return Block(
        page,
        number + 1,
        (info["language"] or "") if info else words.split(" ")[0],
        frozenset(MARK.findall(TITLE.sub("", inner))),
        (titled[1] if titled else (info["title"] or "") if info else ""),
        "".join(f"{line[indent:]}\n" for line in lines),
        lead,
        info is not None,
    )


def building(name: str) -> subprocess.CompletedProcess[str]:
    """Ask what makes pages whether those that are kept are what it would make."""
    words = [sys.executable, f"docs/building/{name}.py"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
