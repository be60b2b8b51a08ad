"""docs/first-steps.md, followed from its first line to its last, and the site's first page."""

from pyproxy.cli.demonstration_question import GREETING
from tests.docs.scene import Scene, play

SCENE = Scene(
    "docs/first-steps.md",
    stand_ins=("providers",),
    environ={"OPENAI_API_KEY": "sk-..."},
    prints={
        '"content": "Hello"}]}': [GREETING + "|choices"],
        "python ask.py": ["19 20"],
        "pyproxy top --once": ["missing_token", "demonstration"],
        "pyproxy check\npyproxy serve": ["models +gpt-4o"],
        "/token/revoke": ['"revoked": *true'],
        "pyproxy explain": ["caller +alice", "refused +401 invalid_token"],
        "check --client": ["client: fine"],
        "pyproxy env --route openai\n": ["OPENAI_BASE_URL=https://localhost:5000/openai/v1"],
    },
    fails={"pyproxy explain": 1},
)

INDEX = Scene("docs/index.md", prints={"make serve": ["curl --cacert certs/ca.crt"]})


def test_the_first_page_keeps_its_word(tmp_path):
    play(INDEX, tmp_path)


def test_every_command_works(tmp_path):
    played = play(SCENE, tmp_path)

    shown = [each["fields"]["authorization"] for each in played.asked]
    assert [each["target"] for each in played.asked] == ["/v1/chat/completions", "/v1/models"]
    assert shown == ["Bearer sk-...", "Bearer sk-..."]
