"""Both ends of a tunnel with transports that are told what happens, and a clock."""

import socket
import ssl

import pytest

from pyproxy.gateway.relay import Relay
from pyproxy.gateway.tunnel import FAREWELL_S, Tunnel
from pyproxy.gateway.tunnel_end import MANY_FRAMES_BYTES
from pyproxy.transports.reading import HELD_LOOK_S
from pyproxy.wire.head import read_response_head
from pyproxy.wire.websocket import close_frame
from tests.clock import Clock
from tests.waiting import turns

SILENCE = 60.0
HELLO = b"\x81\x05hello"
GOING = close_frame(1001)
THEIRS = close_frame(1001, b"mask")


class Transport:
    """Keeps what is written, and how it ended."""

    def __init__(self, *, is_tls):
        self.written = b""
        self.end = ""
        self.is_reading = True
        self.is_orderly = True
        self._is_tls = is_tls
        self.ours, self.theirs = socket.socketpair()

    def get_extra_info(self, name):
        if name == "ssl_object":
            return self if self._is_tls else None
        return self.ours

    def read(self, _size):
        if not self.is_orderly:
            raise ssl.SSLError
        return b""

    def can_write_eof(self):
        return not self._is_tls

    def is_closing(self):
        return self.end in {"closed", "aborted"}

    def write(self, data):
        assert not self.end
        self.written += data

    def write_eof(self):
        self.end = "half"

    def close(self):
        self.end = "closed"

    def abort(self):
        self.end = self.end if self.is_closing() else "aborted"

    def pause_reading(self):
        self.is_reading = False

    def resume_reading(self):
        self.is_reading = True


class Owner:
    """Whose connection it was: the client's channel, or the upstream's connection."""

    read_timeout = SILENCE
    is_behind = is_paused = False
    shaped = None

    def __init__(self, transport):
        self.transport = transport
        self.calls = []

    def hand_over(self, successor):
        self.successor = successor

    def connection_lost(self, _exc):
        self.calls.append("lost")

    def pause_writing(self):
        self.calls.append("pause")

    def resume_writing(self):
        self.calls.append("resume")


class Line:
    """A tunnel and both of its ends."""

    def __init__(self, exchange, channel, relay_of, *, protocol=b"websocket", is_tls=True):
        self.clock = Clock()
        self.client, self.upstream = Transport(is_tls=is_tls), Transport(is_tls=is_tls)
        self.owner = Owner(self.client)
        self.connection = Owner(self.upstream)
        self.exchange, self.channel = exchange, channel
        channel.hand_over = self._hand_over
        self.early = b""
        self.relay = relay_of(exchange, self.connection)
        self.tunnel = Tunnel(exchange, self.connection, self.relay, (protocol,), self.clock)
        self.protocol = protocol

    def _hand_over(self, successor):
        self.front = successor
        successor.take_over(self.owner, self.client)
        return self.early

    def open(self, rest=b""):
        text = b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % self.protocol
        self.tunnel.switched(read_response_head(text), (self.protocol,), rest)
        self.back = self.connection.successor
        return self

    @property
    def is_open(self):
        return not self.relay.done.is_set


@pytest.fixture
def line(asked, channel, desk, plan_of):
    """Makes a tunnel, not yet granted."""
    made = []

    def relay_of(exchange, connection):
        rules = plan_of().down
        return Relay(exchange, connection, rules, request_id="i", cors=b"", desk=desk, worked=list)

    def line_(**options):
        made.append(Line(asked(), channel, relay_of, **options))
        return made[-1]

    yield line_
    for each in made:
        for transport in (each.client, each.upstream):
            transport.ours.close()
            transport.theirs.close()


@pytest.fixture
def opened(line):
    """Makes an open tunnel."""
    return lambda **options: line(**options).open()


async def test_bytes_go_both_ways_and_are_counted(opened):
    tunnel = opened()
    tunnel.front.data_received(HELLO[:3])
    tunnel.front.data_received(HELLO[3:])
    tunnel.back.data_received(b"\x82\0")

    assert tunnel.upstream.written == HELLO
    assert tunnel.client.written == b"\x82\0"
    assert (tunnel.exchange.body.received, tunnel.exchange.sent) == (7, 2)


async def test_what_came_early_goes_first(line):
    tunnel = line()
    tunnel.early = b"early"
    tunnel.open(b"rest")

    assert tunnel.upstream.written == b"early"
    assert tunnel.client.written == b"rest"
    assert tunnel.channel.written.startswith(b"HTTP/1.1 101 Go\r\n")


async def test_back_pressure_from_before_goes_on(line):
    tunnel = line()
    tunnel.connection.is_paused = tunnel.connection.is_behind = True
    tunnel.upstream.is_reading = False
    tunnel.open()
    before = tunnel.upstream.is_reading, tunnel.client.is_reading
    tunnel.front.resume_writing()
    tunnel.back.resume_writing()

    assert before == (False, False)
    assert (tunnel.upstream.is_reading, tunnel.client.is_reading) == (True, True)


