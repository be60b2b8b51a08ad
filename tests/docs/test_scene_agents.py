"""Recipes for coding agents, followed with the real ones."""

import pytest

from tests.docs.clone import MODULES
from tests.docs.scene import Scene, play
from tests.programs import demand
from tests.providers.agents import anthropic_play, claude_code, codex, responses_play

LEAVE = "--skip-git-repo-check --sandbox danger-full-access"
CLAUDE = Scene(
    "docs/recipes/claude-code.md",
    stand_ins=("agents",),
    prints={"claude -p": [anthropic_play.QUOTED], "pyproxy top --once": [r"claude .*\d"]},
    # A route more, told of in passing.
    files={'name = "own"': "own.toml"},
)
CODEX = Scene(
    "docs/recipes/codex.md",
    stand_ins=("agents",),
    # What the play has it run is harmless, and this is no place with a sandbox.
    replace={"codex exec": f"codex exec {LEAVE}"},
    prints={"codex exec": [responses_play.QUOTED], "pyproxy top --once": [r"openai .*\d"]},
)


@pytest.fixture(autouse=True)
def programs():
    demand(claude_code.missing() or codex.missing())
    assert MODULES.exists()


def test_claude_code_works(tmp_path):
    asked = play(CLAUDE, tmp_path).asked

    messages = [each for each in asked if each["target"].startswith("/v1/messages")]
    assert len(messages) == 2
    assert {each["fields"]["x-api-key"] for each in messages} == {"sk-ant-..."}


def test_codex_works(tmp_path):
    asked = play(CODEX, tmp_path).asked

    assert {each["target"] for each in asked} == {"/v1/responses"}
    assert {each["fields"]["authorization"] for each in asked} == {"Bearer sk-..."}


COPILOT = Scene(
    "docs/recipes/copilot-cli.md",
    stand_ins=("providers",),
    prints={"/chat/completions": ['"content"'], "pyproxy top --once": [r"copilot .*\d"]},
    not_run={"copilot -p": "the CLI, 190 MB from npm, is not part of these tests"},
)
