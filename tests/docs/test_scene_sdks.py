"""Recipes for programs, followed with the real SDKs and the real copilot-api."""

import shutil

from tests.docs.scene import Scene, play
from tests.lab import copilot
from tests.programs import demand
from tests.providers import anthropic_play, gemini_play, openai_play

SDKS = Scene(
    "docs/recipes/sdks.md",
    stand_ins=("providers",),
    prints={
        "python ask.py": [
            f"OpenAI: {openai_play.TEXT}",
            f"Anthropic: {anthropic_play.TEXT}",
            f"Gemini: {gemini_play.TEXT}",
            "ElevenLabs: Aria",
        ],
        "node ask.mjs": [f"200 {openai_play.TEXT}"],
    },
)
COPILOT_API = Scene(
    "docs/recipes/copilot-api.md",
    stand_ins=("copilot-api",),
    prints={
        "pyproxy check --connect": ["reached .*4141"],
        "v1/models": ["gpt-4.1"],
        "v1/chat/completions": ["Hello from the lab"],
        "v1/messages": ["Hello from the lab"],
        "5000/usage": ["path_denied"],
    },
)
CLIENTS = {"authorization", "x-api-key", "x-goog-api-key", "xi-api-key"}


def test_sdks_work(tmp_path):
    demand("" if shutil.which("node") else "node is not installed")

    asked = play(SDKS, tmp_path).asked

    assert {each["who"] for each in asked} == {"openai", "anthropic", "gemini", "elevenlabs"}
    shown = [value for each in asked for key, value in each["fields"].items() if key in CLIENTS]
    assert not any("pyp_" in value for value in shown)


def test_copilot_api_works(tmp_path):
    demand(copilot.missing())

    play(COPILOT_API, tmp_path)
