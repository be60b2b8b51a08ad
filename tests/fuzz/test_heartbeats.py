"""Comments into silent streams through all of the gateway, to the second."""

import pytest
from hypothesis import given, strategies as st

from tests.fuzz.configuration import ALICE, HEARTBEAT, IDLE_TIMEOUT, READ_TIMEOUT
from tests.fuzz.examples import examples
from tests.fuzz.still import HIGH_WATER

BEAT = b": keep-alive\n\n"
FRAMED = b"e\r\n" + BEAT + b"\r\n"
EVENT = b"data: 1\n\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


def asking(start="GET /beating HTTP/1.1", *lines):
    fields = ["Host: a", f"Authorization: Bearer {ALICE}", *lines]
    return "\r\n".join([start, *fields, "", ""]).encode()


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def body_of(text):
    """Content of chunks, whole or not at their end."""
    content = b""
    while text and not text.startswith(b"0\r\n"):
        size, _, text = text.partition(b"\r\n")
        content, text = content + text[: int(size, 16)], text[int(size, 16) + 2 :]
    return content


def timers(house):
    """Calls that are due some time."""
    return [each for each in house.loop._scheduled if not each.cancelled()]


class Stream:
    """One client's answer, and the upstream that gives it."""

    def __init__(self, house, asked=None):
        self._house = house
        house.answer = lambda _, __: ()
        self.client = house.client()
        self.ask(asked or asking())

    def ask(self, asked):
        self._seen = len(self.client.got)
        self.client.send(asked)
        self.upstream = self._house.asked[-1][0].transport

    def say(self, *pieces):
        """The upstream sends bytes, each piece in a read of its own."""
        for piece in pieces:
            self._house.loop.do(self.upstream.arrive, piece)

    @property
    def body(self):
        """What came behind the head of the answer to the last request."""
        return self.client.got[self._seen :].partition(b"\r\n\r\n")[2]


def test_silence_before_the_first_event_and_between_two(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED)
    house.loop.advance(2 * HEARTBEAT + 1)
    stream.say(chunk(EVENT))
    house.loop.advance(HEARTBEAT - 1)
    stream.say(chunk(EVENT))
    house.loop.advance(HEARTBEAT)
    stream.say(LAST)

    assert stream.body == FRAMED * 2 + chunk(EVENT) * 2 + FRAMED + LAST
    assert house.records[0]["bytes_out"] == 3 * len(BEAT) + 2 * len(EVENT)
    assert not house.records[0]["aborted"]


def test_none_before_the_head(house):
    stream = Stream(house)
    house.loop.advance(READ_TIMEOUT - 1)

    assert stream.client.got == b""


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"data: 1\n"], id="a line"),
        pytest.param([b"data: 1\n\nda"], id="an event and half a line"),
        pytest.param([b"data: 1\r\n\r"], id="half of a CRLF"),
        pytest.param([b"data: 1\r", b"\n\r"], id="halves of two"),
    ],
)
def test_none_within_an_event(house, pieces):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, *map(chunk, pieces))
    house.loop.advance(READ_TIMEOUT - 1)

    assert body_of(stream.body) == b"".join(pieces)


def test_none_while_a_chunk_is_under_way_in_the_middle_of_a_line(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, b"9\r\ndata:")
    house.loop.advance(HEARTBEAT + 1)
    stream.say(b" 1\n\n\r\n")

    assert body_of(stream.body) == EVENT


def test_chunk_under_way_between_events_is_none_of_the_clients(house):
    # Its chunks are ours: what came of one is one by itself.
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, b"12\r\ndata: 1\n\n")
    house.loop.advance(HEARTBEAT)
    stream.say(b"data: 2\n\n\r\n" + LAST)

    assert body_of(stream.body) == EVENT + BEAT + b"data: 2\n\n"
    assert stream.body.endswith(LAST)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(EVENTS.replace(b"event-stream", b"plain") + CHUNKED, id="text"),
        pytest.param(EVENTS + b"Content-Encoding: gzip\r\n" + CHUNKED, id="gzip"),
        pytest.param(EVENTS + b"Content-Length: 90\r\n\r\n", id="length"),
        pytest.param(EVENTS.replace(b"200 OK", b"429 No") + CHUNKED, id="429"),
    ],
)  # fmt: skip
def test_none_into_other_answers(house, answer):
    stream = Stream(house)
    stream.say(answer)
    house.loop.advance(READ_TIMEOUT - 1)

    assert BEAT not in stream.client.got
    assert stream.client.got.startswith(b"HTTP/1.1 ")


