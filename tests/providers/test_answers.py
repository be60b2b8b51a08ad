"""Whatever a provider answers, the client gets it: status, body and every field."""

import pytest

from tests.providers import anthropic_play, elevenlabs_play, gemini_play, openai_play
from tests.providers.upstream import Answer
from tests.providers.ways import OF_THIS_HOP, VARIABLES

FIELDS = {
    "openai": openai_play.FIELDS,
    "azure-openai": (
        *openai_play.FIELDS,
        ("apim-request-id", "11111111-2222-3333-4444-555555555555"),
        ("azureml-model-session", "d12-34"),
        ("x-ms-region", "Sweden Central"),
    ),
    "anthropic": anthropic_play.FIELDS,
    "gemini": gemini_play.FIELDS,
    "copilot": (
        ("x-quota-snapshot-chat", "ent=300&ov=0.0&ovPerm=false&rem=99.5"),
        ("x-github-request-id", "0000:1111:2222:3333"),
        ("x-ratelimit-remaining", "4999"),
    ),
    "elevenlabs": elevenlabs_play.FIELDS,
}
ALSO = (
    ("Content-Type", "application/json"),
    ("Retry-After", "7"),
    ("retry-after-ms", "7000"),
    ("x-should-retry", "false"),
    ("ETag", '"an-entity"'),
    ("Vary", "Accept-Encoding"),
    ("Cache-Control", "no-cache"),
    ("X-Twice", "one"),
    ("X-Twice", "two"),
)


@pytest.mark.parametrize("provider", list(VARIABLES))
@pytest.mark.parametrize("status", [200, 400, 404, 413, 429, 500, 503, 529])
def test_answer_comes_back_as_it_was_given(through, plays, provider, status):
    body = '{"any": "thing ÿ that the provider says"}'.encode("latin-1")
    said = Answer(status, (*FIELDS[provider], *ALSO), body)
    plays[provider].says(said)
    fields = {"Authorization": f"Bearer {through.key(provider)}"}
    got, back, content = through.ask(provider, "POST", "/v1/anything", fields, b"{}")

    assert (got, content) == (status, body)
    kept = [(name, value) for name, value in said.fields if name.lower() not in OF_THIS_HOP]
    assert [pair for pair in back.items() if pair in kept] == kept
    # Those that name the request do so in the provider's words.
    named = dict(said.fields).get("x-request-id")
    assert named is None or back.get_all("x-request-id") == [named]
