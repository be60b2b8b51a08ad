"""The parsers against llhttp, which Node.js and many others read messages with.

What ours accept, llhttp must read as the same message with the same end;
llhttp may accept more.
"""

from dataclasses import dataclass, field, replace

import pytest
from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpRequestParser,
    HttpResponseParser,
)
from hypothesis import given, settings, strategies as st

from pyproxy.wire.chunked import ChunkedBody, chunk, last_chunk
from pyproxy.wire.framing import CHUNKED, UNTIL_CLOSE, request_length, response_length
from pyproxy.wire.head import read_request_head, read_response_head
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import read_target


@dataclass
class Message:
    """A message as somebody read it.

    Attributes:
        start: What the start line says.
        fields: Names and values; of trailers too.
        body: Its content, framing removed.
        completed: How many messages came to their end.
    """

    start: tuple[object, ...] = ()
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    completed: int = 0
    url: bytes = b""
    reason: bytes = b""

    def on_url(self, data):
        self.url += data

    def on_status(self, data):
        self.reason += data

    def on_header(self, name, value):
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        self.completed += 1


def llhttp_request(data):
    message = Message()
    parser = HttpRequestParser(message)
    parser.feed_data(data)
    message.start = (parser.get_method(), message.url, parser.get_http_version())
    return message


def llhttp_response(data):
    message = Message()
    parser = HttpResponseParser(message)
    parser.feed_data(data)
    message.start = (parser.get_status_code(), message.reason, parser.get_http_version())
    return message


def our_request(data):
    head, end = our_head(data, read_request_head)
    read_target(head.target, head.method)
    start = (head.method, head.target, f"1.{head.minor}")
    return our_rest(data, end, head, start, request_length(head))


def our_response(data):
    head, end = our_head(data, read_response_head)
    # llhttp looks at the framing of answers without body too; we drop it unread.
    response_length(replace(head, status=200), b"GET")
    start = (head.status, head.reason, f"1.{head.minor}")
    return our_rest(data, end, head, start, response_length(head, b"GET"))


def our_head(data, read_head):
    found = data.find(b"\r\n\r\n")
    if found < 0:
        raise Malformed("incomplete")
    return read_head(data[: found + 4]), found + 4


def our_rest(data, at, head, start, length):
    """The message, and where it ends; -1: with the connection."""
    lines = list(head.lines)
    if length == UNTIL_CLOSE:
        body, end = data[at:], -1
    elif length == CHUNKED:
        decoder = ChunkedBody()
        body = decoder.feed(data[at:])
        if not decoder.is_complete:
            raise Malformed("incomplete")
        coded = data[at : len(data) - len(decoder.rest)].lower()
        if b"content-length" in coded or b"transfer-encoding" in coded:
            raise Malformed("framing in a trailer: we drop it, llhttp refuses the message")
        lines += decoder.trailers
        end = len(data) - len(decoder.rest)
    else:
        body, end = data[at : at + length], at + length
        if len(body) < length:
            raise Malformed("incomplete")
    fields = [(name, line.partition(b":")[2].strip(b" \t\r\n")) for name, line in lines]
    return Message(start, fields, body, completed=1), end


# Upgrades and CONNECT are left out: after them llhttp reads no HTTP any more.
METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"HEAD", b"PATCH"])
TARGETS = st.sampled_from([b"/", b"/v1/chat?x=%20&y", b"/a;b=c/x%2fy", b"http://a/b", b'/a|b{}"<>'])
NAMES = st.sampled_from([b"Host", b"X-Two", b"x-two", b"Accept", b"X_Y", b"~!#$", b"Connection"])
VALUES = st.sampled_from(
    [b"", b"a", b"a b", b"a\tb", b"close", b"keep-alive", b"\xe9", b":", b"a,b"]
)
PADS = st.sampled_from([b":", b": ", b":  ", b":\t"])
FIELDS = st.lists(st.tuples(NAMES, PADS, VALUES).map(b"".join), max_size=5)
BODIES = st.binary(max_size=12)
TRAILERS = st.sampled_from([[], [(b"x-sum", b"X-Sum: 1\r\n")]])


@st.composite
def framings(draw):
    """A framing field, and a body that goes with it."""
    kind = draw(st.sampled_from(["none", "length", "chunked"]))
    if kind == "none":
        return [], b""
    if kind == "length":
        body = draw(BODIES)
        return [b"Content-Length: %d" % len(body)], body
    pieces = [piece for piece in draw(st.lists(BODIES, max_size=3)) if piece]
    coded = b"".join(map(chunk, pieces)) + last_chunk(draw(TRAILERS))
    return [b"Transfer-Encoding: chunked"], coded


@st.composite
def messages(draw, start_lines):
    framing, body = draw(framings())
    lines = draw(st.permutations(draw(FIELDS) + framing))
    return b"\r\n".join([draw(start_lines), *lines, b"", b""]) + body


VERSIONS = st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"])
REQUEST_LINES = st.tuples(METHODS, TARGETS, VERSIONS).map(b" ".join)
STATUSES = st.sampled_from([b"200", b"204", b"304", b"404", b"500", b"599"])
REASONS = st.sampled_from([b" OK", b" ", b"", b" Not  Found", b" \xe9"])
STATUS_LINES = st.tuples(VERSIONS, st.just(b" "), STATUSES, REASONS).map(b"".join)

NASTY = st.sampled_from(
    [b"", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b",", b";", b"\x00", b"\x0b",
     b"\x7f", b"\xff", b"0", b"1", b"f", b"+", b"-", b"_", b"chunked", b"Content-Length: 3\r\n",
     b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: x\r\n", b"\r\n X: y", b"HTTP/1.1"]
)  # fmt: skip
MUTATIONS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), NASTY), max_size=3)


def mutated(data, mutations):
    for at, removed, inserted in mutations:
        place = at % (len(data) + 1)
        data = data[:place] + inserted + data[place + removed :]
    return data


def assert_the_same(data, ours, theirs):
    try:
        expected, end = ours(data)
        found = theirs(data if end < 0 else data[:end])
    except (Malformed, HttpParserInvalidMethodError):  # llhttp has a list of methods
        return
    if end < 0:
        assert found.completed == 0
    else:
        assert found.completed == 1
        assert theirs(data[: end - 1]).completed == 0
    assert found.start == expected.start
    assert found.body == expected.body
    assert [pair for pair in found.fields if pair in expected.fields] == expected.fields


@settings(max_examples=300, deadline=None)
@given(messages(REQUEST_LINES), MUTATIONS)
def test_llhttp_reads_the_requests_that_we_accept_as_we_do(data, mutations):
    assert_the_same(mutated(data, mutations), our_request, llhttp_request)


@settings(max_examples=300, deadline=None)
@given(messages(STATUS_LINES), MUTATIONS)
def test_llhttp_reads_the_responses_that_we_accept_as_we_do(data, mutations):
    assert_the_same(mutated(data, mutations), our_response, llhttp_response)


@settings(max_examples=100, deadline=None)
@given(messages(REQUEST_LINES))
def test_what_is_generated_is_accepted(data):
    is_old_and_chunked = b"HTTP/1.0\r\n" in data and b"chunked" in data
    if not is_old_and_chunked:
        our_request(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nA : b\r\n\r\n", id="white space before the colon"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="CL.TE",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n", id="bare LF"
        ),
    ],
)
def test_llhttp_refuses_what_it_is_known_to_refuse(data):
    # That the oracle says no at all is part of what the tests above rest on.
    with pytest.raises(HttpParserError):
        llhttp_request(data)
    with pytest.raises(Malformed):
        our_request(data)
