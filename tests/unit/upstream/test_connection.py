"""A connection to an upstream, with a transport that is told what happens, and a clock."""

import asyncio
import socket
import ssl
import struct

import pytest
import trustme
import uvloop

from pyproxy.upstream.connection import MAX_IDLE_S, UpstreamConnection
from tests.clock import Clock

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\nhalf"
READ_TIMEOUT = 10.0


class Transport:
    """Keeps what is written, and how it ended."""

    def __init__(self):
        self.writes = []
        self.end = ""
        self.is_reading = True
        self.is_reset = False

    def get_extra_info(self, name):
        return self if name == "socket" else None

    def setsockopt(self, level, option, value):
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER)
        self.is_reset = struct.unpack("ii", value) == (1, 0)

    def is_closing(self):
        return bool(self.end)

    def set_protocol(self, protocol):
        self.protocol = protocol

    def write(self, data):
        self.writes.append(data)

    def close(self):
        self.end = self.end or "closed"

    def abort(self):
        self.end = "aborted"

    def pause_reading(self):
        self.is_reading = False

    def resume_reading(self):
        self.is_reading = True


class Receiver:
    """Keeps what it is told, and the code of a refusal."""

    def __init__(self):
        self.calls = []

    def interim_arrived(self, head):
        self.calls.append(head.status)

    def head_arrived(self, head, length):
        self.calls.append((head.status, length))

    def chunk_arrived(self, data, _size):
        self.calls.append(data)

    def body_arrived(self, data):
        self.calls.append(data)

    def body_ended(self, _trailers):
        self.calls.append("end")

    def flush(self):
        self.calls.append("flush")

    def failed(self, refusal):
        self.calls.append(refusal.code)

    def upload_blocked(self):
        self.calls.append("blocked")

    def upload_unblocked(self):
        self.calls.append("unblocked")


class Line:
    """A connection with both of its ends."""

    def __init__(self):
        self.clock = Clock()
        self.transport = Transport()
        self.kept, self.lost = [], []
        self.connection = UpstreamConnection(self.clock, self.kept.append, self.lost.append)
        self.connection.connection_made(self.transport)

    def ask(self, body=b"", *, method=b"POST", is_chunked=False, is_whole=True):
        """Send a request; what its receiver is told is in the list that is given back."""
        receiver = Receiver()
        connection = self.connection
        connection.request(
            HEAD, method, is_chunked=is_chunked, receiver=receiver, read_timeout=READ_TIMEOUT
        )
        if body:
            connection.body_arrived(body)
        if is_whole:
            connection.body_ended([])
        connection.flush_request()
        return receiver.calls

    @property
    def is_kept(self):
        """It went back to the pool and is fit for it."""
        return self.kept == [self.connection] and not self.transport.end


@pytest.fixture
def line():
    return Line()


# --- Requests


@pytest.mark.parametrize(
    ("body", "is_chunked", "written"),
    [
        pytest.param(b"", False, HEAD, id="no body"),
        pytest.param(b"hello", False, HEAD + b"hello", id="length"),
        pytest.param(b"hello", True, HEAD + b"5\r\nhello\r\n0\r\n\r\n", id="chunks"),
        pytest.param(b"", True, HEAD + b"0\r\n\r\n", id="no chunks"),
    ],
)
def test_request_that_is_there_leaves_in_one_piece(line, body, is_chunked, written):
    line.ask(body, is_chunked=is_chunked)

    assert line.transport.writes == [written]


@pytest.mark.parametrize(
    ("is_chunked", "writes"),
    [
        pytest.param(False, [b"a", b"b"], id="length"),
        pytest.param(True, [b"1\r\na\r\n", b"1\r\nb\r\n", b"0\r\nX: 1\r\n\r\n"], id="chunks"),
    ],
)
def test_body_leaves_as_it_comes(line, is_chunked, writes):
    line.ask(is_chunked=is_chunked, is_whole=False)
    line.connection.body_arrived(b"a")
    line.connection.body_arrived(b"b")
    line.connection.body_ended([(b"x", b"X: 1\r\n")])

    assert line.transport.writes == [HEAD, *writes]