@pytest.mark.parametrize("side", ["client", "upstream"])
async def test_side_that_does_not_read_holds_the_other(opened, side):
    tunnel = opened()
    slow, fast = ("front", "upstream") if side == "client" else ("back", "client")
    getattr(tunnel, slow).pause_writing()
    held = getattr(tunnel, fast).is_reading
    getattr(tunnel, slow).resume_writing()

    assert not held
    assert getattr(tunnel, fast).is_reading
    owner = tunnel.owner if side == "client" else tunnel.connection
    assert owner.calls == ["pause", "resume"]


async def test_flood_of_frames_lets_others_have_their_turn(opened):
    tunnel = opened()
    tunnel.front.data_received(b"\x89\0" * MANY_FRAMES_BYTES)
    tunnel.back.data_received(b"\x89\0")
    reading = tunnel.client.is_reading, tunnel.upstream.is_reading
    await turns(2)

    assert reading == (False, True)
    assert tunnel.client.is_reading


async def test_silence_from_both_sides_is_a_cut(opened):
    tunnel = opened()
    tunnel.clock.advance(SILENCE - 1)
    tunnel.front.data_received(b"\x89\0")
    tunnel.clock.advance(SILENCE - 1)
    before = tunnel.is_open
    tunnel.clock.advance(1)

    assert before
    assert (tunnel.client.end, tunnel.upstream.end) == ("aborted", "aborted")
    assert tunnel.relay.is_aborted
    assert tunnel.relay.broke_off.code == "upstream_timeout"


async def test_silence_while_the_client_does_not_read_is_for_its_own_deadline(opened):
    tunnel = opened()
    tunnel.front.pause_writing()
    for _ in range(3):
        tunnel.clock.advance(SILENCE)

    assert tunnel.is_open


# --- The end of one side


@pytest.mark.parametrize("side", ["front", "back"])
async def test_end_of_one_side_closes_the_other(opened, side):
    tunnel = opened()
    stays = getattr(tunnel, side).eof_received()

    assert not stays
    assert tunnel.upstream.end == "closed"
    assert tunnel.exchange.is_ended
    assert not tunnel.is_open
    assert not tunnel.relay.is_aborted


@pytest.mark.parametrize("side", ["client", "upstream"])
@pytest.mark.parametrize("is_said", [False, True], ids=["before a Close", "after a Close"])
async def test_tls_that_ends_without_its_farewell_is_a_cut(opened, side, is_said):
    tunnel = opened()
    getattr(tunnel, side).is_orderly = False
    end = tunnel.front if side == "client" else tunnel.back
    if is_said:
        end.data_received(THEIRS)
    end.eof_received()

    assert tunnel.relay.is_aborted is not is_said
    assert (tunnel.relay.broke_off is None) == (is_said or side == "client")
    assert tunnel.upstream.end == ("closed" if is_said else "aborted")


async def test_directions_of_plain_connections_end_one_by_one(opened):
    tunnel = opened(is_tls=False)
    stays = tunnel.front.eof_received()
    half = tunnel.upstream.end
    tunnel.back.data_received(HELLO)
    stays_too = tunnel.back.eof_received()

    assert (stays, half, stays_too) == (True, "half", False)
    assert tunnel.client.written == HELLO
    assert tunnel.exchange.is_ended


async def test_drain_says_nothing_where_a_direction_has_ended(opened):
    tunnel = opened(is_tls=False)
    tunnel.front.eof_received()
    tunnel.front.drain()

    assert tunnel.upstream.written == b""
    assert tunnel.client.written == GOING


@pytest.mark.parametrize("side", ["front", "back"])
@pytest.mark.parametrize("error", [None, ConnectionResetError(104, "reset")])
async def test_loss_of_one_side_is_a_cut(opened, side, error):
    tunnel = opened()
    getattr(tunnel, side).connection_lost(error)

    other = tunnel.upstream if side == "front" else tunnel.client
    owner = tunnel.owner if side == "front" else tunnel.connection
    assert other.end == "aborted"
    assert tunnel.relay.is_aborted
    assert (tunnel.relay.broke_off is None) == (side == "front")
    assert owner.calls == ["lost"]


@pytest.mark.parametrize("side", ["front", "back"])
async def test_loss_after_a_close_frame_is_none(opened, side):
    tunnel = opened()
    getattr(tunnel, side).data_received(close_frame(1000))
    getattr(tunnel, side).connection_lost(ConnectionResetError())

    assert tunnel.exchange.is_ended
    assert tunnel.upstream.end == "closed"


async def test_second_loss_changes_nothing(opened):
    tunnel = opened()
    tunnel.front.connection_lost(ConnectionResetError())
    tunnel.back.eof_received()
    tunnel.back.connection_lost(ConnectionResetError())

    assert tunnel.relay.broke_off is None
    assert tunnel.connection.calls == ["lost"]


