"""docs/providers.md, followed."""

from tests.docs.scene import Scene, play

SCENE = Scene(
    "docs/providers.md",
    stand_ins=("providers",),
    before="export ELEVENLABS_API_KEY=sk_...",
    prints={"check --client": ["client: fine"]},
)


def test_every_command_works(tmp_path):
    played = play(SCENE, tmp_path)

    (voices,) = [each for each in played.asked if each["target"] == "/v1/voices"]
    assert voices["who"] == "elevenlabs"
    assert voices["fields"]["xi-api-key"] == "sk_..."
    assert "x-proxy-token" not in voices["fields"]