@pytest.mark.parametrize("is_chunked", [False, True])
def test_body_of_a_request_that_is_over_goes_nowhere(line, is_chunked):
    line.ask(is_chunked=is_chunked, is_whole=False)
    line.connection.abort()
    before = list(line.transport.writes)
    line.connection.body_arrived(b"more")
    line.connection.body_ended([])

    assert line.transport.writes == before


def test_pace_of_the_upstream_is_the_receivers(line):
    told = line.ask(is_whole=False)
    line.connection.pause_writing()
    line.connection.resume_writing()

    assert told == ["blocked", "unblocked"]


def test_pace_without_a_request_is_nobodys(line):
    line.connection.pause_writing()
    line.connection.resume_writing()

    assert line.connection.is_open


# --- Answers


def test_answer_is_passed_on_as_it_comes(line):
    told = line.ask()
    line.connection.data_received(b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n")
    line.connection.data_received(b"Content-Length: 4\r\n\r\nha")
    line.connection.data_received(b"lf")

    assert told == [103, "flush", (200, 4), b"ha", "flush", b"lf", "end", "flush"]


def test_connection_is_kept_and_used_again(line):
    first = line.ask()
    line.connection.data_received(OK)
    was_answered = line.connection.has_answered
    second = line.ask()

    assert (was_answered, line.connection.has_answered) == (True, False)
    line.connection.data_received(OK)
    assert first == second == [(200, 2), b"ok", "end", "flush"]
    assert line.kept == [line.connection] * 2
    assert line.connection.is_open


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + b"x", id="more than an answer"),
        pytest.param(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), id="closes"),
        pytest.param(OK.replace(b"1.1", b"1.0"), id="1.0"),
    ],
)
def test_connection_that_may_be_out_of_step_is_not_kept(line, answer):
    told = line.ask()
    line.connection.data_received(answer)

    assert told[-2:] == ["end", "flush"]
    assert (line.kept, line.transport.end) == ([], "closed")


@pytest.mark.parametrize("is_chunked", [True, False])
def test_answer_before_the_request_was_whole_ends_the_connection(line, is_chunked):
    # Aborted: a transport that is closed would wait until the upstream reads the rest.
    told = line.ask(b"half", is_chunked=is_chunked, is_whole=False)
    line.connection.data_received(OK)

    assert told[-2:] == ["end", "flush"]
    assert (line.kept, line.transport.end) == ([], "aborted")


def test_upstream_that_has_not_read_the_request_gets_no_other(line):
    # Its transport is over its bound already: the next upload would not be held back.
    told = line.ask(b"much")
    line.connection.pause_writing()
    line.connection.data_received(OK)

    assert told[-2:] == ["end", "flush"]
    assert (line.kept, line.transport.end) == ([], "aborted")


def test_upstream_that_caught_up_is_asked_again(line):
    line.ask(b"much")
    line.connection.pause_writing()
    line.connection.resume_writing()
    line.connection.data_received(OK)

    assert line.is_kept


def test_bytes_that_nobody_asked_for_end_the_connection(line):
    line.ask()
    line.connection.data_received(OK)
    line.connection.data_received(OK)

    assert line.transport.end == "aborted"


def test_what_is_no_http_is_refused(line):
    told = line.ask()
    line.connection.data_received(b"SSH-2.0\r\n")

    assert told == ["upstream_protocol_error"]
    assert line.transport.end == "aborted"


# --- The end of the connection


