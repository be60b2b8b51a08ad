import time
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.chunked import (
    MAX_EXTENSION_BYTES,
    MAX_SIZE_LINE,
    MAX_TRAILER_BYTES,
    ChunkedBody,
    chunk,
    last_chunk,
)
from pyproxy.wire.forwarded import CLAIMS
from pyproxy.wire.hop_by_hop import HOP_BY_HOP
from pyproxy.wire.syntax import Malformed

BODY = b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n"


def read(*pieces):
    body = ChunkedBody()
    content = b""
    for number, piece in enumerate(pieces, 1):
        content += body.feed(piece)
        if body.is_complete:
            return content, body, b"".join(pieces[number:])
    return content, body, b""


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize(
    ("data", "content"),
    [
        pytest.param(b"0\r\n\r\n", b"", id="empty"),
        pytest.param(b"3\r\nabc\r\n0\r\n\r\n", b"abc", id="one chunk"),
        pytest.param(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc", id="two chunks"),
        pytest.param(b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", id="upper-case digit"),
        pytest.param(b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789", id="lower-case digit"),
        pytest.param(b"003\r\nabc\r\n000\r\n\r\n", b"abc", id="leading zeros"),
        pytest.param(b'3;a="b;c"\r\nabc\r\n0;z\r\n\r\n', b"abc", id="extensions"),
        pytest.param(b'1;a="\\"";b\r\nx\r\n0\r\n\r\n', b"x", id="extension with an escape"),
        pytest.param(b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", id="CRLF as data"),
        pytest.param(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n", id="a last chunk as data"),
        pytest.param(b"0\r\nA: b\r\n\r\n", b"", id="trailer"),
    ],
)
@pytest.mark.parametrize("tail", [b"", b"\r", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_body_is_read_whole_byte_by_byte_and_with_a_tail(data, content, tail):
    # RFC 9112 section 7.1
    whole, body, _ = read(data + tail)

    assert (whole, body.is_complete, body.rest) == (content, True, tail)

    piecemeal, body, left = read(*bytewise(data + tail))

    assert (piecemeal, body.is_complete, body.rest + left) == (content, True, tail)


def test_data_leaves_as_it_comes():
    body = ChunkedBody()

    assert body.feed(b"5\r\nhe") == b"he"
    assert body.feed(b"l") == b"l"
    assert body.feed(b"lo\r") == b"lo"
    assert body.feed(b"\n") == b""
    assert not body.is_complete


@pytest.mark.parametrize("end", range(len(BODY)))
def test_a_cut_body_is_not_complete(end):
    _, body, _ = read(BODY[:end])

    assert not body.is_complete


ATTACKS = [
    pytest.param(b"\r\n", id="no size"),
    pytest.param(b";a\r\n", id="extension without a size"),
    pytest.param(b"g\r\n", id="no digit"),
    pytest.param(b"0x3\r\nabc\r\n", id="0x"),
    pytest.param(b"+3\r\nabc\r\n", id="plus"),
    pytest.param(b"-1\r\n", id="minus"),
    pytest.param(b"1_0\r\n", id="underscore"),
    pytest.param(b" 3\r\nabc\r\n", id="space in front"),
    pytest.param(b"3 \r\nabc\r\n", id="space behind"),
    pytest.param(b"3\t;a\r\nabc\r\n", id="tab before an extension"),
    pytest.param(b"3\nabc\r\n", id="bare LF"),
    pytest.param(b"3\r\r\nabc\r\n", id="two CR"),
    pytest.param(b"3\rabc\r\n", id="bare CR"),
    pytest.param(b"3;\r\nabc\r\n", id="extension without a name"),
    pytest.param(b"3;a=\r\nabc\r\n", id="extension without a value"),
    pytest.param(b'3;a="b\r\nabc\r\n', id="extension with an open quote"),
    pytest.param(b'3;a="b"c\r\nabc\r\n', id="text behind a quoted extension"),
    pytest.param(b"3;a b\r\nabc\r\n", id="white space in an extension"),
    pytest.param(b"3;\xff\r\nabc\r\n", id="extension of no ASCII"),
    pytest.param(b"3;a\nb\r\nabc\r\n", id="bare LF in an extension"),
    pytest.param(b"3;a\rb\r\nabc\r\n", id="bare CR in an extension"),
    pytest.param(b"3;a\x00\r\nabc\r\n", id="NUL in an extension"),
    pytest.param(b"3\x00\r\nabc\r\n", id="NUL"),
    pytest.param(b"3\r\nabcd\r\n", id="data longer than its size"),
    pytest.param(b"3\r\nab\r\n0\r\n\r\n", id="data shorter than its size"),
    pytest.param(b"3\r\nabcXY", id="no CRLF behind data"),
    pytest.param(b"3\r\nabc\n\n", id="bare LF behind data"),
    pytest.param(b"3\r\nabc\rX", id="bare CR behind data"),
    pytest.param(b"3\r\nabc0\r\n\r\n", id="nothing behind data"),
    pytest.param(b"f" * 16 + b"\r\n", id="chunk-size overflow: 64 bits"),
    pytest.param(b"1" + b"0" * 15 + b"5\r\n", id="chunk-size overflow: 17 digits"),
    pytest.param(b"0" * 16 + b"\r\n", id="padded size"),
    pytest.param(b"0\r\nA : b\r\n\r\n", id="white space before a trailer's colon"),
    pytest.param(b"0\r\nA: b\r\n c\r\n\r\n", id="obs-fold in a trailer"),
    pytest.param(b"0\r\nA: b\nC: d\r\n\r\n", id="bare LF in a trailer"),
    pytest.param(b"0\r\n\nGET / HTTP/1.1\r\n\r\n", id="bare LF as the end"),
    pytest.param(b"0\r\n\n", id="bare LF as the end, and nothing more"),
    pytest.param(b"0\r\nA: \x00\r\n\r\n", id="NUL in a trailer"),
    pytest.param(b"0\r\nGET / HTTP/1.1\r\n\r\n", id="request instead of a trailer"),
]


@pytest.mark.parametrize("data", ATTACKS)
def test_a_broken_coding_is_refused_however_it_arrives(data):
    with pytest.raises(Malformed):
        read(data)
    with pytest.raises(Malformed):
        read(*bytewise(data))


def both_ways(data):
    """Whether ``data`` is accepted; whole and byte by byte must agree."""
    outcomes = set()
    for pieces in ([data], bytewise(data)):
        try:
            read(*pieces)
        except Malformed:
            outcomes.add(False)
        else:
            outcomes.add(True)
    assert len(outcomes) == 1
    return outcomes.pop()


@pytest.mark.parametrize(
    ("over", "is_taken"), [pytest.param(0, True, id="at"), pytest.param(1, False, id="over")]
)
class TestBounds:
    def test_a_size_line(self, over, is_taken):
        line = b"1;" + b"a" * (MAX_SIZE_LINE - 4 + over) + b"\r\n"

        assert both_ways(line + b"x\r\n0\r\n\r\n") is is_taken

    def test_extensions_of_a_whole_body(self, over, is_taken):
        # CVE-2023-39326
        extension = b";" + b"a" * 511
        lines = b"1%b\r\nx\r\n" % extension * (MAX_EXTENSION_BYTES // 512)
        last = b"1;a\r\nx\r\n" if over else b""

        assert both_ways(lines + last + b"0\r\n\r\n") is is_taken

    def test_trailers(self, over, is_taken):
        line = b"A: " + b"b" * (MAX_TRAILER_BYTES - 5 + over) + b"\r\n"

        assert both_ways(b"0\r\n" + line + b"\r\n") is is_taken


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"1;" + b"a" * 100_000, id="endless extension"),
        pytest.param(b"0\r\n" + b"a" * 100_000, id="endless trailer"),
        pytest.param(b"0" * 100_000, id="endless size"),
    ],
)
def test_nothing_is_kept_for_ever(data):
    assert not both_ways(data)


def test_many_small_chunks_do_not_take_long():
    data = b"1\r\nx\r\n" * 20_000
    started = time.process_time()
    content, _, _ = read(data)

    assert len(content) == 20_000
    assert time.process_time() - started < 0.5


def test_trailers_are_passed_on_as_they_were_sent():
    _, body, _ = read(b"0\r\nX-Checksum:abc\r\ngrpc-status: 0\r\n\r\n")

    assert body.trailers == [
        (b"x-checksum", b"X-Checksum:abc\r\n"),
        (b"grpc-status", b"grpc-status: 0\r\n"),
    ]


@pytest.mark.parametrize(
    "name",
    sorted(
        CLAIMS
        | HOP_BY_HOP
        | {b"authorization", b"x-api-key", b"x-auth-token", b"cookie", b"set-cookie", b"host"}
        | {b"content-type", b"content-encoding", b"x-request-id", b"x_real_ip", b"server"}
        | {b"proxy-authorization", b"location", b"if-none-match", b"proxy-authenticate", b"te"}
    ),
)
def test_a_trailer_that_belongs_into_a_head_goes(name):
    # RFC 9110 section 6.5.1
    _, body, _ = read(b"0\r\n" + name.title() + b": 1\r\nX-Kept: 2\r\n\r\n")

    assert body.trailers == [(b"x-kept", b"X-Kept: 2\r\n")]


def test_a_chunk_and_the_end_are_written():
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert last_chunk([]) == b"0\r\n\r\n"
    assert last_chunk([(b"a", b"A: b\r\n"), (b"c", b"C: d\r\n")]) == b"0\r\nA: b\r\nC: d\r\n\r\n"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.integers(0, 400), max_size=12),
    st.sampled_from([[], [(b"x-sum", b"X-Sum: 1\r\n")]]),
    st.binary(max_size=12),
)
def test_a_body_comes_through_under_any_split(pieces, cuts, trailers, tail):
    data = b"".join(map(chunk, pieces)) + last_chunk(trailers) + tail
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[start:end] for start, end in pairwise(edges)]
    content, body, left = read(*parts)

    assert content == b"".join(pieces)
    assert body.is_complete
    assert body.trailers == trailers
    assert body.rest + left == tail


NASTY = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"0", b"1", b"5", b"a", b"F", b";", b"=", b" ", b"x", b"hello",
     b"X: y", b"\x00", b"\xff", b"1\r\nx\r\n", b"0\r\n\r\n"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(NASTY, max_size=14).map(b"".join))
def test_whatever_the_bytes_every_split_gives_the_same(data):
    outcomes = []
    for pieces in ([data], bytewise(data)):
        try:
            content, body, left = read(*pieces)
        except Malformed:
            outcomes.append("malformed")
        else:
            outcomes.append((content, body.is_complete, body.trailers, body.rest + left))

    # Cut within the CRLF behind a chunk, one way may still wait for what the other refuses.
    if "malformed" not in outcomes:
        assert outcomes[0] == outcomes[1]


def test_as_many_chunks_are_taken_at_once_as_was_said():
    body = ChunkedBody()
    taken = [body.feed(b"1\r\na\r\n" * 5 + b"0\r\n\r\nrest", 2)]
    while body.has_more:
        taken.append(body.feed(b"", 2))

    assert taken == [b"aa", b"aa", b"a"]
    assert (body.is_complete, body.rest) == (True, b"rest")


def test_what_comes_before_the_rest_was_taken_stands_behind_it():
    body = ChunkedBody()
    first = body.feed(b"1\r\na\r\n1\r\nb\r\n1\r", 1)
    second = body.feed(b"\nc\r\n0\r\n\r\n")

    assert (first, second, body.has_more, body.is_complete) == (b"a", b"bc", False, True)
