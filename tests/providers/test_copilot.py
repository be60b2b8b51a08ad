"""GitHub Copilot's API behind the gateway, asked by the SDKs of OpenAI and Anthropic."""

import anthropic
import openai
import pytest

from tests.providers import anthropic_play, openai_play
from tests.providers.ways import credentials, unlike

HELLO = [{"role": "user", "content": "Grüße"}]
EDITOR = {
    "copilot-integration-id": "vscode-chat",
    "editor-version": "vscode/1.104.0",
    "openai-intent": "conversation-panel",
    "x-github-api-version": "2026-07-01",
    "X-Initiator": "user",
    "X-Interaction-Id": "11111111-2222-3333-4444-555555555555",
}


def made(way):
    """A client that says what an editor does."""
    return openai.OpenAI(
        base_url=way.url("copilot"),
        api_key=way.key("copilot"),
        default_headers=EDITOR,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=way.tls),
    )


@pytest.fixture
def client(way):
    with made(way) as client:
        yield client


def test_chat(client, plays):
    answer = client.chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO)

    assert answer.parse().choices[0].message.content == openai_play.TEXT
    assert "rem=99.5" in answer.headers["x-quota-snapshot-chat"]
    assert plays["copilot"].asked[-1].target == "/chat/completions"


def test_chat_streams(client):
    stream = client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)

    chunks = [chunk for chunk in stream if chunk.choices]
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", *openai_play.WORDS, None]


def test_response_and_models(client):
    answer = client.responses.create(model="gpt-5", input="Grüße")
    models = client.get("/models", cast_to=object)

    assert answer.output_text == openai_play.TEXT
    assert models["data"][0]["vendor"] == "OpenAI"


def test_request_arrives_as_it_was_sent(straight, through, plays):
    arrived = []
    for way in (straight, through):
        with made(way) as client:
            client.chat.completions.create(model="gpt-5", messages=HELLO)
        arrived.append(plays["copilot"].asked[-1])

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["copilot"].credential]
    assert {name.lower(): value for name, value in EDITOR.items()}.items() <= dict(
        arrived[1].fields
    ).items()


def test_anthropics_messages(through, plays):
    with anthropic.Anthropic(
        base_url=through.url("copilot"),
        api_key=through.key("copilot"),
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(verify=through.tls),
    ) as client:
        answer = client.messages.create(model="claude-sonnet-5", max_tokens=9, messages=HELLO)

    asked = plays["copilot"].asked[-1]
    assert answer.content[0].text == anthropic_play.TEXT
    assert asked.target == "/v1/messages"
    assert credentials(asked) == [plays["copilot"].credential]