def test_none_after_the_end_nor_into_the_next_answer(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, chunk(EVENT))
    house.loop.advance(HEARTBEAT - 1)
    stream.say(LAST)
    first = stream.body
    house.loop.advance(HEARTBEAT - 1)
    stream.ask(asking())
    house.loop.advance(HEARTBEAT + 1)
    meanwhile = stream.body
    stream.say(EVENTS + CHUNKED)
    house.loop.advance(HEARTBEAT)
    stream.say(chunk(EVENT) + LAST)

    assert first == chunk(EVENT) + LAST
    assert meanwhile == b""
    assert stream.body == FRAMED + chunk(EVENT) + LAST
    assert len(house.upstreams) == 1


def test_end_of_the_stream_leaves_no_timer(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, chunk(EVENT) + LAST)
    stream.client.leave()
    stream.say(b"x")  # nobody asked for: the connection ends

    assert timers(house) == []


def test_silent_upstream_is_given_up_in_spite_of_heartbeats(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, chunk(EVENT))
    house.loop.advance(READ_TIMEOUT - 0.1)
    before = stream.client.transport.end
    house.loop.advance(0.2)

    assert stream.body == chunk(EVENT) + FRAMED * 3
    assert (before, stream.client.transport.end) == ("", "abort")
    assert house.records[0]["aborted"]


def test_client_that_does_not_read_gets_none(house):
    stream = Stream(house)
    long = b"data: " + b"a" * HIGH_WATER + b"\n\n"
    stream.say(EVENTS + CHUNKED)
    stream.client.transport.stall()
    stream.say(chunk(long))
    unsent = stream.client.transport.unsent
    house.loop.advance(5 * HEARTBEAT)
    later = stream.client.transport.unsent
    house.loop.do(stream.client.transport.flow)
    house.loop.advance(HEARTBEAT)

    assert later == unsent > HIGH_WATER
    assert body_of(stream.body) == long + BEAT


def test_client_of_old_gets_them_unframed(house):
    stream = Stream(house, asking("GET /beating HTTP/1.0"))
    stream.say(EVENTS + CHUNKED, chunk(EVENT))
    house.loop.advance(HEARTBEAT)
    stream.say(LAST)

    assert stream.body == EVENT + BEAT
    assert stream.client.transport.end == "close"


def test_stream_that_ends_with_its_connection(house):
    stream = Stream(house)
    stream.say(EVENTS + b"\r\n", EVENT)
    house.loop.advance(HEARTBEAT)
    house.loop.do(stream.upstream.hang_up)

    assert stream.body == chunk(EVENT) + FRAMED + LAST


def test_trailers_follow_as_ever(house):
    stream = Stream(house, asking("GET /beating HTTP/1.1", "TE: trailers"))
    stream.say(EVENTS + CHUNKED, chunk(EVENT))
    house.loop.advance(HEARTBEAT)
    stream.say(b"0\r\nX-Sum: 1\r\n\r\n")

    assert stream.body == chunk(EVENT) + FRAMED + b"0\r\nX-Sum: 1\r\n\r\n"


@pytest.mark.parametrize("leave", ["hang_up", "break_off"])
def test_client_that_leaves_ends_it_at_once(house, leave):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, chunk(EVENT))
    house.loop.advance(HEARTBEAT)
    house.loop.do(getattr(stream.client.transport, leave))
    ended = stream.upstream.end
    house.loop.advance(IDLE_TIMEOUT)

    assert ended == "abort"
    assert timers(house) == []
    assert stream.body == chunk(EVENT) + FRAMED


def test_upstream_that_breaks_off_is_followed_by_none(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED, chunk(EVENT))
    house.loop.do(stream.upstream.break_off)
    house.loop.advance(2 * HEARTBEAT)

    assert stream.body == chunk(EVENT)
    assert stream.client.transport.end == "abort"


def test_draining_waits_for_a_stream_that_beats(house):
    stream = Stream(house)
    stream.say(EVENTS + CHUNKED)
    house.loop.do(house.port.drain)
    house.loop.advance(HEARTBEAT)
    stream.say(LAST)

    assert stream.body == FRAMED + LAST
    assert stream.client.transport.end == "close"


STREAM = b"data: 1\n\nevent: x\r\ndata: 2\r\n\r\n: c\n\ndata: 3\r\rdata: 4\n\n"
PIECES = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([0.0, 0.0, 1.0, HEARTBEAT, 2.5 * HEARTBEAT]))
)


@examples(100)
@given(PIECES)
def test_stream_without_its_heartbeats_is_the_upstreams(house, pieces):
    try:
        stream = Stream(house)
        stream.say(EVENTS + CHUNKED)
        rest = STREAM
        for size, pause in [*pieces, (len(STREAM), 0.0)]:
            piece, rest = rest[:size], rest[size:]
            if piece:
                stream.say(chunk(piece))
                house.loop.advance(pause)
        stream.say(LAST)
        body = body_of(stream.body)

        assert stream.body.endswith(LAST)
        assert body.replace(BEAT, b"") == STREAM
        assert house.records[0]["bytes_out"] == len(body)
    finally:
        house.reset()
