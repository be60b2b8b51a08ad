"""Comments into silent streams, in played time."""

import pytest

from pyproxy.gateway.heartbeat import Heartbeat
from pyproxy.wire.event_stream import KEEP_ALIVE
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import read_response_head
from tests.clock import Clock

EVENTS = read_response_head(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
JSON = read_response_head(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
BEAT = b"e\r\n: keep-alive\n\n\r\n"
PERIOD = 16.0


class Connection:
    """The upstream's."""

    is_paused = False


class Stream:
    """An answer with a heartbeat, and what the client gets of it."""

    def __init__(self, exchange, channel, clock):
        self.exchange, self._channel = exchange, channel
        self.connection = Connection()
        self.heartbeat = Heartbeat(exchange, self.connection, PERIOD, clock)

    def begin(self, head=EVENTS, length=CHUNKED):
        self.exchange.begin(b"HTTP/1.1 200 OK\r\n", length)
        self.exchange.flush()
        self.heartbeat.began(head, length)
        self._channel.written = b""

    def pass_on(self, data):
        self.exchange.send(data)
        self.exchange.flush()
        self.heartbeat.passed(data)
        self._channel.written = b""

    @property
    def got(self):
        """What came since the last bytes of the upstream."""
        return self._channel.written


@pytest.fixture
def clock():
    return Clock(0.0)


@pytest.fixture
def stream(asked, channel, clock):
    return Stream(asked(), channel, clock)


def test_every_period_of_silence_before_the_first_event_has_one(stream, clock):
    stream.begin()
    clock.move_to(15.9)
    before = stream.got
    clock.move_to(16.0)
    once = stream.got
    clock.move_to(47.9)

    assert (before, once, stream.got) == (b"", BEAT, BEAT * 2)
    assert stream.exchange.sent == 2 * len(KEEP_ALIVE)


def test_every_byte_counts_anew(stream, clock):
    stream.begin()
    clock.move_to(10.0)
    stream.pass_on(b"data: 1\n\n")
    clock.move_to(20.0)
    stream.pass_on(b"data: 2\n\n")
    clock.move_to(35.9)
    before = stream.got
    clock.move_to(36.0)

    assert (before, stream.got) == (b"", BEAT)


def test_none_is_within_an_event(stream, clock):
    stream.begin()
    stream.pass_on(b"data: 1\n")
    clock.move_to(100.0)
    within = stream.got
    stream.pass_on(b"\n")
    clock.move_to(115.9)
    before = stream.got
    clock.move_to(116.0)

    assert (within, before, stream.got) == (b"", b"", BEAT)


def test_client_that_does_not_read_gets_none(stream, clock):
    stream.begin()
    stream.connection.is_paused = True
    clock.move_to(100.0)
    meanwhile = stream.got
    stream.connection.is_paused = False
    clock.move_to(112.0)

    assert (meanwhile, stream.got) == (b"", BEAT)


def test_client_of_old_gets_it_unframed(asked, channel, clock):
    stream = Stream(asked("GET / HTTP/1.0"), channel, clock)
    stream.begin()
    clock.move_to(16.0)

    assert stream.got == KEEP_ALIVE


def test_after_the_end_there_is_none_and_no_timer(stream, clock):
    stream.begin()
    clock.move_to(16.0)
    stream.heartbeat.ended()
    stream.heartbeat.ended()
    clock.move_to(100.0)

    assert stream.got == BEAT
    assert clock.waiting == []


def test_whoever_ends_it_while_it_beats_leaves_no_timer(stream, channel, clock):
    def write(_):
        stream.heartbeat.ended()

    stream.begin()
    channel.write = write
    clock.move_to(16.0)

    assert clock.waiting == []


def test_other_answers_make_no_timer(stream, clock):
    stream.begin(JSON)
    stream.pass_on(b"{}")
    stream.heartbeat.ended()

    assert clock.started == []


def test_stream_that_flows_makes_one_timer_a_period(stream, clock):
    stream.begin()
    for at in range(1, 161):
        clock.move_to(at / 10)
        stream.pass_on(b"data: 1\n\n")

    assert len(clock.started) == 2
    assert stream.exchange.sent == 160 * 9
