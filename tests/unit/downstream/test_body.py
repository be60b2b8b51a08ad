import pytest

from pyproxy.downstream.body import HELD_BYTES, PIECES_HELD, RequestBody
from pyproxy.errors.refusal import BodyTooLarge
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.syntax import Malformed


class Sink:
    """Keeps what it is given."""

    def __init__(self):
        self.pieces = []
        self.trailers = None

    def body_arrived(self, data):
        self.pieces.append(data)

    def body_ended(self, trailers):
        assert self.trailers is None
        self.trailers = trailers


def attached(length):
    body, sink = RequestBody(length), Sink()
    body.attach(sink)
    return body, sink


def test_no_body_is_complete_from_the_start():
    body, sink = attached(0)

    assert body.is_complete
    assert (sink.pieces, sink.trailers) == ([], [])


def test_bytes_go_to_the_sink_as_they_come():
    body, sink = attached(5)
    body.feed(b"he")

    assert (sink.pieces, sink.trailers, body.is_complete) == ([b"he"], None, False)

    body.feed(b"llo")

    assert (sink.pieces, sink.trailers, body.is_complete) == ([b"he", b"llo"], [], True)
    assert body.received == 5


@pytest.mark.parametrize(
    ("length", "data"),
    [
        pytest.param(5, b"hello", id="length"),
        pytest.param(CHUNKED, b"5\r\nhello\r\n0\r\n\r\n", id="chunked"),
    ],
)
@pytest.mark.parametrize("tail", [b"", b"GET / HTTP/1.1\r\n"])
def test_what_follows_the_body_is_not_of_it(length, data, tail):
    body, sink = attached(length)
    body.feed(data + tail)

    assert sink.pieces == [b"hello"]
    assert sink.trailers == []
    assert body.rest == tail
    assert body.received == 5


def test_a_body_byte_by_byte():
    body, sink = attached(CHUNKED)
    for byte in b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n":
        body.feed(bytes([byte]))

    assert b"".join(sink.pieces) == b"abc"
    assert sink.trailers == [(b"x-sum", b"X-Sum: 1\r\n")]


def test_what_came_before_the_sink_is_held_for_it():
    body, sink = RequestBody(6), Sink()
    body.feed(b"ab")
    body.feed(b"cd")
    body.attach(sink)
    body.feed(b"ef")

    assert sink.pieces == [b"abcd", b"ef"]
    assert sink.trailers == []


def test_a_whole_body_that_came_before_the_sink():
    body, sink = RequestBody(CHUNKED), Sink()
    body.feed(b"2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n")
    body.attach(sink)

    assert sink.pieces == [b"ab"]
    assert sink.trailers == [(b"x-sum", b"X-Sum: 1\r\n")]


def test_trailers_that_are_withheld_do_not_reach_the_sink():
    for arrives_first in (True, False):
        body, sink = RequestBody(CHUNKED), Sink()
        body.withholds = lambda trailer: trailer[0] == b"x-user"
        coded = b"0\r\nX-User: admin\r\nX-Sum: 1\r\n\r\n"
        if arrives_first:
            body.feed(coded)
            body.attach(sink)
        else:
            body.attach(sink)
            body.feed(coded)

        assert sink.trailers == [(b"x-sum", b"X-Sum: 1\r\n")]


def test_without_a_sink_a_bounded_number_of_bytes_is_held():
    body = RequestBody(2 * HELD_BYTES)
    body.feed(b"x" * (HELD_BYTES - 1))

    assert not body.is_full

    body.feed(b"x")

    assert body.is_full

    body.attach(Sink())

    assert not body.is_full


def test_what_nobody_wants_any_more_is_dropped():
    body, sink = attached(4)
    body.feed(b"ab")
    body.detach()
    body.feed(b"cd")

    assert body.is_complete
    assert not body.is_full
    assert (sink.pieces, sink.trailers) == ([b"ab"], None)


@pytest.mark.parametrize(("length", "limit"), [(5, 5), (0, 0), (CHUNKED, 0)])
def test_a_body_within_its_limit(length, limit):
    RequestBody(length).limit(limit)


def test_a_body_that_says_it_is_too_long_is_refused_at_once():
    with pytest.raises(BodyTooLarge):
        RequestBody(6).limit(5)


def test_a_chunked_body_that_is_already_too_long_is_refused_at_once():
    body = RequestBody(CHUNKED)
    body.feed(b"6\r\nabcdef\r\n")

    with pytest.raises(BodyTooLarge):
        body.limit(5)


def test_a_chunked_body_that_grows_too_long_is_refused_and_not_passed_on():
    body, sink = attached(CHUNKED)
    body.limit(5)
    body.feed(b"5\r\nabcde\r\n")

    with pytest.raises(BodyTooLarge):
        body.feed(b"1\r\nf\r\n")

    assert sink.pieces == [b"abcde"]
    assert sink.trailers is None


def test_a_broken_coding_is_no_end():
    body, sink = attached(CHUNKED)

    with pytest.raises(Malformed):
        body.feed(b"5\r\nhelloXX")

    assert not body.is_complete
    assert sink.trailers is None


def test_a_slow_sink_is_given_a_little_at_once():
    body, sink = RequestBody(10), Sink()
    body.at_once = 4
    body.feed(b"abcdefghijNEXT")
    assert (body.is_complete, body.has_more, body.rest) == (True, False, b"NEXT")

    body.attach(sink)
    assert (sink.pieces, body.has_more) == ([b"abcd"], True)

    body.feed(b"")
    assert (sink.pieces[1:], sink.trailers, body.has_more) == ([b"efgh"], None, True)

    body.feed(b"")
    assert (sink.pieces[2:], sink.trailers, body.has_more) == ([b"ij"], [], False)
    assert (body.received, body.rest) == (10, b"NEXT")


def test_what_a_slow_sink_has_yet_to_get_stays_in_order():
    body, sink = attached(CHUNKED)
    body.at_once = 3
    body.feed(b"5\r\nabcde\r\n")
    body.feed(b"2\r\nfg\r\n0\r\nX-Sum: 1\r\n\r\n")
    while body.has_more:
        body.feed(b"")

    assert sink.pieces == [b"abc", b"def", b"g"]
    assert sink.trailers == [(b"x-sum", b"X-Sum: 1\r\n")]


def test_who_lets_go_of_a_body_gets_no_more_of_what_was_read():
    body, sink = RequestBody(6), Sink()
    body.at_once = 2
    body.feed(b"abcdef")
    body.attach(sink)
    body.detach()

    assert not body.has_more
    assert sink.pieces == [b"ab"]


def test_tiny_pieces_are_not_held_one_by_one():
    body, sink = RequestBody(10_000), Sink()
    for _ in range(5000):
        body.feed(b"ab")
        assert len(body._held) <= PIECES_HELD
    body.attach(sink)

    assert sink.pieces == [b"ab" * 5000]
