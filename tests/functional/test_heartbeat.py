"""Silent streams are kept alive, and real clients do not notice."""

import asyncio
import json

import anthropic
import openai
import pytest

from tests.functional.scripted import HOST, KEY, Message, request

QUICK = 'heartbeat = "50ms"'
BEAT = b": keep-alive\n\n"
EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
MARK = b"data: from now on\n\n"
LAST = b"0\r\n\r\n"


def chunk(text):
    return b"%x\r\n%b\r\n" % (len(text), text)


async def asking(gateway, upstream, asked=None):
    """A client whose request has come to the upstream, and the upstream's end of it."""
    client = await gateway.connect()
    client.send(asked or request("GET", "/"))
    connection, _ = await upstream.asked()
    return client, connection


class Silence:
    """A stream beside those under test: its heartbeats are the clock for what is not sent."""

    def __init__(self, client, connection):
        self._client, self._connection = client, connection

    @classmethod
    async def of(cls, gateway, upstream):
        client, connection = await asking(gateway, upstream)
        connection.send(EVENTS)
        await client.head()
        return cls(client, connection)

    async def lasts(self, count):
        """Wait for so many heartbeats from now on."""
        self._connection.send(chunk(MARK))
        while await self._client.chunk() != MARK:
            pass
        for _ in range(count):
            assert await self._client.chunk() == BEAT


async def test_heartbeats_come_in_silence_before_and_between_events(start, upstream):
    gateway = await start(upstream, route=QUICK)
    client, connection = await asking(gateway, upstream)
    connection.send(EVENTS)
    head = Message(await client.head())
    before = [await client.chunk() for _ in range(3)]
    connection.send(chunk(b"data: 1\n\n"))
    while (event := await client.chunk()) == BEAT:
        pass
    behind = [await client.chunk() for _ in range(2)]
    connection.send(LAST)
    rest, _ = await client.chunked()

    assert head.value("content-type") == "text/event-stream; charset=utf-8"
    assert before + behind == [BEAT] * 5
    assert event == b"data: 1\n\n"
    assert rest.replace(BEAT, b"") == b""


@pytest.mark.parametrize(
    ("head", "sent"),
    [
        pytest.param(EVENTS, chunk(b"data: 1\n"), id="within an event"),
        pytest.param(
            EVENTS.replace(b"text/event-stream", b"application/json"), chunk(b"{"), id="JSON"
        ),
        pytest.param(
            EVENTS.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer"), b"", id="gzip"
        ),
        pytest.param(
            EVENTS.replace(b"Transfer-Encoding: chunked", b"Content-Length: 9"), b"", id="length"
        ),
    ],
)
async def test_where_nothing_may_be_added_nothing_is(start, upstream, head, sent):
    gateway = await start(upstream, route=QUICK)
    silence = await Silence.of(gateway, upstream)
    client, connection = await asking(gateway, upstream)
    connection.send(head, sent)
    await client.head()
    await silence.lasts(3)
    connection.transport.abort()

    assert BEAT not in await client.rest()


async def test_two_streams_over_one_connection_and_silence_between_them(start, upstream):
    gateway = await start(upstream, route=QUICK)
    silence = await Silence.of(gateway, upstream)
    client, connection = await asking(gateway, upstream)
    connection.send(EVENTS, chunk(b"data: 1\n\n"), LAST)
    first = await client.answer()
    await silence.lasts(3)
    client.send(request("GET", "/"))
    await connection.head()
    connection.send(EVENTS)
    second = Message(await client.head())
    beat = await client.chunk()
    connection.send(chunk(b"data: 2\n\n"), LAST)
    rest, _ = await client.chunked()

    assert first.body == b"data: 1\n\n"
    assert (second.status, beat) == (200, BEAT)
    assert rest.replace(BEAT, b"") == b"data: 2\n\n"


async def test_read_timeout_ends_a_stream_that_beats(start, upstream):
    gateway = await start(upstream, route=f'{QUICK}\nread_timeout = "280ms"')
    client, connection = await asking(gateway, upstream)
    connection.send(EVENTS)
    await client.head()
    text = await client.rest()
    await connection.gone()
    line = await gateway.lines.next("request")

    count = text.count(BEAT)
    assert text == chunk(BEAT) * count != b""
    assert (line["aborted"], line["bytes_out"]) == (True, count * len(BEAT))


