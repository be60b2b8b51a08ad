"""Where a stream of events may be added to, judged by a parser written from the standard."""

from itertools import pairwise

import pytest
from hypothesis import example, given, strategies as st

from pyproxy.wire.event_stream import (
    KEEP_ALIVE,
    EventBoundary,
    is_event_stream,
    is_open_event_stream,
)
from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE
from pyproxy.wire.head import read_response_head


def lines_of(stream):
    """Lines that ended in CRLF, LF or CR, and what is left (WHATWG HTML section 9.2.5)."""
    lines, line, at = [], b"", 0
    while at < len(stream):
        if stream[at : at + 2] == b"\r\n":
            at += 1
        elif stream[at] not in b"\r\n":
            line += stream[at : at + 1]
            at += 1
            continue
        lines.append(line)
        line, at = b"", at + 1
    return lines, line


def events_of(stream):
    """What an EventSource makes of a stream: data, type and id of each event, and the wait.

    WHATWG HTML section 9.2.6, word for word.
    """
    events, data, kind, buffered, wait = [], b"", b"", b"", None
    for line in lines_of(stream)[0]:
        if not line:
            if data:
                events.append((data.removesuffix(b"\n"), kind, buffered))
            data = kind = b""
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data += value + b"\n"
        elif name == b"event":
            kind = value
        elif name == b"id" and b"\0" not in value:
            buffered = value
        elif name == b"retry" and value.isdigit():
            wait = int(value)
    return events, (data, kind, buffered, wait)


def beating(pieces):
    """The stream with a heartbeat at every place that lets it be, and how many those were."""
    boundary, stream, beats = EventBoundary(), b"", 0
    for piece in (b"", *pieces):
        if piece:
            boundary.passed(piece)
        stream += piece
        if boundary.is_between:
            stream += KEEP_ALIVE
            beats += 1
    return stream, beats


def is_between(*pieces):
    boundary = EventBoundary()
    for piece in pieces:
        boundary.passed(piece)
    return boundary.is_between


def test_parser_of_these_tests_knows_events():
    events, left = events_of(
        b"event: a\ndata: 1\r\ndata:2\rid: 7\n\n: no\nretry: 5\ndata\n\ndata: x"
    )

    assert events == [(b"1\n2", b"a", b"7"), (b"", b"", b"7")]
    assert left == (b"", b"", b"7", 5)


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"", id="nothing yet"),
        pytest.param(b"data: x\n\n", id="LF"),
        pytest.param(b"data: x\r\n\r\n", id="CRLF"),
        pytest.param(b"data: x\r\r", id="CR"),
        pytest.param(b"data: x\n\r\n", id="LF and CRLF"),
        pytest.param(b"data: x\r\r\n", id="CR and CRLF"),
        pytest.param(b"data: x\r\n\n", id="CRLF and LF"),
        pytest.param(b"\n", id="an empty line at the start"),
        pytest.param(b"\r\n", id="an empty line at the start, CRLF"),
        pytest.param(b": ping\n\n", id="their own comment"),
    ],
)
def test_between_events(stream):
    assert is_between(*[stream] if stream else [])
    assert is_between(*[stream[at : at + 1] for at in range(len(stream))])


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"d", id="a letter"),
        pytest.param(b"data: x", id="a line without end"),
        pytest.param(b"data: x\n", id="LF"),
        pytest.param(b"data: x\r\n", id="CRLF"),
        pytest.param(b"data: x\r", id="CR"),
        pytest.param(b"data: x\r\n\r", id="half of a CRLF"),
        pytest.param(b"\r", id="perhaps half of a CRLF at the start"),
        pytest.param(b"data: x\n\r", id="CR behind LF"),
        pytest.param(b"data: x\n\n ", id="a space behind the empty line"),
        pytest.param(b"data: x\n\nevent: y\n", id="a type without data"),
        pytest.param(b": ping\n", id="a comment that goes on"),
        pytest.param(b"\xef\xbb\xbf", id="a byte order mark"),
    ],
)
def test_within_an_event(stream):
    assert not is_between(stream)
    assert not is_between(*[stream[at : at + 1] for at in range(len(stream))])


ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from(
    [
        b"",
        b"",
        b"data: x",
        b"data",
        b"event: y",
        b"id: 1",
        b"id",
        b"retry: 9",
        b": c",
        b"data:\xc3\xa4",
    ]
)
STREAMS = st.one_of(
    st.lists(st.tuples(LINES, ENDS)).map(lambda pairs: b"".join(a + b for a, b in pairs)),
    st.text("da:t\r\n").map(str.encode),
)


