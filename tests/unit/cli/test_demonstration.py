import aiohttp
import anthropic
import openai
import pytest

from pyproxy.cli.demonstration import HOST, Demonstration, DemonstrationThread, running
from pyproxy.cli.demonstration_question import GREETING
from tests.waiting import until

HELLO = [{"role": "user", "content": "Hello"}]
LONG = [{"role": "user", "content": "count to 10000"}]


@pytest.fixture
def demonstration():
    return Demonstration(pause_s=0, wall_clock=lambda: 7.0)


@pytest.fixture
async def url(demonstration):
    async with running(demonstration.application(), 0) as port:
        yield f"http://{HOST}:{port}"


@pytest.fixture
async def openai_client(url):
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic_client(url):
    async with anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as client:
        yield client


async def test_openai_chats(openai_client):
    answer = await openai_client.chat.completions.create(model="m", messages=HELLO)

    assert answer.choices[0].message.content == GREETING
    assert answer.created == 7


async def test_openai_streams(openai_client):
    stream = await openai_client.chat.completions.create(
        model="m", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == GREETING
    assert chunks[-1].usage.completion_tokens == len(GREETING.split())


async def test_openai_lists_models_and_embeds(openai_client):
    models = await openai_client.models.list()
    answer = await openai_client.embeddings.create(model="m", input="text", encoding_format="float")

    assert "demonstration" in [model.id for model in models.data]
    assert len(answer.data[0].embedding) > 1


async def test_anthropic_chats(anthropic_client):
    answer = await anthropic_client.messages.create(model="m", max_tokens=9, messages=HELLO)

    assert answer.content[0].text == GREETING


async def test_anthropic_streams(anthropic_client):
    async with anthropic_client.messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
        text = [text async for text in stream.text_stream]
        final = await stream.get_final_message()

    assert "".join(text) == GREETING
    assert final.usage.output_tokens == len(GREETING.split())


async def test_anthropic_counts_tokens(anthropic_client):
    counted = await anthropic_client.messages.count_tokens(model="m", messages=HELLO)

    assert counted.input_tokens > 0


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/chat/completions", "/v1/embeddings", "/v1/messages"]
)
async def test_body_that_is_none_is_refused(url, path):
    async with aiohttp.ClientSession() as session, session.post(url + path, data=b"{") as answer:
        assert answer.status == 400
        assert "error" in await answer.json()


async def test_reader_that_leaves_stops_the_generation(url, demonstration):
    question = {"model": "m", "stream": True, "messages": LONG}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/v1/chat/completions", json=question) as answer:
            await answer.content.readany()
            answer.close()
        await until(lambda: demonstration.generations.stopped)

    assert demonstration.generations.finished == 0


def test_thread_serves_until_it_is_stopped(demonstration):
    thread = DemonstrationThread(demonstration).start()
    try:
        with openai.OpenAI(base_url=f"http://{HOST}:{thread.port}", api_key="k") as client:
            assert client.models.list().data
    finally:
        thread.stop()


def test_thread_says_that_its_port_is_taken(demonstration):
    first = DemonstrationThread(demonstration).start()
    try:
        with pytest.raises(OSError, match="address already in use"):
            DemonstrationThread(demonstration, first.port).start()
    finally:
        first.stop()
        first.stop()
