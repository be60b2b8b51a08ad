"""The client's connection with a transport that is told what the client reads, and a clock."""

import asyncio
import socket

import pytest

from pyproxy.downstream.body import CHUNKS_AT_ONCE, HELD_BYTES
from pyproxy.downstream.connection import MAX_PIPELINED, WRITE_BUFFER_BYTES, ClientConnection
from pyproxy.downstream.lingering import LINGER_BYTES, LINGER_S, LINGER_SILENCE_S
from pyproxy.downstream.port import Port
from pyproxy.transports.reading import HELD_LOOK_S
from pyproxy.wire.framing import UNTIL_CLOSE
from tests.clock import Clock
from tests.waiting import turns

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEADER_TIMEOUT = 10.0
IDLE_TIMEOUT = 75.0
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Transport:
    """Keeps what is written, and how it ended."""

    def __init__(self):
        self.written = b""
        self.end = ""
        self.is_cut = False
        self.unsent = 0
        self.is_reading = True
        self.ours, self.theirs = socket.socketpair()

    def get_extra_info(self, name):
        return {"peername": ("127.0.0.1", 40000), "socket": self.ours}.get(name)

    def get_write_buffer_size(self):
        return self.unsent

    def set_write_buffer_limits(self, high):
        self.most_unsent = high

    def is_closing(self):
        return bool(self.end)

    def set_protocol(self, protocol):
        self.protocol = protocol

    def write(self, data):
        self.written += data

    def close(self):
        self.end = self.end or "closed"

    def abort(self):
        self.end = self.end or "aborted"
        self.is_cut = True

    def pause_reading(self):
        self.is_reading = False

    def resume_reading(self):
        self.is_reading = True


class Client:
    """A connection as its client sees it."""

    def __init__(self):
        self.served = []
        self.clock = Clock()
        self.transport = Transport()
        self.is_slow = False  # reads nothing
        self.is_busy = False  # gets no answer
        self.is_waiting = True  # for a callback; else for something that needs a task
        self.ended = 0
        self.lost = 0
        self.port = Port(
            serve=self._serve,
            reject=lambda refusal, _: refusal.code.encode(),
            spawn=lambda work, _: asyncio.get_running_loop().create_task(work),
            header_timeout=HEADER_TIMEOUT,
            idle_timeout=IDLE_TIMEOUT,
            max_header_size=16384,
        )
        self.connection = ClientConnection(self.port, self.clock.time(), self.clock, self._leave)
        self.connection.connection_made(self.transport)

    async def _serve(self, exchange):
        self.served.append(exchange)
        if self.is_busy:
            try:
                await (exchange.signal() if self.is_waiting else self._never())
            finally:
                self.ended += 1
        exchange.answer(b"HTTP/1.1 200 OK\r\n", b"answer")
        if self.is_slow:
            self.connection.pause_writing()

    async def _never(self):
        await asyncio.get_running_loop().create_future()

    def refused_slowly(self, *_):
        self.connection.pause_writing()
        return b"refused"

    def _leave(self):
        self.lost += 1

    async def sends(self, data):
        self.connection.data_received(data)
        await turns()

    async def reads(self):
        self.connection.resume_writing()
        await turns()


@pytest.fixture
async def client():
    client = Client()
    await turns()
    yield client
    client.connection.connection_lost(None)
    await turns()
    client.transport.ours.close()
    client.transport.theirs.close()


async def test_pipelined_requests_are_answered_in_turn(client):
    await client.sends(REQUEST * 3)

    assert len(client.served) == 3


async def test_next_answer_waits_until_the_last_one_is_read(client):
    client.is_slow = True

    await client.sends(REQUEST * 2)
    before = len(client.served)
    await client.reads()

    assert (before, len(client.served)) == (1, 2)


async def test_client_that_reads_no_answer_is_cut(client):
    client.is_slow = True

    await client.sends(REQUEST * 2)
    client.clock.advance(IDLE_TIMEOUT)

    assert client.transport.end == "aborted"