def cut(stream, places):
    """A stream in pieces, none of them empty."""
    edges = sorted({0, len(stream), *(at % (len(stream) + 1) for at in places)})
    return [stream[a:b] for a, b in pairwise(edges)]


@given(STREAMS, st.lists(st.integers(0, 1000)))
@example(b"data: x\r\n\r\ndata: y\r\n\r\n", list(range(30)))
@example(b"data: x\r\r\ndata: y\r\r\n\n", list(range(30)))
def test_heartbeats_leave_the_events_as_they_are(stream, places):
    pieces = cut(stream, places)
    stream_with_beats, beats = beating(pieces)

    assert b"".join(pieces) == stream
    assert stream_with_beats.count(KEEP_ALIVE) == beats >= 1
    assert stream_with_beats.replace(KEEP_ALIVE, b"") == stream
    assert events_of(stream_with_beats) == events_of(stream)


@given(STREAMS, st.lists(st.integers(0, 1000)))
def test_pieces_make_no_difference(stream, places):
    assert is_between(*cut(stream, places)) is is_between(*[stream] if stream else [])


# --- Which answers are such streams


def head_of(*lines, status=b"200 OK"):
    return read_response_head(b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", b""]))


EVENTS = b"Content-Type: text/event-stream"


@pytest.mark.parametrize("length", [CHUNKED, UNTIL_CLOSE])
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([EVENTS], id="plain"),
        pytest.param([EVENTS + b"; charset=utf-8"], id="parameter"),
        pytest.param([EVENTS + b" ;charset=utf-8"], id="space"),
        pytest.param([EVENTS.upper()], id="case"),
        pytest.param([EVENTS, b"Content-Encoding: Identity"], id="identity"),
    ],
)
def test_streams_of_events(lines, length):
    assert is_open_event_stream(head_of(*lines), length)


@pytest.mark.parametrize(
    ("head", "length"),
    [
        pytest.param(head_of(EVENTS), 5, id="length"),
        pytest.param(head_of(EVENTS), 0, id="HEAD, or no length to come"),
        pytest.param(head_of(), CHUNKED, id="no type"),
        pytest.param(head_of(b"Content-Type: application/json"), CHUNKED, id="JSON"),
        pytest.param(head_of(EVENTS + b"s"), CHUNKED, id="a longer name"),
        pytest.param(head_of(b"Content-Type: text/plain; a=text/event-stream"), CHUNKED, id="a"),
        pytest.param(head_of(EVENTS, EVENTS), CHUNKED, id="two types"),
        pytest.param(head_of(EVENTS, b"Content-Encoding: gzip"), CHUNKED, id="gzip"),
        pytest.param(head_of(EVENTS, b"Content-Encoding: identity, br"), CHUNKED, id="list"),
        pytest.param(
            head_of(EVENTS, b"Content-Encoding: br", b"Content-Encoding: identity"), CHUNKED,
            id="two codings",
        ),
        pytest.param(head_of(EVENTS, status=b"206 Partial"), CHUNKED, id="206"),
        pytest.param(head_of(EVENTS, status=b"500 No"), CHUNKED, id="500"),
    ],
)  # fmt: skip
def test_other_answers(head, length):
    assert not is_open_event_stream(head, length)


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        pytest.param(head_of(EVENTS), True, id="plain"),
        pytest.param(head_of(EVENTS.upper() + b" ; charset=utf-8"), True, id="case, charset"),
        pytest.param(head_of(EVENTS, b"Content-Encoding: gzip"), True, id="gzip"),
        pytest.param(head_of(EVENTS, status=b"500 No"), False, id="500"),
        pytest.param(head_of(EVENTS + b"s"), False, id="a longer name"),
        pytest.param(head_of(), False, id="no type"),
    ],
)
def test_a_stream_of_events_is_one_in_any_coding(head, is_one):
    assert is_event_stream(head) == is_one