@pytest.mark.parametrize(
    ("begun", "told"),
    [
        pytest.param(b"", ["upstream_unreachable"], id="nothing"),
        pytest.param(b"HTTP/1.1 200", ["flush", "upstream_unreachable"], id="half a head"),
        pytest.param(
            OK[:-1], [(200, 2), b"o", "flush", "upstream_unreachable"], id="half a body"
        ),
        pytest.param(OK, [(200, 2), b"ok", "end", "flush"], id="behind an answer"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")], ids=["closed", "reset"])
def test_end_before_the_answers_is_told(line, begun, told, error):
    calls = line.ask()
    if begun:
        line.connection.data_received(begun)
    line.connection.eof_received()
    line.connection.connection_lost(error)

    assert calls == told
    assert line.lost == [line.connection]


def test_end_of_the_connection_is_the_answers_where_nothing_else_is(line):
    told = line.ask()
    line.connection.data_received(TO_THE_END)
    line.connection.eof_received()
    line.connection.connection_lost(None)

    assert told == [(200, -2), b"half", "flush", "end", "flush"]
    assert (line.kept, line.transport.end) == ([], "closed")


def test_reset_is_never_the_end_of_an_answer(line):
    told = line.ask()
    line.connection.data_received(TO_THE_END)
    line.connection.connection_lost(ConnectionResetError())

    assert told == [(200, -2), b"half", "flush", "upstream_unreachable"]


def test_who_aborts_hears_no_more(line):
    told = line.ask()
    line.connection.abort()
    line.connection.connection_lost(None)

    assert told == []
    assert not line.connection.is_open


def test_who_aborts_is_seen_even_by_an_upstream_that_does_not_read(line):
    # Behind bytes that nobody reads, an ordinary end would wait for hours.
    line.ask()
    line.connection.abort()

    assert line.transport.is_reset


# --- Silence


def test_silence_is_a_timeout(line):
    told = line.ask()
    line.clock.advance(READ_TIMEOUT)

    assert told == ["upstream_timeout"]
    assert line.transport.end == "aborted"


def test_head_that_drips_gets_no_extra_time(line):
    told = line.ask()
    for at in range(int(READ_TIMEOUT)):
        line.connection.data_received(OK[at : at + 1])
        line.clock.advance(1)

    assert told[-1] == "upstream_timeout"


@pytest.mark.parametrize("way", ["answer", "upload"])
def test_each_piece_buys_time(line, way):
    told = line.ask(is_whole=way == "answer")
    if way == "answer":
        line.connection.data_received(TO_THE_END)
    for _ in range(5):
        line.clock.advance(READ_TIMEOUT - 1)
        if way == "answer":
            line.connection.data_received(b"x")
        else:
            line.connection.body_arrived(b"x")

    if way == "upload":
        line.connection.body_ended([])
    assert "upstream_timeout" not in told
    line.clock.advance(READ_TIMEOUT)
    assert told[-1] == "upstream_timeout"


def test_silence_of_who_waits_for_more_of_the_request_is_not_its_fault(line):
    told = line.ask(is_whole=False)
    line.clock.advance(3 * READ_TIMEOUT)

    assert told == []
    line.connection.body_ended([])
    line.clock.advance(2 * READ_TIMEOUT)
    assert told[-1] == "upstream_timeout"


def test_silence_of_who_does_not_take_the_request_is_its_fault(line):
    told = line.ask(is_whole=False)
    line.connection.pause_writing()
    line.clock.advance(READ_TIMEOUT)

    assert told[-1] == "upstream_timeout"


def test_upload_does_not_excuse_an_answer_that_stalls(line):
    told = line.ask(is_whole=False)
    line.connection.data_received(TO_THE_END)
    line.clock.advance(READ_TIMEOUT - 1)
    line.connection.body_arrived(b"x")
    line.clock.advance(1)

    assert told[-1] == "upstream_timeout"


def test_client_that_does_not_read_is_not_the_upstreams_silence(line):
    told = line.ask()
    line.connection.data_received(TO_THE_END)
    line.connection.pause()
    for _ in range(10):
        line.clock.advance(READ_TIMEOUT)
    before = list(told)
    line.connection.resume()
    line.clock.advance(READ_TIMEOUT)

    assert "upstream_timeout" not in before
    assert told[-1] == "upstream_timeout"


# --- Pauses


def test_pause_leaves_the_answer_in_the_socket(line):
    line.ask()
    line.connection.pause()
    line.connection.pause()
    held = line.transport.is_reading
    line.connection.resume()
    line.connection.resume()

    assert (held, line.transport.is_reading) == (False, True)


def test_connection_is_never_kept_paused(line):
    line.ask()
    line.connection.pause()
    line.connection.data_received(OK)

    assert line.is_kept
    assert line.transport.is_reading


@pytest.mark.parametrize("call", ["pause", "resume"])
def test_pauses_of_a_connection_that_ended_are_nothing(line, call):
    line.ask()
    if call == "resume":
        line.connection.pause()
    line.transport.close()
    before = line.transport.is_reading
    getattr(line.connection, call)()

    assert line.transport.is_reading is before


# --- In the pool


@pytest.mark.parametrize(
    ("hint", "idle_s"),
    [
        pytest.param(b"", MAX_IDLE_S, id="none"),
        pytest.param(b"Keep-Alive: timeout=5, max=100\r\n", 4.0, id="a second less"),
        pytest.param(b"Keep-Alive: max=9, timeout=5\r\n", 4.0, id="behind another"),
        pytest.param(b"Keep-Alive: timeout=999999\r\n", MAX_IDLE_S, id="long"),
        pytest.param(b"Keep-Alive: timeout=0\r\n", 0.0, id="not at all"),
        pytest.param(b"Keep-Alive: max=100\r\n", MAX_IDLE_S, id="no time"),
        pytest.param(b"Keep-Alive: timeout=soon\r\n", MAX_IDLE_S, id="no number"),
    ],
)
def test_upstream_says_how_long_it_keeps_a_connection(line, hint, idle_s):
    line.ask()
    line.connection.data_received(OK.replace(b"\r\n", b"\r\n" + hint, 1))

    assert line.connection.idle_s == idle_s


def test_connection_grows_old_in_the_pool(line):
    line.ask()
    line.connection.data_received(OK)
    line.connection.rest(5.0)
    line.clock.advance(4.0)
    before = line.connection.is_open
    line.clock.advance(1.0)

    assert line.connection.was_used
    assert (before, line.connection.is_open) == (True, False)


def test_connection_that_is_used_again_does_not_grow_old(line):
    line.ask()
    line.connection.data_received(OK)
    line.connection.rest(5.0)
    told = line.ask()
    line.clock.advance(6.0)

    assert (told, line.transport.end) == ([], "")


# --- The end of TLS

AUTHORITY = trustme.CA()


async def served_over_tls(end):
    """What a receiver is told of a close-delimited answer whose server then does ``end``."""
    serving, trusting = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )
    AUTHORITY.issue_cert("localhost").configure_cert(serving)
    AUTHORITY.configure_trust(trusting)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(TO_THE_END)
        await writer.drain()
        end(writer)

    loop = asyncio.get_running_loop()
    lost = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving)
    async with server:
        _, connection = await loop.create_connection(
            lambda: UpstreamConnection(loop, lambda _: None, lambda _: lost.set()),
            *server.sockets[0].getsockname(),
            ssl=trusting,
            server_hostname="localhost",
        )
        receiver = Receiver()
        connection.request(HEAD, b"GET", is_chunked=False, receiver=receiver, read_timeout=60.0)
        connection.body_ended([])
        connection.flush_request()
        await lost.wait()
    return [call for call in receiver.calls if call != "flush"]


@pytest.mark.parametrize(
    "loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
@pytest.mark.parametrize(
    ("end", "last"),
    [
        pytest.param(lambda writer: writer.close(), "end", id="close_notify"),
        pytest.param(
            lambda writer: writer.transport.abort(), "upstream_unreachable", id="truncation"
        ),
    ],
)
def test_end_of_tls_is_an_answers_end_only_if_the_upstream_says_so(loop_factory, end, last):
    # RFC 8446 section 6.1: whoever is on the way can end the TCP connection.
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        told = runner.run(served_over_tls(end))

    assert told == [(200, -2), b"half", last]


class Successor(asyncio.Protocol):
    """Takes a connection over."""


class Switch:
    """Hands the connection over when the upstream changes protocol."""

    protocols = (b"foo",)

    def __init__(self, connection):
        self.connection = connection
        self.successor = Successor()
        self.rest = None

    def switched(self, _head, _protocols, rest):
        self.rest = rest
        self.connection.hand_over(self.successor)


def test_connection_that_changes_protocol_is_somebody_elses(line):
    line.ask()
    switch = Switch(line.connection)
    line.connection.offer(switch)
    line.connection.data_received(
        b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nrest"
    )
    line.clock.advance(READ_TIMEOUT * 2)
    line.connection.connection_lost(None)

    assert switch.rest == b"rest"
    assert line.transport.protocol is switch.successor
    assert not line.transport.end
    assert line.kept == []
    assert line.lost == [line.connection]
