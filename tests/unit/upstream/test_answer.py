"""An answer means the same in whatever pieces it comes."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pyproxy.upstream.answer import MAX_HEAD, MAX_INTERIM, Answer
from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE
from pyproxy.wire.syntax import Malformed

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TRAILED = CHUNKS + b"5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n"
CLOSES = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
OLD = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\nhello"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"

WHOLE = {
    "length": LENGTH,
    "no bytes": EMPTY,
    "chunks with trailers": TRAILED,
    "no chunks": CHUNKS + b"0\r\n\r\n",
    "304": NOT_MODIFIED,
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "behind hints": HINTS * 3 + LENGTH,
    "closes": CLOSES,
    "1.0": OLD,
}


class Receiver:
    """Keeps what it is told; the body in one piece."""

    def __init__(self):
        self.calls = []

    def interim_arrived(self, head):
        self.calls.append(("interim", head.status))

    def head_arrived(self, head, length):
        self.calls.append(("head", head.status, length))

    def chunk_arrived(self, data, size):
        self.body_arrived(data[-size - 2 : -2])

    def body_arrived(self, data):
        assert data, "no piece is empty"
        before = self.calls.pop()[1] if self.calls[-1][0] == "body" else b""
        self.calls.append(("body", before + data))

    def body_ended(self, trailers):
        self.calls.append(("end", trailers))


def read(pieces, method=b"GET"):
    """What a receiver was told, the answer, and what was left when it was complete."""
    receiver = Receiver()
    answer = Answer(method, receiver)
    pieces = list(pieces)
    while pieces and not answer.is_complete:
        answer.feed(pieces.pop(0))
    return receiver.calls, answer, b"".join(pieces)


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


def cut(data, places):
    """The data in pieces, none of them empty."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:stop] for start, stop in pairwise(edges)]


# --- What it means


@pytest.mark.parametrize(
    ("data", "calls"),
    [
        pytest.param(LENGTH, [("head", 200, 5), ("body", b"hello"), ("end", [])], id="length"),
        pytest.param(EMPTY, [("head", 200, 0), ("end", [])], id="no bytes"),
        pytest.param(
            TRAILED,
            [
                ("head", 200, CHUNKED), ("body", b"hello!"),
                ("end", [(b"x-sum", b"X-Sum: 1\r\n")]),
            ],
            id="chunks with trailers",
        ),
        pytest.param(
            CHUNKS + b"0\r\n\r\n", [("head", 200, CHUNKED), ("end", [])], id="no chunks"
        ),
        pytest.param(NOT_MODIFIED, [("head", 304, 0), ("end", [])], id="304 has no body"),
        pytest.param(
            HINTS + HINTS + EMPTY,
            [("interim", 103), ("interim", 103), ("head", 200, 0), ("end", [])],
            id="hints",
        ),
        pytest.param(
            LENGTH[:-1], [("head", 200, 5), ("body", b"hell")], id="not whole yet"
        ),
        pytest.param(LENGTH[:30], [], id="not even a head"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pieces", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
def test_receiver_is_told_what_came(data, calls, pieces):
    told, answer, _ = read(pieces(data))

    assert told == calls
    assert answer.is_complete is ("end" in [call[0] for call in calls])
    assert not answer.ends_with_connection


def test_answer_to_head_has_no_body():
    told, answer, _ = read([LENGTH[:-5]], b"HEAD")

    assert told == [("head", 200, 0), ("end", [])]
    assert answer.is_in_step


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        pytest.param([TO_THE_END], [("body", b"hello")], id="whole"),
        pytest.param([TO_THE_END[:-5], b"hel", b"lo"], [("body", b"hello")], id="in pieces"),
        pytest.param([TO_THE_END[:-5]], [], id="no bytes"),
    ],
)
def test_answer_may_end_with_its_connection(pieces, body):
    told, answer, _ = read(pieces)
    before = (answer.ends_with_connection, answer.is_complete)
    answer.end()

    assert before == (True, False)
    assert told == [("head", 200, UNTIL_CLOSE), *body, ("end", [])]
    assert answer.is_complete
    assert not answer.is_in_step


# --- In step


@pytest.mark.parametrize(
    ("data", "is_in_step"),
    [
        pytest.param(LENGTH, True, id="length"),
        pytest.param(TRAILED, True, id="chunks"),
        pytest.param(EMPTY, True, id="no bytes"),
        pytest.param(NOT_MODIFIED, True, id="304"),
        pytest.param(CLOSES, False, id="closes"),
        pytest.param(OLD, False, id="1.0"),
        pytest.param(
            OLD.replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1), True, id="1.0 keep-alive"
        ),
        pytest.param(LENGTH + b"H", False, id="more than its length"),
        pytest.param(LENGTH + LENGTH, False, id="response splitting"),
        pytest.param(EMPTY + LENGTH, False, id="body where there is none"),
        pytest.param(NOT_MODIFIED + b"hello", False, id="body of a 304"),
        pytest.param(TRAILED + b"H", False, id="more than its last chunk"),
    ],
)
def test_only_an_answer_with_nothing_behind_it_lets_another_follow(data, is_in_step):
    _, answer, _ = read([data])

    assert answer.is_complete
    assert answer.is_in_step is is_in_step


