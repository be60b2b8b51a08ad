"""Azure OpenAI: its own client of OpenAI's SDK, and the plain one at ``/openai/v1``."""

import openai
import pytest

from tests.providers.openai_play import RATE_LIMITED, TEXT, WORDS
from tests.providers.ways import credentials, unlike

HELLO = [{"role": "user", "content": "Grüße"}]
VERSION = "2025-04-01-preview"
NAME = "azure-openai"


def dated(way, kind=openai.AzureOpenAI, **named):
    """The client of dated API versions."""
    is_async = kind is openai.AsyncAzureOpenAI
    http = openai.DefaultAsyncHttpxClient if is_async else openai.DefaultHttpxClient
    return kind(
        azure_endpoint=way.url(NAME),
        api_key=way.key(NAME),
        api_version=VERSION,
        max_retries=0,
        http_client=http(verify=way.tls),
        **named,
    )


def plain(way):
    """The plain client at the API without a date."""
    return openai.OpenAI(
        base_url=f"{way.url(NAME)}/openai/v1",
        api_key=way.key(NAME),
        max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=way.tls),
    )


@pytest.fixture
def client(way):
    with dated(way) as client:
        yield client


def test_chat(client, plays):
    answer = client.chat.completions.create(model="my deployment", messages=HELLO)

    assert answer.choices[0].message.content == TEXT
    assert plays[NAME].asked[-1].target == (
        f"/openai/deployments/my%20deployment/chat/completions?api-version={VERSION}"
    )


def test_chat_streams(client):
    stream = client.chat.completions.create(model="mine", messages=HELLO, stream=True)

    chunks = [chunk for chunk in stream if chunk.choices]
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", *WORDS, None]


def test_embeddings_and_response(client, plays):
    vectors = client.embeddings.create(model="m", input="text", encoding_format="float")
    answer = client.responses.create(model="mine", input="Grüße")

    assert vectors.data[0].embedding == [0.0, 0.5, 1.0]
    assert answer.output_text == TEXT
    assert plays[NAME].asked[-1].target == f"/openai/responses?api-version={VERSION}"


def test_providers_error_is_the_sdks_own(client, plays):
    plays[NAME].says(RATE_LIMITED)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="mine", messages=HELLO)

    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.response.content == RATE_LIMITED.body


async def converse(way):
    """One turn in realtime."""
    options = {"ssl": way.tls}
    async with (
        dated(way, openai.AsyncAzureOpenAI) as client,
        client.realtime.connect(model="mine", websocket_connection_options=options) as connection,
    ):
        await connection.response.create()
        return [await connection.recv() for _ in range(len(WORDS) + 2)]


async def test_realtime(way, plays):
    events = await converse(way)

    assert (events[0].type, events[-1].type) == ("session.created", "response.done")
    assert plays[NAME].asked[-1].target == (
        f"/openai/realtime?api-version={VERSION}&deployment=mine"
    )


async def test_handshake_arrives_as_it_was_sent(straight, through, plays):
    arrived = []
    for way in (straight, through):
        await converse(way)
        arrived.append(plays[NAME].asked[-1])
        assert arrived[-1].is_over.wait(20)

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays[NAME].credential]


def test_request_arrives_as_it_was_sent(straight, through, plays):
    arrived = []
    for way in (straight, through):
        with dated(way) as client:
            client.chat.completions.create(model="mine", messages=HELLO)
        arrived.append(plays[NAME].asked[-1])

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays[NAME].credential]


def test_plain_clients_bearer_becomes_azures_key(through, plays):
    with plain(through) as client:
        answer = client.responses.create(model="mine", input="Grüße")

    asked = plays[NAME].asked[-1]
    assert answer.output_text == TEXT
    assert asked.target == "/openai/v1/responses"
    assert credentials(asked) == [plays[NAME].credential]