async def test_client_that_leaves_between_heartbeats_stops_the_upstream(start, upstream):
    gateway = await start(upstream, route=QUICK)
    client, connection = await asking(gateway, upstream)
    connection.send(EVENTS)
    await client.head()
    await client.chunk()
    client.close()
    await connection.gone()

    assert (await gateway.lines.next("request"))["aborted"] is True


async def test_client_of_old_gets_comments_too(start, upstream):
    gateway = await start(upstream, route=QUICK)
    client, connection = await asking(gateway, upstream, request("GET", "/", version="1.0"))
    connection.send(EVENTS, chunk(b"data: 1\n\n"))
    head = Message(await client.head())
    text = await client.until(BEAT)
    connection.send(LAST)

    assert head.value("transfer-encoding") is None
    assert text == b"data: 1\n\n" + BEAT
    assert (await client.rest()).replace(BEAT, b"") == b""


# --- Real clients


async def speak(upstream, silence, events):
    """Play an upstream that is silent for two heartbeats and more before each event."""
    connection, head = await upstream.asked()
    await connection.exactly(int(Message(head).value("content-length")))
    connection.send(EVENTS)
    for event in events:
        await silence.lasts(3)
        connection.send(chunk(event))
    connection.send(LAST)


def said_by_openai(text):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    piece = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    piece["choices"] = [choice]
    return b"data: %b\n\n" % json.dumps(piece).encode()


def said_by_anthropic(kind, **content):
    data = json.dumps({"type": kind, **content}).encode()
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


HELLO = [{"role": "user", "content": "Hello"}]
WORDS = ["Keep", " ", "alive"]
MESSAGE = {
    "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip
ANTHROPIC = [
    said_by_anthropic("message_start", message=MESSAGE),
    said_by_anthropic("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    *(
        said_by_anthropic(
            "content_block_delta", index=0, delta={"type": "text_delta", "text": word}
        )
        for word in WORDS
    ),
    said_by_anthropic("content_block_stop", index=0),
    said_by_anthropic(
        "message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3}
    ),
    said_by_anthropic("message_stop"),
]


@pytest.fixture
async def place(start, upstream):
    """A gateway, and a silence beside what an SDK asks."""
    gateway = await start(upstream, route=QUICK)
    return gateway, await Silence.of(gateway, upstream)


async def heartbeats(gateway, events):
    """How many there were in the one answer so far."""
    added = (await gateway.lines.next("request"))["bytes_out"] - len(b"".join(events))
    assert added % len(BEAT) == 0
    return added // len(BEAT)


async def test_openais_client_does_not_notice(upstream, place):
    gateway, silence = place
    events = [*map(said_by_openai, WORDS), b"data: [DONE]\n\n"]
    async with (
        asyncio.TaskGroup() as group,
        openai.AsyncOpenAI(
            base_url=f"https://{HOST}:{gateway.port}/v1",
            api_key=KEY,
            http_client=openai.DefaultAsyncHttpxClient(verify=gateway.trust),
            max_retries=0,
        ) as sdk,
    ):
        group.create_task(speak(upstream, silence, events))
        stream = await sdk.chat.completions.create(model="m", messages=HELLO, stream=True)
        words = [piece.choices[0].delta.content async for piece in stream]

    assert words == WORDS
    assert await heartbeats(gateway, events) >= 2 * len(events)


async def test_anthropics_client_does_not_notice(upstream, place):
    gateway, silence = place
    async with (
        asyncio.TaskGroup() as group,
        anthropic.AsyncAnthropic(
            base_url=f"https://{HOST}:{gateway.port}",
            api_key=KEY,
            http_client=anthropic.DefaultAsyncHttpxClient(verify=gateway.trust),
            max_retries=0,
        ) as sdk,
    ):
        group.create_task(speak(upstream, silence, ANTHROPIC))
        async with sdk.messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
            words = [word async for word in stream.text_stream]
            message = await stream.get_final_message()

    assert words == WORDS
    assert (message.content[0].text, message.stop_reason) == ("".join(WORDS), "end_turn")
    assert await heartbeats(gateway, ANTHROPIC) >= 2 * len(ANTHROPIC)
