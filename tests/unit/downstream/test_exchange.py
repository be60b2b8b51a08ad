import pytest

from pyproxy.downstream.body import HELD_BYTES, RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import BadRequest
from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE
from pyproxy.wire.head import read_request_head

OK = b"HTTP/1.1 200 OK\r\n"


class Channel:
    """Keeps what is written and what is asked of it."""

    def __init__(self):
        self.written = b""
        self.writes = 0
        self.calls = []

    def write(self, data):
        self.written += data
        self.writes += 1

    def abort(self):
        self.calls.append("abort")

    def resume_body(self):
        self.calls.append("resume_body")

    def hold_body(self):
        self.calls.append("hold_body")

    def hand_over(self, successor):
        self.calls.append(successor)
        return b"early"


class Sink:
    """Takes a body."""

    def body_arrived(self, data):
        pass

    def body_ended(self, trailers):
        pass


def exchange(start=b"GET / HTTP/1.1", *lines, length=0):
    channel = Channel()
    head = read_request_head(b"\r\n".join([start, *lines, b"", b""]))
    return Exchange(channel, head, RequestBody(length), Peer("192.0.2.1", is_tls=False)), channel


@pytest.mark.parametrize(
    ("start", "lines", "keeps"),
    [
        pytest.param(b"GET / HTTP/1.1", [], True, id="1.1"),
        pytest.param(b"GET / HTTP/1.1", [b"Connection: close"], False, id="1.1 close"),
        pytest.param(b"GET / HTTP/1.0", [], False, id="1.0"),
        pytest.param(b"GET / HTTP/1.0", [b"Connection: keep-alive"], True, id="1.0 keep-alive"),
    ],
)
def test_the_client_says_whether_the_connection_stays(start, lines, keeps):
    # RFC 9112 section 9.3
    assert exchange(start, *lines)[0].keeps_alive is keeps


@pytest.mark.parametrize(
    ("start", "lines", "length", "framing", "keeps"),
    [
        pytest.param(b"GET / HTTP/1.1", [], 3, b"Content-Length: 3\r\n", True, id="length"),
        pytest.param(b"GET / HTTP/1.1", [], 0, b"Content-Length: 0\r\n", True, id="no bytes"),
        pytest.param(b"GET / HTTP/1.1", [], None, b"", True, id="no body"),
        pytest.param(
            b"GET / HTTP/1.1", [], CHUNKED, b"Transfer-Encoding: chunked\r\n", True, id="chunked"
        ),
        pytest.param(
            b"GET / HTTP/1.1", [], UNTIL_CLOSE, b"Transfer-Encoding: chunked\r\n", True,
            id="until the upstream closes",
        ),
        pytest.param(
            b"GET / HTTP/1.1", [b"Connection: close"], 3,
            b"Content-Length: 3\r\nConnection: close\r\n", False, id="close",
        ),
        pytest.param(
            b"GET / HTTP/1.0", [b"Connection: keep-alive"], 3,
            b"Content-Length: 3\r\nConnection: keep-alive\r\n", True, id="1.0 keep-alive",
        ),
        pytest.param(
            b"GET / HTTP/1.0", [b"Connection: keep-alive"], CHUNKED,
            b"Connection: close\r\n", False, id="1.0 knows no chunks",
        ),
    ],
)  # fmt: skip
def test_an_answer_is_framed_for_the_client(start, lines, length, framing, keeps):
    # RFC 9112 sections 6 and 9.6
    made, channel = exchange(start, *lines)
    made.begin(OK, length)
    made.flush()

    assert channel.written == OK + framing + b"\r\n"
    assert made.keeps_alive is keeps
    assert made.has_begun
    assert not made.is_ended


