"""Every block of every page: typed in a scene, or looked at for as much as can be told so."""

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from pyproxy.config.load import load
from tests.docs import pages
from tests.docs.pages import ROOT
from tests.docs.scene import Scene
from tests.docs.shell_lines import calls, fault, program, pyproxy_calls

HERE = Path(__file__).parent
ALL = [block for page in pages.pages() for block in pages.blocks(page)]
SHELL = [block for block in ALL if block.is_shell]
# Files of the repository that commands name; what is below `certs` and the like is made.
NAMED = re.compile(
    r"(?<![\w./$}])((?:deploy|docs|tests|bench|src)/[\w./-]*\w|[\w.-]*\.example(?:\.toml)?(?![\w.]))"
)
OTHER_SHELLS = {"bash", "shell", "console", "shell-session", "zsh"}
SECRET_FILE = re.compile(r'\{ *file *= *"[^"]+" *\}')
MADE = re.compile(r"deploy/certs|docs/performance/\S+\.json")


def scenes():
    """Every scene of the tests in this folder, by its page."""
    found = {}
    for path in sorted(HERE.glob("test_scene_*.py")):
        module = importlib.import_module(f"tests.docs.{path.stem}")
        for scene in vars(module).values():
            for each in scene if isinstance(scene, tuple) else (scene,):
                if isinstance(each, Scene):
                    found.setdefault(each.page, []).append(each)
    return found


SCENES = scenes()


def test_every_block_that_can_be_typed_is_typed_in_a_scene():
    typed = {block for several in SCENES.values() for scene in several for block in scene.blocks()}

    left = [str(block) for block in SHELL if not block.needs and block not in typed]
    lines = [
        "no scene in tests/docs/test_scene_*.py types:",
        *left,
        "only looked at:",
        *looked_at(),
    ]
    assert not left, "\n".join(lines)


def looked_at():
    """Blocks that no test types, and why."""
    reasons = [f"{block} (needs {block.needs})" for block in SHELL if block.needs]
    for several in SCENES.values():
        for scene in several:
            for piece, why in scene.not_run.items():
                reasons += [f"{block} ({why})" for block in scene.blocks() if piece in block.text]
    return reasons


@pytest.mark.parametrize("page", SCENES)
def test_scene_has_its_page(page):
    assert page in pages.pages()
    assert [piece for scene in SCENES[page] for piece in scene.stale()] == []


@pytest.mark.parametrize("page", pages.pages())
def test_no_block_is_written_so_that_it_is_not_read(page):
    text = (ROOT / page).read_text(encoding="utf-8")

    assert pages.hidden(text) == [], "write a fence on a line of its own, behind spaces alone"
    assert "<pre" not in text.lower()


@pytest.mark.parametrize("block", ALL, ids=str)
def test_fence_is_one_that_the_site_reads(block):
    assert block.is_readable, 'write ```sh, ```sh {.mark}, ```toml title="x" or {.mark title="x"}'
    assert block.language == block.language.lower()
    assert block.language not in OTHER_SHELLS, "commands are in blocks marked sh"
    known = pages.NEEDS.keys() | {"annotate", "no-copy", "copy", "mermaid"}
    assert block.marks <= known


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_can_be_read_by_a_shell(block):
    done = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_pyproxy_takes_its_command_lines(block):
    faults = {" ".join(words): fault(words) for words in pyproxy_calls(block.text)}

    assert {line: why for line, why in faults.items() if why} == {}


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_files_that_commands_name_are_there(block):
    plain = re.sub(r"(?m)(^|\s)#.*$", "", block.text)
    named = {name.rstrip(".") for name in NAMED.findall(plain) if not MADE.match(name)}

    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_targets_of_make_are_there(block):
    made = [program(call) for call in calls(block.text)]
    targets = {
        word
        for words in made
        if words[:1] == ["make"]
        for word in words[1:]
        if re.fullmatch(r"[a-z][\w-]*", word)
    }

    known = set(re.findall(r"(?m)^([a-z][\w-]*):", (ROOT / "Makefile").read_text()))
    assert targets <= known


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "toml"], ids=str)
def test_configuration_is_sound(block, tmp_path):
    written = tomllib.loads(block.text)
    if Path(block.title or "pyproxy.toml").name not in {"pyproxy.toml", "gateway.toml"}:
        return
    (tmp_path / "secret").write_text("a-secret-of-somebodys-own")
    (tmp_path / "pyproxy.toml").write_text(SECRET_FILE.sub('{ file = "secret" }', block.text))
    names = set(re.findall(r"\$\{(\w+)\}", block.text))
    environ = {
        **dict.fromkeys(names, "a-secret-of-somebodys-own"),
        "API_KEY": "a-key-of-ours-it-is",
    }

    assert written
    assert load(Path("pyproxy.toml"), environ, tmp_path).settings
