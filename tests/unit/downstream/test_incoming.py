"""Heads are found in whatever pieces they come."""

from contextlib import nullcontext
from itertools import pairwise

import pytest
from hypothesis import example, given, strategies as st

from pyproxy.downstream.incoming import MAX_REQUEST_LINE, Incoming
from pyproxy.errors.refusal import BadRequest, HeadersTooLarge, Refusal, UriTooLong
from pyproxy.wire.head import read_request_head
from pyproxy.wire.syntax import Malformed

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BARE = b"GET /bare HTTP/1.0\r\n\r\n"
MAX_FIELD_BYTES = 64


def incoming(*pieces):
    made = Incoming(MAX_FIELD_BYTES)
    for piece in pieces:
        made.append(piece)
    return made


def sized(line, fields):
    """A head whose request line and fields have so many bytes, line ends included."""
    name = b"X: "
    target = b"/" * (line - len(b"GET  HTTP/1.1\r\n"))
    field = name + b"a" * (fields - len(name) - 2) + b"\r\n" if fields else b""
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (target, field)


def heads(pieces):
    """Every head in the pieces, read; and whether something was refused behind them."""
    buffer, found = Incoming(MAX_FIELD_BYTES), []
    try:
        for piece in pieces:
            buffer.append(piece)
            while (head := buffer.take_head()) is not None:
                found.append(read_request_head(head))
    except (Refusal, Malformed):
        return found, True
    return found, False


def cut(data, places):
    """The data in pieces, none of them empty."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:stop] for start, stop in pairwise(edges)]


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


# --- Heads


def test_nothing_is_no_head():
    assert incoming().take_head() is None


def test_heads_come_one_after_the_other_and_the_rest_waits():
    buffer = incoming(HEAD + BARE + b"POST")

    assert [buffer.take_head(), buffer.take_head(), buffer.take_head()] == [HEAD, BARE, None]
    assert len(buffer) == len(b"POST")
    assert buffer.take_all() == b"POST"
    assert len(buffer) == 0


@pytest.mark.parametrize("at", range(1, len(HEAD)))
def test_a_head_is_found_wherever_it_was_cut(at):
    buffer = incoming(HEAD[:at])
    before = buffer.take_head()
    buffer.append(HEAD[at:])

    assert (before, buffer.take_head()) == (None, HEAD)


def test_what_was_put_back_comes_first():
    buffer = incoming(BARE)
    buffer.put_back(HEAD)

    assert [buffer.take_head(), buffer.take_head()] == [HEAD, BARE]


def test_what_was_put_back_is_looked_through():
    buffer = incoming(b"G" * 40)
    buffer.take_head()
    buffer.put_back(BARE)

    assert buffer.take_head() == BARE


def test_what_was_taken_whole_is_not_looked_for():
    buffer = incoming(HEAD[:-1])
    buffer.take_head()
    taken = buffer.take_all()
    buffer.append(BARE)

    assert (taken, buffer.take_head()) == (HEAD[:-1], BARE)


@pytest.mark.parametrize("lines", [1, 2, 5])
@pytest.mark.parametrize("pieces", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
def test_empty_lines_before_a_request_are_ignored(pieces, lines):
    # RFC 9112 section 2.2
    found, was_refused = heads(pieces(b"\r\n" * lines + HEAD + b"\r\n" * lines + BARE))

    assert [head.target for head in found] == [b"/", b"/bare"]
    assert not was_refused


def test_empty_lines_alone_are_nothing():
    buffer = incoming(b"\r\n" * 3)

    assert buffer.take_head() is None
    assert len(buffer) == 0


# --- Bounds


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        pytest.param(sized(MAX_REQUEST_LINE, 0), None, id="longest line"),
        pytest.param(sized(MAX_REQUEST_LINE + 1, 0), UriTooLong, id="line over it"),
        pytest.param(sized(40, MAX_FIELD_BYTES), None, id="largest fields"),
        pytest.param(sized(40, MAX_FIELD_BYTES + 1), HeadersTooLarge, id="fields over it"),
        pytest.param(sized(MAX_REQUEST_LINE, MAX_FIELD_BYTES), None, id="both"),
    ],
)
@pytest.mark.parametrize("tail", [b"", HEAD, b"x" * MAX_REQUEST_LINE], ids=["", "next", "body"])
@pytest.mark.parametrize("by", [61, 1000, 1 << 20])
def test_bounds_are_the_same_in_any_pieces(head, refusal, tail, by):
    buffer, data, taken = incoming(), head + tail, None
    with pytest.raises(refusal) if refusal else nullcontext():
        for at in range(0, len(data), by):
            buffer.append(data[at : at + by])
            if (taken := buffer.take_head()) is not None:
                break

    assert taken == (None if refusal else head)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        pytest.param(b"a" * MAX_REQUEST_LINE, UriTooLong, id="a line that does not end"),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + b"a" * (MAX_FIELD_BYTES + 3), HeadersTooLarge,
            id="fields that do not end",
        ),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", BadRequest, id="bare LF"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\rC", BadRequest, id="bare CR"),
        pytest.param(b"\n", BadRequest, id="LF before a request"),
        pytest.param(b"\r\n\n", BadRequest, id="LF behind an empty line"),
    ],
)  # fmt: skip
def test_what_cannot_become_a_head_is_not_waited_for(data, refusal):
    with pytest.raises(refusal):
        incoming(data).take_head()


# --- Properties

PARTS = st.sampled_from(
    [
        HEAD, BARE, b"\r\n", b"\r", b"\n", b"GET ", b"/ HTTP/1.1\r\n", b"A: b\r\n", b"\r\n\r\n",
        b"a" * 40, b"\0",
    ]
)  # fmt: skip


@given(st.lists(st.sampled_from([HEAD, BARE, b"\r\n"])), st.lists(st.integers(0, 999)))
def test_requests_are_the_same_in_any_pieces(parts, places):
    data = b"".join(parts)
    found, was_refused = heads(cut(data, places))

    assert len(found) == sum(part != b"\r\n" for part in parts)
    assert not was_refused


@given(st.lists(PARTS, max_size=8), st.lists(st.integers(0, 999)))
@example([b"\r\n", b"\r", b"\n", HEAD], [3])
def test_whatever_comes_has_one_reading(parts, places):
    data = b"".join(parts)

    assert heads(cut(data, places)) == heads([data]) == heads(bytewise(data))
