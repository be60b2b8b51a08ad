import asyncio

import pytest

from pyproxy.downstream.body import HELD_BYTES, PIECES_HELD, RequestBody
from pyproxy.downstream.exchange import SCREENED_AT_ONCE, Exchange
from pyproxy.errors.refusal import BodyTooLarge, ModelNotAllowed
from pyproxy.gateway.model_rules import ModelRules
from pyproxy.gateway.screen import Screen, permit_model
from pyproxy.models.key import ModelKey
from pyproxy.providers.azure_openai import AZURE_OPENAI
from pyproxy.providers.gemini import GEMINI
from pyproxy.providers.openai import OPENAI
from pyproxy.routing.pattern import Patterns
from pyproxy.telemetry.record import Record
from pyproxy.wire.head import read_request_head

JSON = b"Content-Type: application/json\r\n"
SOUND = b'{"model": "good-1", "x": 1}'
LENGTH = len(SOUND)
MODEL = ModelKey.of("model")


def rules(preset=OPENAI, *, peek=100):
    return ModelRules(preset.model, MODEL, Patterns.of(["good-*"]), peek)


class Channel:
    """Keeps what is asked of a client's connection."""

    def __init__(self):
        self.calls = []
        self.written = b""

    def write(self, data):
        self.written += data

    def hold_body(self):
        self.calls.append("hold")

    def resume_body(self):
        self.calls.append("resume")


class Sink:
    """Keeps what goes up."""

    def __init__(self):
        self.body, self.trailers = b"", None

    def body_arrived(self, data):
        self.body += data

    def body_ended(self, trailers):
        self.trailers = trailers


@pytest.fixture
def channel():
    return Channel()


