"""What an observer of an answer is told, and that the answer does not notice."""

import pytest

from pyproxy.errors.refusal import BadRequest, UpstreamUnreachable
from pyproxy.gateway.relay import Relay
from pyproxy.gateway.tap import TappedRelay
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import read_response_head

OK = read_response_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


class Connection:
    """The upstream's."""

    is_aborted = False
    shaped = None

    def abort(self):
        self.is_aborted = True


class Told:
    """A tap that keeps what it is told."""

    def __init__(self):
        self.seen = []

    def began(self, head, length):
        self.seen.append((head.status, length))

    def passed(self, data):
        self.seen.append(data)

    def ended(self):
        self.seen.append("ended")


@pytest.fixture
def tap():
    return Told()


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def relaying(desk, plan_of, connection, tap):
    """Makes the relay of an exchange, watched or not."""

    def relaying_(exchange, *, is_tapped=True):
        kind, more = (TappedRelay, {"tap": tap}) if is_tapped else (Relay, {})
        return kind(
            exchange, connection, plan_of().down,
            request_id="id-1", cors=b"", desk=desk, worked=list, **more,
        )  # fmt: skip

    return relaying_


def play(relay):
    """An answer in several reads."""
    relay.head_arrived(OK, CHUNKED)
    relay.body_arrived(b"one")
    relay.flush()
    relay.chunk_arrived(b"3\r\ntwo\r\n", 3)
    relay.flush()
    relay.body_ended([])
    relay.flush()


async def test_tap_sees_the_body_without_framing(asked, relaying, tap):
    play(relaying(asked()))

    assert tap.seen == [(200, CHUNKED), b"one", b"two", "ended"]


async def test_tapped_answer_is_sent_like_any_other(asked, channel, relaying):
    relays = [relaying(asked(), is_tapped=is_tapped) for is_tapped in (True, False)]
    for relay in relays:
        play(relay)
    tapped, plain = channel.written[: len(channel.written) // 2], channel.written

    assert plain == tapped * 2
    assert [relay.is_complete and relay.done.is_set for relay in relays] == [True, True]


async def test_tap_is_told_that_the_upstream_broke_off(asked, channel, relaying, tap):
    relay = relaying(asked())
    relay.head_arrived(OK, CHUNKED)
    relay.flush()
    relay.failed(UpstreamUnreachable())

    assert tap.seen == [(200, CHUNKED), "ended"]
    assert channel.calls == ["abort"]
    assert relay.is_aborted


async def test_tap_is_told_that_the_request_broke(asked, relaying, tap, connection):
    relay = relaying(asked("POST / HTTP/1.1", "Content-Length: 9"))
    relay.head_arrived(OK, CHUNKED)
    relay.flush()
    relay.body_broke(BadRequest())

    assert tap.seen[-1] == "ended"
    assert connection.is_aborted


async def test_tap_is_told_that_nobody_waits_any_more(asked, relaying, tap, connection):
    relay = relaying(asked())
    relay.head_arrived(OK, CHUNKED)
    relay.drop()

    assert tap.seen == [(200, CHUNKED), "ended"]
    assert connection.is_aborted
