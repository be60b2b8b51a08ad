"""OpenAI's SDK, straight to the API and through the gateway."""

import httpx2
import openai
import pytest

from tests.providers.openai_play import RATE_LIMITED, SPEECH, TEXT, WORDS
from tests.providers.upstream import Answer, Gone
from tests.providers.ways import credentials, unlike

HELLO = [{"role": "user", "content": "Grüße"}]
FIELDS = {"X-Own": "end-to-end"}


def made(way, *, base="/v1", **named):
    """A client; what it sends beside the request is as it would be in earnest."""
    return openai.OpenAI(
        base_url=f"{way.url('openai')}{base}",
        api_key=way.key("openai"),
        organization="an-organization",
        project="a-project",
        default_headers=FIELDS,
        http_client=openai.DefaultHttpxClient(verify=way.tls),
        **{"max_retries": 0, **named},
    )


@pytest.fixture
def client(way):
    with made(way) as client:
        yield client


def test_chat(client):
    answer = client.chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO)

    assert answer.parse().choices[0].message.content == TEXT
    assert answer.headers["x-ratelimit-remaining-requests"] == "499"
    assert answer.request_id == "req_0123456789abcdef"


def test_chat_streams_one_event_after_the_other(client, plays):
    with plays["openai"].slow() as pace:
        stream = client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
        texts, chunks = [], iter(stream)
        for _ in range(len(WORDS) + 1):
            pace.allow()
            texts.append(next(chunks).choices[0].delta.content)
        for _ in range(3):
            pace.allow()
        usage = [chunk.usage for chunk in chunks][-1]

    assert texts == ["", *WORDS]
    assert usage.total_tokens == 13


def test_response(client):
    answer = client.responses.create(model="gpt-5", input="Grüße")

    assert answer.output_text == TEXT
    assert answer.usage.total_tokens == 13


def test_response_streams_one_event_after_the_other(client, plays):
    with plays["openai"].slow() as pace:
        events = iter(client.responses.create(model="gpt-5", input="Grüße", stream=True))
        kinds = []
        for _ in range(len(WORDS) + 2):
            pace.allow()
            kinds.append(next(events).type)

    assert kinds[0] == "response.created"
    assert kinds[1:-1] == ["response.output_text.delta"] * len(WORDS)
    assert kinds[-1] == "response.completed"


def test_embeddings_models_and_speech(client):
    vectors = client.embeddings.create(model="m", input="text", encoding_format="float")
    models = client.models.list()
    speech = client.audio.speech.create(model="tts", voice="alloy", input="text")

    assert vectors.data[0].embedding == [0.0, 0.5, 1.0]
    assert [model.id for model in models] == ["gpt-5"]
    assert speech.read() == SPEECH


def test_recording_is_uploaded_to_the_byte(client, plays):
    answer = client.audio.transcriptions.create(model="whisper", file=("a.mp3", SPEECH))

    asked = plays["openai"].asked[-1]
    assert answer.text == TEXT
    assert asked.value("content-type").startswith("multipart/form-data; boundary=")
    assert asked.body.count(SPEECH) == 1


def test_stream_that_breaks_off_is_no_answer(client, plays):
    def pieces():
        yield b'data: {"id":"1","object":"chat.completion.chunk","choices":[]}\n\n'
        raise Gone

    plays["openai"].says(Answer(200, (("Content-Type", "text/event-stream"),), pieces()))
    stream = client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)

    assert next(stream).id == "1"
    with pytest.raises((httpx2.TransportError, openai.APIConnectionError)):
        next(stream)


def test_providers_error_is_the_sdks_own(client, plays):
    plays["openai"].says(RATE_LIMITED)
    with pytest.raises(openai.RateLimitError) as caught:
        client.responses.create(model="gpt-5", input="Grüße")

    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.request_id == "req_0123456789abcdef"
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.response.content == RATE_LIMITED.body


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda c: c.chat.completions.create(model="m", messages=HELLO), id="chat"),
        pytest.param(lambda c: c.responses.create(model="m", input="Grüße"), id="response"),
        pytest.param(lambda c: c.models.list(extra_query={"after": "a b&c", "x": ""}), id="query"),
        pytest.param(
            lambda c: c.embeddings.create(model="m", input="\u2028" * 50_000), id="long body"
        ),
    ],
)
def test_request_arrives_as_it_was_sent(straight, through, plays, ask):
    arrived = []
    for way in (straight, through):
        with made(way) as client:
            ask(client)
        arrived.append(plays["openai"].asked[-1])

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["openai"].credential]
    fields = dict(arrived[1].fields)
    assert fields["openai-organization"] == "an-organization"
    assert fields["openai-project"] == "a-project"
    assert fields["user-agent"].startswith("OpenAI/Python ")
    assert fields["x-stainless-lang"] == "python"
    assert fields["x-own"] == "end-to-end"


@pytest.mark.parametrize("base", ["", "/v1"])
def test_version_is_in_the_path_once(through, plays, base):
    with made(through, base=base) as client:
        client.chat.completions.create(model="gpt-5", messages=HELLO)

    assert plays["openai"].asked[-1].target == "/v1/chat/completions"