@pytest.fixture
def make(channel):
    """An exchange with a body of some length, of which nothing came yet."""

    def make_(length=LENGTH, lines=JSON):
        head = read_request_head(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
        return Exchange(channel, head, RequestBody(length), None)

    return make_


async def deciding(exchange, *, peek=100):
    """The record that learns the model, and the task that waits for it."""
    record = Record()
    screen = Screen(exchange, rules(peek=peek), record, asyncio.get_running_loop())
    task = asyncio.get_running_loop().create_task(screen.decide())
    await asyncio.sleep(0)
    return record, task


async def test_a_body_that_is_here_needs_no_waiting(make):
    exchange, sink = make(), Sink()
    exchange.body.feed(SOUND)
    record = Record()
    screen = Screen(exchange, rules(), record, asyncio.get_running_loop())
    await screen.decide()
    exchange.send_body_to(sink)

    assert record.model == "good-1"
    assert (sink.body, sink.trailers) == (SOUND, [])


async def test_of_a_body_under_way_the_last_piece_is_withheld(make):
    exchange, sink = make(), Sink()
    record, task = await deciding(exchange)
    exchange.body.feed(SOUND[:19])
    await task
    exchange.body.feed(SOUND[19:21])
    exchange.send_body_to(sink)
    assert (record.model, sink.body) == ("good-1", SOUND[:19])

    exchange.body.feed(SOUND[21:-1])
    assert sink.body == SOUND[:21]

    exchange.body.feed(SOUND[-1:])
    assert (sink.body, sink.trailers) == (SOUND, [])


async def test_others_have_their_turn_while_a_long_body_is_looked_at(make, channel):
    exchange, sink = make(100_000), Sink()
    exchange.body.feed(b'{"model": "good-1", "x": "'.ljust(99_998, b"y") + b'"}')
    record, task = await deciding(exchange)
    exchange.send_body_to(sink)
    assert record.model == "good-1"
    assert exchange.body.is_complete
    assert exchange.body.has_more
    assert channel.calls == ["resume"]

    pieces = 0
    while exchange.body.has_more:
        exchange.body.feed(b"")
        pieces += 1
    await task
    assert pieces == 100_000 // SCREENED_AT_ONCE
    assert (len(sink.body), sink.trailers) == (100_000, [])


async def test_a_long_wait_ends_when_as_much_is_held_as_may_be(make, channel):
    length = HELD_BYTES + 100
    exchange, sink = make(length), Sink()
    record, task = await deciding(exchange, peek=10)
    exchange.body.feed(b'{"x": "')
    assert not task.done()

    exchange.body.feed(b"y" * 10)
    await task
    exchange.body.feed(b"y" * HELD_BYTES)
    while exchange.body.has_more:
        exchange.body.feed(b"")
    assert channel.calls == ["hold"]

    exchange.send_body_to(sink)
    assert channel.calls == ["hold", "resume"]
    assert len(sink.body) == 17 + HELD_BYTES - SCREENED_AT_ONCE
    assert record.model == ""


async def test_a_body_that_breaks_is_waited_for_no_longer(make):
    exchange = make()
    _, task = await deciding(exchange)
    exchange.break_body(BodyTooLarge())

    with pytest.raises(BodyTooLarge):
        await task
    assert exchange.on_broken is None


async def test_a_body_that_is_broken_is_not_looked_at(make):
    exchange = make()
    exchange.break_body(BodyTooLarge())

    with pytest.raises(BodyTooLarge):
        await Screen(exchange, rules(), Record(), asyncio.get_running_loop()).decide()


@pytest.mark.parametrize("text", [b"{}   ", b'{"x"', b'{"model": "bad"}', b"nothing"])
async def test_what_is_refused_breaks_the_body(make, text):
    exchange = make(len(text))
    record, task = await deciding(exchange)
    with pytest.raises(ModelNotAllowed):
        exchange.body.feed(text)
    exchange.break_body(ModelNotAllowed())

    with pytest.raises(ModelNotAllowed):
        await task
    assert record.model in {"", "bad"}


async def test_an_object_that_names_no_model_is_not_passed_on_whole(make):
    exchange, sink = make(1000), Sink()
    _, task = await deciding(exchange, peek=10)
    exchange.body.feed(b'{"messages": [')
    await task
    exchange.send_body_to(sink)

    with pytest.raises(ModelNotAllowed):
        exchange.body.feed(b"]}")
    assert b"]}" not in sink.body


async def test_tiny_pieces_are_not_held_one_by_one(make):
    exchange, sink = make(3008), Sink()
    _, task = await deciding(exchange, peek=5000)
    exchange.body.feed(b'{"x": "')
    for _ in range(1500):
        exchange.body.feed(b"yy")
        assert len(exchange._screen._held) <= PIECES_HELD
    assert not task.done()

    task.cancel()
    exchange.send_body_to(sink)
    assert len(sink.body) == 3005


async def test_a_client_that_waits_to_be_asked_is_asked(make, channel):
    exchange = make(lines=JSON + b"Expect: 100-continue\r\n")
    _, task = await deciding(exchange)
    assert channel.written.startswith(b"HTTP/1.1 100 Continue\r\n")

    exchange.body.feed(SOUND)
    await task
    assert channel.written.count(b"100 Continue") == 1


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Type:\r\n",
        b"Content-Type: text/plain\r\n",
        b"Content-Type: application/json; charset=utf-16\r\n",
        b"Content-Type: application/json;charset=utf-8;charset=utf-16\r\n",
        b"Content-Type: application/json, text/plain\r\n",
        b"Content-Type: application/x-www-form-urlencoded+json\r\n",
        JSON + JSON,
        JSON + b"Content-Encoding: br\r\n",
        JSON + b"Content-Encoding: identity\r\nContent-Encoding: br\r\n",
    ],
)
async def test_what_may_be_something_else_than_json_is_refused(make, lines):
    exchange = make(lines=lines)
    exchange.body.feed(SOUND)

    with pytest.raises(ModelNotAllowed):
        await Screen(exchange, rules(), Record(), asyncio.get_running_loop()).decide()


async def permitted(exchange, preset, path, query=None, *, is_upgrade=False):
    loop = asyncio.get_running_loop()
    record = Record()
    await permit_model(
        rules(preset), exchange, record, path, query, is_upgrade=is_upgrade, loop=loop
    )
    return record.model


async def test_without_a_body_no_model_is_asked_for(make):
    assert await permitted(make(0), OPENAI, b"/v1/models") == ""


async def test_a_model_in_the_path_is_the_one(make):
    path = b"/v1beta/models/good-1:generateContent"

    assert await permitted(make(), GEMINI, path) == "good-1"
    with pytest.raises(ModelNotAllowed):
        await permitted(make(), GEMINI, path.replace(b"good", b"bad"))


async def test_a_model_in_the_query_counts_for_other_protocols_alone(make):
    query = b"deployment=good-1"

    assert await permitted(make(0), AZURE_OPENAI, b"/realtime", query, is_upgrade=True) == "good-1"
    assert await permitted(make(0), AZURE_OPENAI, b"/realtime", query) == ""
    with pytest.raises(ModelNotAllowed):
        await permitted(make(0), AZURE_OPENAI, b"/realtime", is_upgrade=True)