def test_a_chunked_answer_leaves_as_it_comes():
    made, channel = exchange()
    made.begin(OK, CHUNKED)
    made.send(b"abc")
    made.flush()
    made.send(b"d")
    made.end([(b"x-sum", b"X-Sum: 1\r\n")])
    made.flush()

    assert channel.written == (
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    assert channel.writes == 2
    assert made.is_ended
    assert made.sent == 4


def test_an_answer_without_chunks_has_no_trailers():
    made, channel = exchange()
    made.begin(OK, 3)
    made.send(b"abc")
    made.end([(b"x-sum", b"X-Sum: 1\r\n")])
    made.flush()

    assert channel.written == OK + b"Content-Length: 3\r\n\r\nabc"


def test_nothing_staged_is_nothing_written():
    made, channel = exchange()
    made.flush()

    assert channel.writes == 0


@pytest.mark.parametrize(
    ("method", "body", "written"),
    [
        pytest.param(b"GET", b"abc", b"Content-Length: 3\r\n\r\nabc", id="GET"),
        pytest.param(b"HEAD", b"abc", b"Content-Length: 3\r\n\r\n", id="HEAD"),
        pytest.param(b"GET", b"", b"Content-Length: 0\r\n\r\n", id="empty"),
    ],
)
def test_a_whole_answer_is_one_write(method, body, written):
    made, channel = exchange(method + b" / HTTP/1.1")
    made.answer(OK, body)

    assert channel.written == OK + written
    assert channel.writes == 1
    assert made.is_ended


@pytest.mark.parametrize(
    ("start", "written"),
    [
        pytest.param(b"GET / HTTP/1.1", b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n", id="1.1"),
        pytest.param(b"GET / HTTP/1.0", b"", id="1.0 knows none"),
    ],
)
def test_an_interim_answer_begins_nothing(start, written):
    # RFC 9110 section 15.2
    made, channel = exchange(start)
    made.interim(b"HTTP/1.1 103 Early\r\nLink: a\r\n")

    assert channel.written == written
    assert not made.has_begun


def test_a_cut_shows():
    made, channel = exchange()
    made.abort()

    assert channel.calls == ["abort"]


def test_who_answers_hears_of_a_broken_body():
    made, _ = exchange(b"POST / HTTP/1.1", length=CHUNKED)
    heard = []
    made.on_broken = heard.append
    refusal = BadRequest()
    made.break_body(refusal)

    assert heard == [refusal]
    assert made.broken is refusal
    assert not made.keeps_alive


def test_a_body_may_break_before_anybody_answers():
    made, _ = exchange(b"POST / HTTP/1.1", length=CHUNKED)
    refusal = BadRequest()
    made.break_body(refusal)

    assert made.broken is refusal


@pytest.mark.parametrize(
    ("held", "calls"),
    [
        pytest.param(HELD_BYTES, ["resume_body"], id="reading was held back"),
        pytest.param(1, [], id="reading went on"),
    ],
)
def test_the_client_is_read_again_when_there_is_a_sink(held, calls):
    made, channel = exchange(b"POST / HTTP/1.1", length=2 * HELD_BYTES)
    made.body.feed(b"x" * held)
    made.send_body_to(Sink())

    assert channel.calls == calls


def test_the_upstreams_pace_is_the_clients():
    made, channel = exchange()
    made.hold_body()
    made.resume_body()

    assert channel.calls == ["hold_body", "resume_body"]


def test_a_101_ends_what_is_http():
    switched, channel = exchange(b"GET / HTTP/1.1")
    switched.source = object()
    switched.switch(b"HTTP/1.1 101 Go\r\nUpgrade: a\r\n")

    assert channel.written == b"HTTP/1.1 101 Go\r\nUpgrade: a\r\n\r\n"
    assert (switched.has_begun, switched.keeps_alive, switched.is_unframed) == (True, False, True)
    assert switched.source is None
    assert switched.hand_over("successor") == b"early"
    assert channel.calls == ["successor"]


CHUNK = b"05\r\nhello\r\n"


def test_chunk_passes_as_it_came_and_at_once():
    answered, channel = exchange()
    answered.begin(OK, CHUNKED)
    answered.flush()
    head, channel.written = channel.written, b""
    answered.send_chunk(CHUNK, 5)

    assert b"Transfer-Encoding: chunked" in head
    assert (channel.written, answered.sent) == (CHUNK, 5)
    assert not answered.take_back()


def test_chunk_that_came_with_the_head_leaves_with_it():
    answered, channel = exchange()
    answered.begin(OK, CHUNKED)
    answered.send_chunk(CHUNK, 5)
    before = channel.writes
    answered.flush()

    assert (before, channel.writes) == (0, 1)
    assert channel.written.endswith(b"\r\n\r\n" + CHUNK)


def test_client_that_knows_no_chunks_gets_their_content():
    answered, channel = exchange(b"GET / HTTP/1.0")
    answered.begin(OK, CHUNKED)
    answered.send_chunk(CHUNK, 5)
    answered.flush()

    assert channel.written.endswith(b"\r\n\r\nhello")
    assert answered.sent == 5
