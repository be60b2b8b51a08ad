"""Recipes for the way out, followed."""

from tests.docs.fronts import SQUID, missing
from tests.docs.scene import Scene, play
from tests.programs import demand

SIDECAR = Scene(
    "docs/recipes/sidecar.md",
    stand_ins=("providers",),
    before=SQUID,
    prints={
        "check --connect": ["reached .*openai", "reached .*anthropic"],
        "/chat/completions": ["from OpenAI|Gr"],
    },
)
CLUSTER = Scene(
    "docs/recipes/kubernetes-egress.md",
    stand_ins=("providers",),
    prints={"xi-api-key: sk_...": ["Aria"], "pyproxy check -c": ["route elevenlabs"]},
)


def test_sidecar_works(tmp_path):
    demand(missing("squid"))

    asked = play(SIDECAR, tmp_path).asked

    chats = [each for each in asked if each["target"] == "/v1/chat/completions"]
    assert [each["fields"]["authorization"] for each in chats] == ["Bearer sk-..."]


def test_cluster_works(tmp_path):
    asked = play(CLUSTER, tmp_path).asked

    assert [each["who"] for each in asked] == ["elevenlabs"]
    assert "x-proxy-token" not in asked[0]["fields"]