def test_final_head_is_kept():
    _, answer, _ = read([HINTS, LENGTH])

    assert answer.head.status == 200


# --- What is refused


def big(size):
    """A head of so many bytes."""
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: "
    return start + b"a" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"\r\n" + LENGTH, id="empty line first"),
        pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 099 Low\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", id="space before the colon"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", id="unasked 101"),
        pytest.param(HINTS * (MAX_INTERIM + 1) + LENGTH, id="flood of hints"),
        pytest.param(big(MAX_HEAD + 1), id="head over the bound"),
        pytest.param(big(MAX_HEAD + 10)[:-4], id="endless head"),
        pytest.param(CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n", id="CL.TE"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(CHUNKS + b"5\r\nhelloXX", id="broken chunk"),
        pytest.param(CHUNKS + b"x", id="no size"),
    ],
)
@pytest.mark.parametrize("by", [1 << 20, 7])
def test_what_is_no_answer_is_refused(data, by):
    with pytest.raises(Malformed):
        read([data[at : at + by] for at in range(0, len(data), by)])


@pytest.mark.parametrize("by", [1 << 20, 1000])
def test_most_is_taken(by):
    data = HINTS * MAX_INTERIM + big(MAX_HEAD)
    told, answer, _ = read([data[at : at + by] for at in range(0, len(data), by)])

    assert len(told) == MAX_INTERIM + 2
    assert answer.is_in_step


@pytest.mark.parametrize("length", range(1, 8))
def test_what_cannot_be_http_is_not_waited_for(length):
    with pytest.raises(Malformed):
        read([b"HTTP/1."[: length - 1] + b"?"])


# --- Properties

ANSWERS = st.sampled_from(list(WHOLE.values()))


@given(ANSWERS, st.lists(st.integers(0, 999)))
def test_calls_are_the_same_in_any_pieces(data, places):
    assert read(cut(data, places))[0] == read([data])[0] == read(bytewise(data))[0]


@given(ANSWERS, st.binary(min_size=1, max_size=20), st.lists(st.integers(0, 999)))
def test_tail_is_never_told(data, tail, places):
    told, answer, left = read(cut(data + tail, places))

    assert told == read([data])[0]
    assert left == tail or not answer.is_in_step
    assert tail.endswith(left)


@given(ANSWERS, st.integers(0, 999))
def test_answer_that_is_cut_is_never_complete(data, place):
    told, answer, _ = read([data[: place % len(data)]])

    assert not answer.is_complete
    assert all(call[0] != "end" for call in told)
    assert not answer.ends_with_connection


class Switch:
    """Asked for ``foo``; keeps what it is told."""

    protocols = (b"foo",)

    def __init__(self):
        self.calls = []

    def switched(self, head, protocols, rest):
        self.calls.append((head.status, protocols, rest))


SWITCHES = b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: Foo\r\n\r\n"


@pytest.mark.parametrize("before", [b"", HINTS], ids=["alone", "after hints"])
@pytest.mark.parametrize("rest", [b"", b"\0rest"], ids=["whole", "with bytes behind"])
def test_another_protocol_is_given_way_to(before, rest):
    answer, switch = Answer(b"GET", Receiver()), Switch()
    answer.switch = switch
    for piece in bytewise(before + SWITCHES[:-1]):
        answer.feed(piece)
    answer.feed(SWITCHES[-1:] + rest)

    assert switch.calls == [(101, (b"Foo",), rest)]
    assert answer.head is None
    assert not answer.is_complete


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        pytest.param(None, SWITCHES, id="not asked"),
        pytest.param(Switch(), SWITCHES.replace(b"Foo", b"h2c"), id="another"),
        pytest.param(Switch(), b"HTTP/1.1 101 Go\r\n\r\n", id="no fields"),
    ],
)
def test_101_that_nobody_asked_for_is_none(switch, text):
    answer = Answer(b"GET", Receiver())
    answer.switch = switch

    with pytest.raises(Malformed, match="nobody asked"):
        answer.feed(text)