async def test_upstream_that_does_not_read_the_last_bytes_is_cut(opened):
    tunnel = opened()
    tunnel.front.eof_received()
    tunnel.upstream.end = ""  # the transport waits for it to read
    tunnel.clock.advance(SILENCE)

    assert tunnel.upstream.end == "aborted"


async def test_side_that_is_closing_is_sent_nothing_more(opened):
    tunnel = opened(protocol=b"thing", is_tls=False)
    tunnel.upstream.close()
    tunnel.front.data_received(b"late")
    tunnel.front.eof_received()

    assert (tunnel.upstream.written, tunnel.upstream.end) == (b"", "closed")


async def test_what_comes_after_the_end_puts_off_no_deadline(opened):
    tunnel = opened()
    tunnel.front.eof_received()
    tunnel.upstream.end = ""  # the transport waits for it to read
    tunnel.clock.advance(SILENCE / 2)
    tunnel.back.data_received(HELLO)
    tunnel.clock.advance(SILENCE / 2)

    assert tunnel.upstream.end == "aborted"


async def test_nothing_is_waited_for_when_all_have_left(opened):
    tunnel = opened()
    tunnel.front.data_received(THEIRS)
    tunnel.tunnel.drain()
    tunnel.front.connection_lost(None)
    tunnel.back.data_received(GOING)
    tunnel.back.connection_lost(None)

    assert not tunnel.is_open
    assert tunnel.clock.waiting == []


@pytest.mark.parametrize("how", ["reset", "end", "there"])
async def test_reset_of_a_side_that_is_held_is_looked_for(opened, how):
    tunnel = opened()
    tunnel.back.pause_writing()
    tunnel.back.resume_writing()
    tunnel.back.pause_writing()
    tunnel.clock.advance(HELD_LOOK_S)
    before = tunnel.client.end
    if how == "reset":
        tunnel.client.ours.send(b"unread")  # which makes a reset of the end
    if how != "there":
        tunnel.client.theirs.close()
    tunnel.clock.advance(HELD_LOOK_S)

    assert before == ""
    assert tunnel.client.end == ("aborted" if how == "reset" else "")


async def test_nobody_looks_for_a_side_that_is_read_again(opened):
    tunnel = opened()
    tunnel.back.pause_writing()
    tunnel.back.resume_writing()
    tunnel.client.ours.send(b"unread")
    tunnel.client.theirs.close()
    tunnel.clock.advance(HELD_LOOK_S)

    assert tunnel.client.end == ""


# --- Draining


def unmasked(frame):
    return bytes(a ^ b for a, b in zip(frame[6:], frame[2:], strict=False))


async def test_drain_tells_both_sides_and_waits_for_their_farewells(opened):
    tunnel = opened()
    tunnel.front.drain()
    tunnel.front.drain()
    tunnel.front.data_received(THEIRS)
    before = tunnel.is_open
    tunnel.back.data_received(GOING)

    assert tunnel.client.written == GOING
    assert (tunnel.upstream.written[:2], unmasked(tunnel.upstream.written)) == (
        b"\x88\x82",
        b"\x03\xe9",
    )
    assert before
    assert tunnel.exchange.is_ended
    assert tunnel.upstream.end == "closed"


@pytest.mark.parametrize("how", ["end", "loss"])
async def test_side_that_leaves_after_our_farewell_has_said_its_own(opened, how):
    tunnel = opened()
    tunnel.front.drain()
    for end in (tunnel.front, tunnel.back):
        before = tunnel.is_open
        if how == "end":
            end.eof_received()
        else:
            end.connection_lost(None)

    assert before
    assert not tunnel.is_open
    assert not tunnel.relay.is_aborted


async def test_farewells_are_not_waited_for_long(opened):
    tunnel = opened()
    tunnel.front.drain()
    tunnel.back.data_received(HELLO)
    tunnel.clock.advance(FAREWELL_S)

    assert tunnel.client.written == GOING
    assert tunnel.exchange.is_ended


async def test_drain_waits_for_the_frame_under_way(opened):
    tunnel = opened()
    tunnel.front.data_received(HELLO[:2])
    tunnel.front.drain()
    tunnel.clock.advance(FAREWELL_S)
    before = tunnel.upstream.written, tunnel.is_open
    tunnel.front.data_received(HELLO[2:] + HELLO)
    after = tunnel.is_open
    tunnel.clock.advance(FAREWELL_S)

    assert before == (HELLO[:2], True)
    assert after
    assert tunnel.upstream.written.startswith(HELLO + b"\x88\x82")
    assert len(tunnel.upstream.written) == len(HELLO) + 8
    assert not tunnel.is_open


async def test_after_the_end_there_is_nothing_to_drain(opened):
    tunnel = opened()
    tunnel.front.eof_received()
    tunnel.front.drain()

    assert tunnel.client.written == b""


async def test_drain_leaves_another_protocol_alone(opened):
    tunnel = opened(protocol=b"foo")
    tunnel.front.drain()
    tunnel.front.data_received(HELLO)

    assert tunnel.client.written == b""
    assert tunnel.upstream.written == HELLO
    assert tunnel.is_open