async def test_requests_behind_an_unread_answer_are_bounded(client):
    client.is_slow = True

    await client.sends(REQUEST)
    await client.sends(REQUEST * 5000)

    assert not client.transport.is_reading


async def test_idle_time_counts_after_a_slow_client_has_read(client):
    client.is_slow = True
    await client.sends(REQUEST)
    await client.reads()

    client.clock.advance(IDLE_TIMEOUT)

    assert client.transport.end == "closed"


async def test_upload_that_stalls_after_a_slow_download_is_given_up(client):
    client.is_busy = True
    await client.sends(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
    client.connection.pause_writing()
    await client.reads()

    client.clock.advance(HEADER_TIMEOUT)

    assert client.served[0].broken.code == "request_timeout"


async def test_upload_has_its_time_after_a_slow_download(client):
    # What the client did not send while it read slowly is not held against it.
    client.is_busy = True
    await client.sends(UPLOAD)
    client.connection.pause_writing()
    client.clock.advance(HEADER_TIMEOUT + 1)
    await client.reads()

    client.clock.advance(HEADER_TIMEOUT - 1)

    assert client.served[0].broken is None


# --- Heads


async def test_head_has_its_time_from_accept(client):
    client.clock.advance(HEADER_TIMEOUT - 1)
    await client.sends(REQUEST[:5])

    client.clock.advance(1)
    await turns()

    assert client.transport.written == b"request_timeout"


async def test_next_head_has_its_time_from_its_first_byte(client):
    await client.sends(REQUEST)
    client.clock.advance(IDLE_TIMEOUT - 1)
    await client.sends(REQUEST[:5])
    client.clock.advance(HEADER_TIMEOUT - 1)
    await client.sends(REQUEST[5:])

    assert len(client.served) == 2


async def test_next_head_gets_no_extra_time_for_dripping(client):
    await client.sends(REQUEST)
    client.transport.written = b""
    for _ in range(int(HEADER_TIMEOUT)):
        await client.sends(b"G")
        client.clock.advance(1)
    await turns()

    assert client.transport.written == b"request_timeout"


async def test_client_that_never_asks_is_closed_without_a_word(client):
    client.clock.advance(HEADER_TIMEOUT)

    assert (client.transport.end, client.transport.written) == ("closed", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", b"bad_request", id="bare LF"),
        pytest.param(b"GET /  HTTP/1.1\r\n\r\n", b"bad_request", id="two spaces"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"bad_request", id="CL.TE",
        ),
        pytest.param(b"A" * 20_000, b"uri_too_long", id="endless line"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A" * 20_000, b"headers_too_large", id="fields"),
    ],
)  # fmt: skip
async def test_what_is_no_request_is_answered_and_the_last(client, data, code):
    await client.sends(data)
    await client.sends(REQUEST)

    assert (client.transport.written, client.served) == (code, [])
    client.clock.advance(LINGER_SILENCE_S)
    assert client.transport.end == "closed"


# --- Bodies


async def test_body_that_stalls_is_given_up(client):
    client.is_busy = True
    await client.sends(UPLOAD + b"some")
    client.clock.advance(HEADER_TIMEOUT)

    assert client.served[0].broken.code == "request_timeout"


async def test_body_that_drips_is_given_up(client):
    # R-U-Dead-Yet: each byte alone is in time.
    client.is_busy = True
    await client.sends(UPLOAD)
    seconds = 0
    while client.served[0].broken is None:
        client.clock.advance(1)
        await client.sends(b"x")
        seconds += 1

    assert HEADER_TIMEOUT <= seconds <= HEADER_TIMEOUT + 1


async def test_complete_body_has_no_deadline(client):
    client.is_busy = True
    await client.sends(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
    await client.sends(b"y")
    client.clock.advance(1000 * HEADER_TIMEOUT)

    assert client.served[0].body.is_complete
    assert client.served[0].broken is None
    assert not client.transport.end


async def test_complete_body_of_a_client_that_does_not_read_has_one(client):
    client.is_busy = True
    await client.sends(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
    client.connection.pause_writing()
    await client.sends(b"y")
    client.clock.advance(IDLE_TIMEOUT)

    assert client.transport.end == "aborted"


@pytest.mark.parametrize(
    ("body", "limit", "code"),
    [
        pytest.param(b"5\r\nhelloXX", 100, "bad_request", id="broken chunk"),
        pytest.param(b"5\r\nhello\r\n", 4, "body_too_large", id="over the limit"),
    ],
)
async def test_broken_body_is_told_to_who_answers(client, body, limit, code):
    client.is_busy = True
    await client.sends(CHUNKED)
    exchange = client.served[0]
    exchange.body.limit(limit)
    await client.sends(body)

    assert exchange.broken.code == code
    assert not exchange.keeps_alive


async def test_request_behind_a_body_is_served_next(client):
    await client.sends(CHUNKED + b"1\r\nx\r\n0\r\n\r\n" + REQUEST)

    assert [exchange.head.method for exchange in client.served] == [b"POST", b"GET"]


async def test_body_that_nobody_takes_stays_in_the_clients_socket(client):
    client.is_busy = True
    await client.sends(UPLOAD + bytes(HELD_BYTES))
    held = client.transport.is_reading
    client.connection.resume_body()

    assert (held, client.transport.is_reading) == (False, True)


async def test_held_body_has_all_the_time(client):
    client.is_busy = True
    await client.sends(UPLOAD + bytes(HELD_BYTES))
    client.clock.advance(100 * HEADER_TIMEOUT)
    before = client.served[0].broken
    client.connection.resume_body()
    client.clock.advance(HEADER_TIMEOUT)

    assert before is None
    assert client.served[0].broken.code == "request_timeout"


async def test_held_body_of_a_client_that_does_not_read_has_not(client):
    client.is_busy = True
    await client.sends(UPLOAD)
    client.connection.pause_writing()
    client.connection.hold_body()
    client.clock.advance(IDLE_TIMEOUT)

    assert client.transport.end == "aborted"


async def test_reading_goes_on_behind_a_body_that_is_complete(client):
    client.is_busy = True
    await client.sends(REQUEST)
    client.connection.hold_body()
    client.connection.resume_body()

    assert client.transport.is_reading


# --- The client leaves while nothing is read


async def looked(client, seconds):
    """Let time pass in steps in which looks follow each other."""
    for _ in range(int(seconds / HELD_LOOK_S)):
        client.clock.advance(HELD_LOOK_S)
        await turns()


async def test_client_that_leaves_while_its_body_is_held_back_is_noticed(client):
    client.is_busy = True
    await client.sends(UPLOAD)
    client.connection.hold_body()
    await looked(client, 1.0)
    before = client.transport.end
    client.transport.theirs.close()
    client.clock.advance(HELD_LOOK_S)

    assert (before, client.transport.end) == ("", "aborted")


async def test_client_that_leaves_behind_too_many_requests_is_noticed(client):
    client.is_busy = True
    await client.sends(REQUEST)
    await client.sends(REQUEST * 5000)
    client.transport.theirs.shutdown(socket.SHUT_WR)
    await looked(client, 1.0)

    assert client.transport.end == "aborted"


async def test_client_that_stays_is_looked_for_once_in_a_while(client):
    # A body that goes on by fits and starts is held back many times a second.
    client.is_busy = True
    await client.sends(UPLOAD)
    for _ in range(100):
        client.connection.resume_body()
        client.connection.hold_body()
    await looked(client, 1.0)

    assert len(client.clock.pending) <= 2
    assert not client.transport.end


@pytest.mark.parametrize("end", ["resume_body", "abort"])
async def test_nobody_looks_for_a_client_that_is_read_or_gone(client, end):
    client.is_busy = True
    await client.sends(UPLOAD)
    client.connection.hold_body()
    getattr(client.connection, end)()
    client.transport.theirs.close()
    await looked(client, 1.0)

    assert client.transport.end == ("aborted" if end == "abort" else "")


# --- Early answers


async def test_rest_of_a_body_that_was_answered_early_is_dropped(client):
    await client.sends(UPLOAD + b"some")
    await client.sends(bytes(1000))

    assert client.transport.end == ""
    assert client.connection.is_done is False
    client.clock.advance(LINGER_SILENCE_S)
    assert client.transport.end == "closed"
    assert client.connection.is_done


@pytest.mark.parametrize(
    ("piece", "seconds"),
    [
        pytest.param(bytes(LINGER_BYTES + 1), 0.0, id="much"),
        pytest.param(b"x", LINGER_S, id="for long"),
    ],
)
async def test_rest_of_a_body_is_not_read_for_ever(client, piece, seconds):
    await client.sends(UPLOAD)
    for _ in range(int(seconds / 0.125)):
        await client.sends(piece)
        assert not client.transport.end
        client.clock.advance(0.125)
    await client.sends(piece)

    assert client.transport.end == "closed"


# --- Clients that do not read to the end


async def test_refused_client_that_begins_to_read_does_not_stay_for_ever(client):
    # Its refusal was written to a buffer that was all but full.
    client.port.reject = client.refused_slowly
    await client.sends(b"nonsense\r\n\r\n")
    await client.reads()
    client.clock.advance(LINGER_SILENCE_S)

    assert client.transport.end == "closed"


async def test_refused_client_may_read_slowly(client):
    client.port.reject = client.refused_slowly
    await client.sends(b"nonsense\r\n\r\n")
    client.clock.advance(LINGER_SILENCE_S)
    before = client.transport.is_cut
    client.clock.advance(IDLE_TIMEOUT)

    assert (before, client.transport.end, client.transport.is_cut) == (False, "closed", True)


async def test_last_answer_that_is_not_read_is_given_up(client):
    # A transport that is closed waits until everything is sent.
    await client.sends(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    client.clock.advance(IDLE_TIMEOUT - 1)
    before = client.transport.is_cut
    client.clock.advance(1)

    assert (before, client.transport.end, client.transport.is_cut) == (False, "closed", True)


# --- Connections


@pytest.mark.parametrize("is_waiting", [True, False], ids=["a callback", "a task"])
async def test_client_that_leaves_ends_what_is_done_for_it(client, is_waiting):
    client.is_busy, client.is_waiting = True, is_waiting
    await client.sends(REQUEST)
    client.connection.connection_lost(ConnectionResetError())
    await turns()

    assert (client.lost, client.port.connections, client.ended) == (1, set(), 1)


async def test_client_that_half_closes_has_left(client):
    assert client.connection.eof_received() is False


async def test_port_knows_its_connections(client):
    assert client.port.connections == {client.connection}

    client.port.abort()
    assert client.transport.end == "aborted"


async def test_drained_port_closes_idle_connections_now(client):
    await client.sends(REQUEST)
    client.port.drain()

    assert client.transport.end == "closed"


@pytest.mark.parametrize(
    "begun", [pytest.param(REQUEST, id="served"), pytest.param(REQUEST[:9], id="half a head")]
)
async def test_drained_port_lets_what_began_end(client, begun):
    client.is_busy = True
    await client.sends(begun)
    client.port.drain()

    assert not client.transport.end


async def test_answer_that_begins_in_a_drained_port_says_that_it_is_the_last(client):
    client.is_busy = True
    await client.sends(REQUEST)
    client.port.drain()
    client.served[0].answer(b"HTTP/1.1 200 OK\r\n", b"answer")

    assert b"Connection: close\r\n" in client.transport.written


async def test_request_that_ends_in_a_drained_port_is_the_last(client):
    await client.sends(REQUEST[:9])
    client.port.drain()
    await client.sends(REQUEST[9:] + REQUEST)

    assert len(client.served) == 1
    assert b"Connection: close\r\n" in client.transport.written
    assert client.transport.end == "closed"


async def test_empty_line_is_nothing_to_wait_for_in_a_drained_port(client):
    client.port.is_draining = True
    await client.sends(b"\r\n")

    assert client.transport.end == "closed"


async def test_pace_of_the_client_is_the_sources(client):
    client.is_busy = True
    await client.sends(REQUEST)
    client.served[0].source = source = Source()
    client.connection.pause_writing()
    client.connection.resume_writing()

    assert source.calls == ["pause", "resume"]


class Source:
    """Where an answer comes from."""

    def __init__(self):
        self.calls = []

    def pause(self):
        self.calls.append("pause")

    def resume(self):
        self.calls.append("resume")


@pytest.mark.parametrize(
    ("version", "is_reset"),
    [
        pytest.param(b"1.1", False, id="framed"),
        pytest.param(b"1.0", True, id="the connection's end is the answer's"),
    ],
)
async def test_cut_shows_in_every_framing(client, version, is_reset):
    client.is_busy = True
    await client.sends(b"GET / HTTP/%b\r\nHost: a\r\n\r\n" % version)
    client.served[0].begin(b"HTTP/1.1 200 OK\r\n", UNTIL_CLOSE)
    client.connection.abort()
    linger = client.transport.ours.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)

    assert client.transport.is_cut
    assert any(linger) is is_reset


# --- Another protocol


class Heir:
    """Takes a connection over."""

    def __init__(self):
        self.taken = ()
        self.drained = 0

    def take_over(self, owner, transport):
        self.taken = owner, transport

    def drain(self):
        self.drained += 1


async def test_successor_gets_the_connection_and_what_came_early(client):
    client.is_busy = True
    await client.sends(REQUEST + b"early")
    await client.sends(b"x" * MAX_PIPELINED)
    heir = Heir()
    early = client.served[0].hand_over(heir)
    client.clock.advance(HEADER_TIMEOUT + IDLE_TIMEOUT)

    assert early == b"early" + b"x" * MAX_PIPELINED
    assert heir.taken == (client.connection, client.transport)
    assert client.transport.protocol is heir
    assert client.transport.is_reading
    assert not client.transport.end


@pytest.mark.parametrize("order", ["drain", "leave"])
@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
async def test_successor_is_told_to_end(client, order, is_late):
    client.is_busy = True
    await client.sends(REQUEST)
    heir = Heir()
    if is_late:
        getattr(client.port, order)()
    client.served[0].hand_over(heir)
    if not is_late:
        getattr(client.port, order)()
    await turns()

    assert heir.drained == 1
    assert not client.transport.end


async def test_leaving_ends_no_connection_that_speaks_http(client):
    client.port.leave()

    assert client.port.is_leaving
    assert not client.transport.end


# --- Tiny chunks


class Taker:
    """Counts what it takes of a body."""

    def __init__(self):
        self.taken = self.ends = 0

    def body_arrived(self, data):
        self.taken += len(data)

    def body_ended(self, _trailers):
        self.ends += 1


@pytest.mark.parametrize("count", [1000, 2 * CHUNKS_AT_ONCE + 1], ids=["few", "many"])
async def test_others_have_their_turn_between_tiny_chunks(client, count):
    client.is_busy = True
    taker = Taker()
    await client.sends(CHUNKED)
    client.served[0].send_body_to(taker)
    client.connection.data_received(b"1\r\nx\r\n" * count)
    at_once, is_reading = taker.taken, client.transport.is_reading
    await turns()
    client.connection.data_received(b"0\r\n\r\n")
    await turns()

    assert (at_once, is_reading) == (min(count, CHUNKS_AT_ONCE), False)
    assert (taker.taken, taker.ends, client.transport.is_reading) == (count, 1, True)


async def test_client_that_leaves_between_tiny_chunks_is_not_heard_further(client):
    client.is_busy = True
    taker = Taker()
    await client.sends(CHUNKED)
    client.served[0].send_body_to(taker)
    client.connection.data_received(b"1\r\nx\r\n" * 3 * CHUNKS_AT_ONCE)
    client.transport.abort()
    await turns()

    assert taker.taken == CHUNKS_AT_ONCE


# --- Answers that pile up


async def test_little_of_an_answer_piles_up_over_tls_too(client):
    assert client.transport.most_unsent == WRITE_BUFFER_BYTES
