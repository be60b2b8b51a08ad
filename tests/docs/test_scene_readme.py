"""README.md, followed from its first line to its last."""

import json

from pyproxy.cli.demonstration_question import GREETING
from tests.docs.scene import Scene, play

SCENE = Scene(
    "README.md",
    stand_ins=("providers", "demonstration"),
    environ={"OPENAI_API_KEY": "sk-...", "ANTHROPIC_API_KEY": "sk-ant-..."},
    # It says so itself: `make serve` has made one.
    replace={".venv/bin/pyproxy jwks new": "# not "},
    prints={
        "count to 20": ['"content": "20 "', r"data: \[DONE\]\s*$"],
        "openai.OpenAI()": [f"{GREETING}\n{GREETING}"],
        ".venv/bin/pyproxy check ": ["route copilot", "http://127.0.0.1:4141 .copilot-api."],
        "http://127.0.0.1:9100/status": ['"routes"', "pyproxy_build_info", '"ready": *true'],
    },
    # What this shell shows by now are keys of the gateway that `make serve` started.
    fails={"pyproxy env --route openai  ": 1},
    files={'name = "claude"': ">>pyproxy.toml"},
)


def test_every_command_works(tmp_path):
    played = play(SCENE, tmp_path)

    asked = '"messages": [{"role": "user", "content": "Hello"}]'
    answers = [json.loads(said) for block, said in played.said.items() if asked in block.text]
    assert GREETING in str(answers[0])
