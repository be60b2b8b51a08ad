"""Google's SDK at the Gemini Developer API, and its live sessions."""

import json

import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.providers import openai_play
from tests.providers.gemini_play import LIVE, RATE_LIMITED, TEXT, WORDS
from tests.providers.ways import credentials, unlike

MODEL = "gemini-3"


def made(way, **named):
    """A client with a key; its WebSockets have their TLS from the arguments on a loop."""
    options = types.HttpOptions(
        base_url=way.url("gemini"),
        client_args={"verify": way.tls},
        async_client_args={"verify": way.tls, "ssl": way.tls},
        **named,
    )
    return genai.Client(api_key=way.key("gemini"), http_options=options)


@pytest.fixture
def client(way):
    with made(way) as client:
        yield client


def test_content(client):
    answer = client.models.generate_content(model=MODEL, contents="Grüße")

    assert answer.text == TEXT
    assert answer.usage_metadata.total_token_count == 13
    assert answer.sdk_http_response.headers["x-gemini-service-tier"] == "standard"


def test_content_streams_one_event_after_the_other(client, plays):
    texts = []
    with plays["gemini"].slow() as pace:
        chunks = client.models.generate_content_stream(model=MODEL, contents="Grüße")
        for _ in WORDS:
            pace.allow()
            texts.append(next(chunks).text)

    assert texts == list(WORDS)
    assert plays["gemini"].asked[-1].target == (f"/v1/models/{MODEL}:streamGenerateContent?alt=sse")


# The SDK makes a class of aiohttp's own, which aiohttp advises against.
@pytest.mark.filterwarnings("ignore:Inheritance class Aiohttp:DeprecationWarning")
async def test_content_streams_on_a_loop(way):
    with made(way) as client:
        async with client.aio as aio:
            stream = await aio.models.generate_content_stream(model=MODEL, contents="Grüße")
            texts = [chunk.text async for chunk in stream]

    assert texts == list(WORDS)


def test_text_is_embedded_and_tokens_are_counted(client):
    vectors = client.models.embed_content(model=MODEL, contents="text")
    count = client.models.count_tokens(model=MODEL, contents="Grüße")
    models = client.models.list()

    assert [vector.values for vector in vectors.embeddings] == [[0.0, 0.5, 1.0]]
    assert count.total_tokens == 9
    assert [model.name for model in models] == ["models/gemini-3"]


def test_providers_error_is_the_sdks_own(client, plays):
    plays["gemini"].says(RATE_LIMITED)
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=MODEL, contents="Grüße")

    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.response.content == RATE_LIMITED.body


async def converse(way):
    """One turn of a live session."""
    config = types.LiveConnectConfig(response_modalities=["TEXT"])
    with made(way) as client:
        async with client.aio.live.connect(model=MODEL, config=config) as session:
            turn = types.Content(role="user", parts=[types.Part(text="Grüße")])
            await session.send_client_content(turns=turn, turn_complete=True)
            return [message async for message in session.receive()]


async def test_live_session(way, plays):
    messages = await converse(way)

    asked = plays["gemini"].asked[-1]
    assert "".join(message.text or "" for message in messages) == TEXT
    assert messages[-1].usage_metadata.total_token_count == 13
    assert LIVE.fullmatch(asked.path)
    assert asked.said[0]["setup"]["model"] == f"models/{MODEL}"


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda c: c.models.generate_content(model=MODEL, contents="Grüße"), id="body"),
        pytest.param(lambda c: c.models.list(config={"page_size": 5}), id="query"),
    ],
)
def test_request_arrives_as_it_was_sent(straight, through, plays, ask):
    arrived = []
    for way in (straight, through):
        with made(way) as client:
            ask(client)
        arrived.append(plays["gemini"].asked[-1])

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["gemini"].credential]
    assert arrived[1].value("x-goog-api-client").startswith("google-genai-sdk/")


async def test_handshake_and_messages_arrive_as_they_were_sent(straight, through, plays):
    arrived = []
    for way in (straight, through):
        await converse(way)
        arrived.append(plays["gemini"].asked[-1])
        assert arrived[-1].is_over.wait(20)

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["gemini"].credential]


def test_openais_sdk_at_googles_openai_endpoint(through, plays):
    with openai.OpenAI(
        base_url=f"{through.url('gemini')}/v1beta/openai/",
        api_key=through.key("gemini"),
        http_client=openai.DefaultHttpxClient(verify=through.tls),
    ) as client:
        hello = [{"role": "user", "content": "Grüße"}]
        answer = client.chat.completions.create(model=MODEL, messages=hello)

    asked = plays["gemini"].asked[-1]
    assert answer.choices[0].message.content == openai_play.TEXT
    assert asked.target == "/v1beta/openai/chat/completions"
    assert credentials(asked) == [plays["gemini"].credential]


@pytest.mark.parametrize("query", ["key=KEY", "a=1&key=KEY&alt=json", "key=KEY&%6bey=KEY"])
def test_key_in_the_query_is_replaced(through, plays, query):
    query = query.replace("KEY", through.key("gemini"))
    status, _, body = through.ask("gemini", "GET", f"/v1beta/models?{query}")

    asked = plays["gemini"].asked[-1]
    assert (status, json.loads(body)["models"][0]["name"]) == (200, "models/gemini-3")
    assert credentials(asked) == [plays["gemini"].credential]
    assert [name for name, _ in asked.query] == [n for n in ("a", "alt") if f"{n}=" in query]
