"""OpenAI over WebSocket: the SDK's connections, and a browser's."""

import json

import openai
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.providers.openai_play import TEXT, WORDS
from tests.providers.ways import credentials, unlike

MODEL = "gpt-realtime"
ASKED = {"type": "response.create"}


def made(way):
    """A client on a loop."""
    return openai.AsyncOpenAI(
        base_url=f"{way.url('openai')}/v1",
        api_key=way.key("openai"),
        organization="an-organization",
        http_client=openai.DefaultAsyncHttpxClient(verify=way.tls),
    )


async def spoken(connection):
    """What the model says until it is done."""
    events = []
    async for event in connection:
        events.append(event)
        if event.type in {"response.done", "response.completed"}:
            return events
    raise AssertionError(events)


async def converse(way):
    """One turn in realtime."""
    async with (
        made(way) as client,
        client.realtime.connect(
            model=MODEL, websocket_connection_options={"ssl": way.tls}
        ) as connection,
    ):
        await connection.session.update(session={"type": "realtime", "instructions": "Grüße"})
        await connection.response.create()
        return await spoken(connection)


async def respond(way):
    """One response over a WebSocket."""
    async with (
        made(way) as client,
        client.responses.connect(websocket_connection_options={"ssl": way.tls}) as connection,
    ):
        await connection.response.create(model="gpt-5", input="Grüße")
        return await spoken(connection)


def browser(way, *offered, path="/v1/realtime?model=gpt-realtime", **named):
    """A WebSocket as a page opens it: without any field of its own."""
    url = way.url("openai").replace("https:", "wss:") + path
    return connect(url, ssl=way.tls, subprotocols=offered, origin="https://app.example", **named)


async def test_realtime(way):
    events = await converse(way)

    assert events[0].type == "session.created"
    assert [e.delta for e in events if e.type == "response.output_text.delta"] == list(WORDS)
    assert events[-1].response.usage.total_tokens == 30


async def test_responses(way):
    events = await respond(way)

    assert events[-1].response.output_text == TEXT
    assert events[-1].response.usage.total_tokens == 13


@pytest.mark.parametrize("ask", [converse, respond])
async def test_handshake_and_messages_arrive_as_they_were_sent(straight, through, plays, ask):
    arrived = []
    for way in (straight, through):
        await ask(way)
        arrived.append(plays["openai"].asked[-1])
        assert arrived[-1].is_over.wait(20)

    assert not unlike(*arrived)
    assert credentials(arrived[1]) == [plays["openai"].credential]
    assert dict(arrived[1].fields)["openai-organization"] == "an-organization"
    assert arrived[1].said[-1]["type"] == "response.create"


async def test_wrong_key_is_refused_with_401(way):
    client = made(way).copy(api_key="sk-a-wrong-one-0123456789")

    async with client:
        with pytest.raises(InvalidStatus) as caught:
            async with client.realtime.connect(
                model=MODEL, websocket_connection_options={"ssl": way.tls}
            ):
                pass

    assert caught.value.response.status_code == 401


@pytest.mark.parametrize(
    "others", [("realtime",), ("realtime", "openai-beta.realtime-v1")], ids=["plain", "beta"]
)
@pytest.mark.parametrize("is_first", [False, True], ids=["key last", "key first"])
def test_browsers_key_is_replaced(through, plays, others, is_first):
    key = f"openai-insecure-api-key.{through.key('openai')}"
    offered = (key, *others) if is_first else (*others, key)
    with browser(through, *offered) as page:
        page.send(json.dumps(ASKED))
        events = [json.loads(page.recv()) for _ in range(len(WORDS) + 2)]

    asked = plays["openai"].asked[-1]
    assert page.subprotocol == "realtime"
    assert events[-1]["type"] == "response.done"
    assert asked.target == "/v1/realtime?model=gpt-realtime"
    assert ", ".join(asked.values("sec-websocket-protocol")) == ", ".join(others)
    assert credentials(asked) == [plays["openai"].credential]
    assert asked.values("origin") == ["https://app.example"]


def test_browser_with_a_key_alone_gets_no_sub_protocol_that_it_did_not_offer(through, plays):
    key = f"openai-insecure-api-key.{through.key('openai')}"
    with browser(through, key, "realtime", path="/realtime?model=gpt-realtime") as page:
        first = json.loads(page.recv())

    asked = plays["openai"].asked[-1]
    assert first["session"]["model"] == MODEL
    assert asked.target == "/v1/realtime?model=gpt-realtime"


def test_browser_without_a_key_is_refused(through, plays):
    before = len(plays["openai"].asked)

    with pytest.raises(InvalidStatus) as caught, browser(through, "realtime"):
        pass

    assert caught.value.response.status_code == 401
    assert len(plays["openai"].asked) == before
