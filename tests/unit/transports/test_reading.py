"""What is seen of a connection's end while it is not read: real sockets, and a clock."""

import asyncio
import socket
import struct

import pytest

from pyproxy.transports.reading import ANY_END, HELD_LOOK_S, RESET, Reading
from tests.clock import Clock


class Transport:
    """A socket, and what is done with it."""

    def __init__(self, sock):
        self.sock = sock
        self.calls = []
        self.is_over = False

    def get_extra_info(self, name):
        return self.sock if name == "socket" else None

    def is_closing(self):
        return self.is_over

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")

    def abort(self):
        self.calls.append("abort")
        self.is_over = True


class Held:
    """A connection over TCP that is not read, and what its other end does."""

    def __init__(self, ours, theirs, ends):
        self.ours, self.theirs = ours, theirs
        self.clock = Clock()
        self.transport = Transport(ours)
        self.reading = Reading(self.clock, self.transport, ends)
        self.reading.set(False)

    def sends(self):
        self.theirs.send(b"unread")

    def ends(self):
        self.sends()
        self.theirs.shutdown(socket.SHUT_WR)

    def ends_after_us(self):
        self.ours.shutdown(socket.SHUT_WR)
        self.ends()

    def resets(self):
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.theirs.close()


@pytest.fixture
def held():
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as ours,
        listening.accept()[0] as theirs,
    ):
        yield lambda ends=ANY_END: Held(ours, theirs, ends)


@pytest.mark.parametrize(
    ("ends", "act", "is_ended"),
    [
        pytest.param(ANY_END, Held.sends, False, id="bytes"),
        pytest.param(ANY_END, Held.ends, True, id="end behind bytes"),
        pytest.param(ANY_END, Held.ends_after_us, True, id="end of both directions"),
        pytest.param(ANY_END, Held.resets, True, id="reset"),
        pytest.param(RESET, Held.sends, False, id="bytes, and only a reset counts"),
        pytest.param(RESET, Held.ends, False, id="end that can wait for its turn"),
        pytest.param(RESET, Held.ends_after_us, False, id="end of both that can wait for its turn"),
        pytest.param(RESET, Held.resets, True, id="reset, which cannot"),
    ],
)
def test_end_is_seen_although_nothing_is_read(held, ends, act, is_ended):
    connection = held(ends)
    act(connection)
    connection.clock.advance(HELD_LOOK_S)

    assert connection.transport.calls == ["pause", "abort"] if is_ended else ["pause"]
    assert len(connection.clock.waiting) == (0 if is_ended else 1)


def test_end_is_looked_for_until_it_comes(held):
    connection = held()
    connection.clock.advance(10 * HELD_LOOK_S)
    before = list(connection.transport.calls)
    connection.resets()
    connection.clock.advance(HELD_LOOK_S)

    assert before == ["pause"]
    assert connection.transport.calls == ["pause", "abort"]


def test_who_reads_looks_for_nothing(held):
    connection = held()
    connection.reading.set(True)
    connection.resets()
    connection.clock.advance(HELD_LOOK_S)

    assert connection.transport.calls == ["pause", "resume"]
    assert connection.clock.waiting == []


def test_one_look_out_is_enough(held):
    connection = held()
    connection.reading.set(True)
    connection.reading.set(False)
    connection.reading.set(False)

    assert connection.transport.calls == ["pause", "resume", "pause"]
    assert len(connection.clock.waiting) == 1


def test_nothing_changes_where_the_transport_is_closing(held):
    connection = held()
    connection.transport.is_over = True
    connection.reading.set(True)
    connection.resets()
    connection.clock.advance(HELD_LOOK_S)

    assert not connection.reading.is_on
    assert connection.transport.calls == ["pause"]


async def test_who_rests_reads_nothing_whatever_is_set(held):
    held = held()
    held.reading.rest(True)
    held.reading.set(True)
    held.reading.let_others()
    await asyncio.sleep(0)
    assert "resume" not in held.transport.calls

    held.reading.rest(False)
    assert held.transport.calls[-1] == "resume"


def test_who_rests_no_more_reads_only_what_is_wanted(held):
    held = held()
    held.reading.rest(True)
    held.reading.rest(False)

    assert held.transport.calls == ["pause"]
