"""A page played as its reader would: its blocks typed one after the other into one shell.

The shell is on an island, a network of its own with nothing but loopback, so that pages may
name whatever port they like. Its folder looks like a fresh clone; see ``clone.py`` for the
programs it finds there, and ``stand_ins.py`` for whom it meets.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.docs import abroad, clone, pages
from tests.docs.pages import ROOT, Block
from tests.lab.gateway import environment
from tests.programs import demand

PATIENCE_S = 50.0


@dataclass(frozen=True)
class Scene:
    """What a page takes for granted, and what is to be seen when it is followed.

    The keys of what follows are pieces of blocks; one that is in no block fails, so that a
    scene cannot outlive its page.

    Attributes:
        page: From the repository's root.
        stand_ins: Whom the page's commands meet, by the names of ``stand_ins.py``.
        before: Typed before the first block.
        after: Typed behind a block.
        environ: Of the gateway alone.
        replace: What stands for something of the reader's own, and what to type instead.
        prints: Regular expressions that a block's output has to match.
        fails: Exit codes of blocks that show a failure.
        files: Where blocks go whose file the page does not name; ``>>`` before it adds to it.
        not_run: Blocks that are only looked at, and why.
    """

    page: str
    stand_ins: tuple[str, ...] = ()
    before: str = ""
    after: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)
    prints: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fails: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    not_run: Mapping[str, str] = field(default_factory=dict)

    def blocks(self) -> list[Block]:
        """Those of the page."""
        return pages.blocks(self.page)

    def is_run(self, block: Block) -> bool:
        """Whether the block is typed."""
        return is_typed(block) and not block.needs and not of(block, self.not_run)

    def file(self, block: Block) -> str:
        """The file of the folder that the block goes to, if any; ``>>`` before it adds to it."""
        if block.is_shell:
            return ""
        told = [str(name) for name in of(block, self.files)]
        if told:
            return told[0]
        adds = re.search(r"\b(?:add|append)", block.lead, re.IGNORECASE) and not block.title
        name = block.file.replace("~/", "home/")
        return "" if name.startswith("/") else (">>" if adds and name else "") + name

    def stale(self) -> list[str]:
        """Pieces that are in no block."""
        texts = [block.text for block in self.blocks()]
        pieces = [*self.after, *self.replace, *self.prints, *self.fails, *self.not_run]
        pieces += self.files
        return [piece for piece in pieces if not any(piece in text for text in texts)]


def is_typed(block: Block) -> bool:
    """Whether the block is a command, or a program that stands alone."""
    return block.is_shell or (block.language == "python" and not block.title)


def of(block: Block, table: Mapping[str, object]) -> list[object]:
    """What a table has for a block, by the pieces that are in it."""
    return [value for piece, value in table.items() if piece in block.text]


@dataclass(frozen=True)
class Played:
    """What became of a page.

    Attributes:
        said: What each block that was typed wrote, to both outputs.
        asked: Requests that reached the stand-ins: who, method, target, and fields with
            names in lower case.
        folder: Where it was.
    """

    said: dict[Block, str]
    asked: list[dict[str, object]]
    folder: Path

    def says(self, piece: str) -> str:
        """What was written by the one block with this piece."""
        (text,) = [text for block, text in self.said.items() if piece in block.text]
        return text

    def logged(self) -> str:
        """What gateways wrote."""
        logs = sorted((self.folder / clone.NOTES).glob("log-*"))
        return "".join(log.read_text(errors="replace") for log in logs)


def play(scene: Scene, folder: Path) -> Played:
    """Follow a page to its end.

    Raises:
        AssertionError: A block failed, or did not say what the page or the scene says.
    """
    assert scene.stale() == [], f"{scene.page} has no such blocks any more"
    island = abroad.aboard()
    demand("" if island else "this machine gives nobody a network of their own (unshare)")
    demand("" if shutil.which("curl") else "curl is not installed")
    clone.furnish(folder)
    notes = folder / clone.NOTES
    blocks = [block for block in scene.blocks() if scene.is_run(block) or scene.file(block)]
    (notes / "script").write_text(script(scene, blocks, folder))
    (notes / "gateway.env").write_text(json.dumps(dict(scene.environ)))
    words = [sys.executable, "-m", "tests.docs.stage", str(folder), *scene.stand_ins]
    ended = _run([*island, *words], folder)
    said = {
        block: (notes / f"said-{number}").read_text(errors="replace")
        for number, block in enumerate(blocks)
        if (notes / f"said-{number}").exists()
    }
    before = (notes / "said-before").read_text() if (notes / "said-before").exists() else ""
    assert ended == "", _trouble(blocks, said, before + ended)
    asked = json.loads((notes / "asked.json").read_text())
    _look(scene, said)
    return Played(said, asked, folder)


def script(scene: Scene, blocks: Sequence[Block], folder: Path) -> str:
    """What is typed, as one script: its output goes to a file for each block."""
    notes = folder / clone.NOTES
    parts = ["set -eu", f"cd '{folder}'", f"exec >'{notes}/said-before' 2>&1", scene.before]
    for number, block in enumerate(blocks):
        text = block.text
        for piece, instead in scene.replace.items():
            text = text.replace(piece, instead)
        (notes / f"block-{number}").write_text(text)
        if name := scene.file(block):
            parts.append(_writing(f"{notes}/block-{number}", name))
            parts += [str(more) for more in of(block, scene.after)]
            continue
        parts.append(f"exec >'{notes}/said-{number}' 2>&1")
        typed = text if block.is_shell else f"python '{notes}/block-{number}'"
        parts.append(_expecting(typed, of(block, scene.fails)))
        parts += [str(more) for more in of(block, scene.after)]
    return "\n".join([*parts, "exit 0", ""])


def _writing(source: str, name: str) -> str:
    arrow, path = (">>", name[2:]) if name.startswith(">>") else (">", name)
    return f"mkdir -p \"$(dirname '{path}')\"; cat '{source}' {arrow}'{path}'"


def _expecting(text: str, codes: list[object]) -> str:
    if not codes:
        return text
    (code,) = codes
    return f"code=0; {{\n{text}\n}} || code=$?\n[ $code = {code} ]"


def _run(words: list[str], folder: Path) -> str:
    """Run the stage to its end; why it did not come to a good one, or nothing."""
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env={**environment(), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return f"it did not end in {PATIENCE_S:.0f} s\n{output}"
    return "" if process.returncode == 0 else f"exit code {process.returncode}\n{output}"


def _trouble(blocks: Sequence[Block], said: Mapping[Block, str], ended: str) -> str:
    typed = [block for block in blocks if block in said]
    if not typed:
        return f"before the first block: {ended}"
    last = typed[-1]
    return f"{last}\n{last.text}\nwrote:\n{said[last]}\nand then: {ended}"


def _look(scene: Scene, said: Mapping[Block, str]) -> None:
    for block, text in said.items():
        for expected in of(block, scene.prints):
            for pattern in expected:
                assert re.search(pattern, text), f"{block}\nwrote no {pattern!r}:\n{text}"
    for block, shown in shown_outputs(scene.blocks()):
        if block in said:
            missing = unlike(shown.text, said[block])
            assert not missing, f"{shown.page}:{shown.line}: not so: {missing!r}:\n{said[block]}"


def shown_outputs(blocks: Sequence[Block]) -> list[tuple[Block, Block]]:
    """Pairs of a block of commands and the block right behind it that shows what they print."""
    return [
        (first, second)
        for first, second in pairwise(blocks)
        if first.is_shell and second.language in {"text", "json"} and not second.title
    ]


def unlike(shown: str, said: str) -> str:
    """The first line that is shown and was not written, in this order; ``...`` is anything."""
    rest = said
    for line in shown.strip().split("\n"):
        words = [re.escape(part) for part in re.split(r"\.\.\.|…", " ".join(line.split()))]
        found = re.search(r"(?m)^\s*" + ".*".join(words).replace("\\ ", r"\s+") + r"\s*$", rest)
        if line.strip() not in {"...", "…", ""}:
            if found is None:
                return line
            rest = rest[found.end() :]
    return ""
