import time
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.head import (
    MAX_FIELDS,
    MAX_KNOWN_HEAD,
    MAX_KNOWN_LINE,
    MAX_KNOWN_LINES,
    RequestHead,
    ResponseReader,
    can_become_a_head,
    read_fields,
    read_request_head,
    read_response_head,
)
from pyproxy.wire.syntax import Malformed

REQUEST = b"POST /v1/chat?x=1 HTTP/1.1\r\nHost: a\r\nX-Two:one\r\nx-two: two\r\nEmpty:\r\n\r\n"


def test_a_request_head_keeps_its_lines_and_finds_its_values():
    head = read_request_head(REQUEST)

    assert (head.method, head.target, head.minor) == (b"POST", b"/v1/chat?x=1", 1)
    assert head.lines == [
        (b"host", b"Host: a\r\n"),
        (b"x-two", b"X-Two:one\r\n"),
        (b"x-two", b"x-two: two\r\n"),
        (b"empty", b"Empty:\r\n"),
    ]
    assert head.index == {b"host": b"a", b"x-two": b"two", b"empty": b""}
    assert head.repeated == {b"x-two"}


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", 0, id="1.0"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 1, id="1.1"),
    ],
)
def test_a_head_may_have_no_fields(text, minor):
    assert read_request_head(text) == RequestHead(b"GET", b"/", minor, [], {}, frozenset())


@pytest.mark.parametrize(
    ("text", "status", "reason", "minor"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", 200, b"OK", 1, id="ordinary"),
        pytest.param(b"HTTP/1.0 404 Not Found\r\n\r\n", 404, b"Not Found", 0, id="1.0"),
        pytest.param(b"HTTP/1.1 200 \r\n\r\n", 200, b"", 1, id="no reason"),
        pytest.param(b"HTTP/1.1 200\r\n\r\n", 200, b"", 1, id="no space either"),
        pytest.param(b"HTTP/1.1 103 Early \xe9\r\n\r\n", 103, b"Early \xe9", 1, id="obs-text"),
        pytest.param(b"HTTP/1.1 599 x\ty\r\n\r\n", 599, b"x\ty", 1, id="unknown status"),
    ],
)
def test_a_response_head_has_status_and_reason(text, status, reason, minor):
    head = read_response_head(text)

    assert (head.status, head.reason, head.minor) == (status, reason, minor)


def test_a_response_head_has_fields():
    head = read_response_head(b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n")

    assert head.lines == [
        (b"set-cookie", b"Set-Cookie: a\r\n"),
        (b"set-cookie", b"set-cookie: b\r\n"),
    ]
    assert head.index == {b"set-cookie": b"b"}
    assert head.repeated == {b"set-cookie"}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"GET / HTTP/1.1\n", id="bare LF"),
        pytest.param(b"GET  / HTTP/1.1\r\n", id="two spaces"),
        pytest.param(b"GET\t/ HTTP/1.1\r\n", id="tab"),
        pytest.param(b" GET / HTTP/1.1\r\n", id="space in front"),
        pytest.param(b"GET / HTTP/1.1 \r\n", id="space behind"),
        pytest.param(b"GET /a b HTTP/1.1\r\n", id="space in the target"),
        pytest.param(b"GET /\x00 HTTP/1.1\r\n", id="NUL in the target"),
        pytest.param(b"GET /\xe9 HTTP/1.1\r\n", id="no ASCII in the target"),
        pytest.param(b"GET /\x7f HTTP/1.1\r\n", id="DEL in the target"),
        pytest.param(b"GET /\r HTTP/1.1\r\n", id="bare CR in the target"),
        pytest.param(b"GE:T / HTTP/1.1\r\n", id="no token as method"),
        pytest.param(b"G\xc9T / HTTP/1.1\r\n", id="no ASCII in the method"),
        pytest.param(b"GET / HTTP/1.2\r\n", id="minor version unknown"),
        pytest.param(b"GET / HTTP/1.10\r\n", id="minor version of two digits"),
        pytest.param(b"GET / HTTP/2.0\r\n", id="HTTP/2"),
        pytest.param(b"PRI * HTTP/2.0\r\n", id="HTTP/2 preface"),
        pytest.param(b"GET / HTTP/0.9\r\n", id="HTTP/0.9"),
        pytest.param(b"GET /\r\n", id="no version"),
        pytest.param(b"GET HTTP/1.1\r\n", id="no target"),
        pytest.param(b"GET / http/1.1\r\n", id="lower-case protocol"),
        pytest.param(b"GET / ICE/1.1\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="a response"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\r\n", id="TLS on a plain port"),
        pytest.param(b"\r\n", id="empty line"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_wrong_request_line_is_refused(line):
    # RFC 9112 section 3
    with pytest.raises(Malformed):
        read_request_head(line + b"Host: a\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"HTTP/1.1 200 OK\n", id="bare LF"),
        pytest.param(b"HTTP/1.1 20 OK\r\n", id="two digits"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n", id="four digits"),
        pytest.param(b"HTTP/1.1 099 OK\r\n", id="below 100"),
        pytest.param(b"HTTP/1.1 600 OK\r\n", id="above 599"),
        pytest.param(b"HTTP/1.1 +20 OK\r\n", id="sign"),
        pytest.param(b"HTTP/1.1  200 OK\r\n", id="two spaces"),
        pytest.param(b"HTTP/1.1 200OK\r\n", id="no space"),
        pytest.param(b"HTTP/1.1 200 O\x00K\r\n", id="NUL in the reason"),
        pytest.param(b"HTTP/1.1 200 O\rK\r\n", id="bare CR in the reason"),
        pytest.param(b"HTTP/2 200 OK\r\n", id="HTTP/2"),
        pytest.param(b"HTTP/1.2 200 OK\r\n", id="minor version unknown"),
        pytest.param(b"ICY 200 OK\r\n", id="another protocol"),
        pytest.param(b"GET / HTTP/1.1\r\n", id="a request"),
    ],
)
def test_a_wrong_status_line_is_refused(line):
    # RFC 9112 section 4
    with pytest.raises(Malformed):
        read_response_head(line + b"Server: a\r\n\r\n")


FIELD_ATTACKS = [
    pytest.param(b"A: b\r\n c\r\n", id="obs-fold"),
    pytest.param(b"A: b\r\n\tc\r\n", id="obs-fold with a tab"),
    pytest.param(b" A: b\r\n", id="white space before the first name"),
    pytest.param(b"A : b\r\n", id="white space before the colon"),
    pytest.param(b"A\t: b\r\n", id="tab before the colon"),
    pytest.param(b"A: b\nC: d\r\n", id="bare LF"),
    pytest.param(b"A: b\rC: d\r\n", id="bare CR"),
    pytest.param(b"A: b\r\r\n", id="two CR"),
    pytest.param(b"A: b\n\r\n", id="LF CR LF"),
    pytest.param(b"A: \x00\r\n", id="NUL in the value"),
    pytest.param(b"A: \x0b\r\n", id="vertical tab"),
    pytest.param(b"A: \x1b[2J\r\n", id="escape sequence"),
    pytest.param(b"A: \x7f\r\n", id="DEL"),
    pytest.param(b"A\x00: b\r\n", id="NUL in the name"),
    pytest.param(b"A b: c\r\n", id="space in the name"),
    pytest.param(b"A(b): c\r\n", id="delimiter in the name"),
    pytest.param(b"\xc9: c\r\n", id="no ASCII in the name"),
    pytest.param(b": b\r\n", id="no name"),
    pytest.param(b"A\r\n", id="no colon"),
    pytest.param(b"A: b", id="line without an end"),
    pytest.param(b"\r\nA: b\r\n", id="empty line"),
    pytest.param(b"GET / HTTP/1.1\r\n", id="second request line"),
]


@pytest.mark.parametrize("block", FIELD_ATTACKS)
def test_a_wrong_field_is_refused(block):
    # RFC 9112 section 5
    with pytest.raises(Malformed):
        read_fields(block)


@pytest.mark.parametrize("block", FIELD_ATTACKS)
def test_a_head_with_a_wrong_field_is_refused(block):
    with pytest.raises(Malformed):
        read_request_head(b"GET / HTTP/1.1\r\nHost: a\r\n" + block + b"\r\n")
    with pytest.raises(Malformed):
        read_response_head(b"HTTP/1.1 200 OK\r\nServer: a\r\n" + block + b"\r\n")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param(b"A: b\r\n", b"b", id="one space"),
        pytest.param(b"A:b\r\n", b"b", id="no space"),
        pytest.param(b"A: \t b\r\n", b"b", id="white space in front"),
        pytest.param(b"A: b c\r\n", b"b c", id="space inside"),
        pytest.param(b"A: b:c\r\n", b"b:c", id="colon inside"),
        pytest.param(b"A:\r\n", b"", id="nothing"),
        pytest.param(b"A: \xe9\xff\r\n", b"\xe9\xff", id="obs-text"),
    ],
)
def test_a_value_is_what_stands_between_white_space(line, value):
    # RFC 9110 section 5.5
    assert read_fields(line) == ([(b"a", line)], {b"a": value}, frozenset())


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        pytest.param(b"A: b \t\r\n", [b"A: b\r\n"], id="behind a value"),
        pytest.param(b"A: \t\r\nB: c\r\n", [b"A:\r\n", b"B: c\r\n"], id="nothing else"),
        pytest.param(b"A: b  c \r\nB: c\t\r\n", [b"A: b  c\r\n", b"B: c\r\n"], id="two lines"),
    ],
)
def test_white_space_behind_a_value_goes(block, lines):
    found, index, _ = read_fields(block)

    assert [line for _, line in found] == lines
    assert all(value == value.strip() for value in index.values())


def test_an_empty_block_has_no_fields():
    assert read_fields(b"") == ([], {}, frozenset())


def test_a_head_has_a_bounded_number_of_fields():
    lines, _, _ = read_fields(b"A: b\r\n" * MAX_FIELDS)

    assert len(lines) == MAX_FIELDS
    with pytest.raises(Malformed):
        read_fields(b"A: b\r\n" * (MAX_FIELDS + 1))
    with pytest.raises(Malformed):
        read_fields(b"".join(b"A%d: b\r\n" % number for number in range(MAX_FIELDS + 1)))


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"A: b \r\nC: d" + b" " * 60_000 + b"e\r\n", id="spaces inside a value"),
        pytest.param(b"A: b \r\nC: d" + b" \t" * 30_000 + b"\x00\r\n", id="spaces, then NUL"),
        pytest.param(b"A: b \r\nC" + b" " * 60_000 + b": d\r\n", id="spaces before a colon"),
        pytest.param(b"a" * 60_000 + b"\r\n", id="long name without a colon"),
        pytest.param(b"A:" + b" " * 60_000 + b"\r\n", id="nothing but spaces"),
        pytest.param(b"A:" * 30_000 + b"\x00\r\n", id="many colons, then NUL"),
        pytest.param(b"A: b\r\n" * 10_000 + b"C\r\n", id="many lines, the last one wrong"),
    ],
)
def test_hostile_fields_do_not_take_long(block):
    started = time.process_time()
    with suppress(Malformed):
        read_fields(block)

    assert time.process_time() - started < 2.0  # the square of it takes minutes


@pytest.mark.parametrize("end", range(len(REQUEST)))
def test_every_beginning_of_a_head_can_become_one(end):
    assert can_become_a_head(REQUEST[:end])


@pytest.mark.parametrize(
    "partial",
    [
        pytest.param(b"GET / HTTP/1.1\n", id="bare LF"),
        pytest.param(b"GET / HTTP/1.1\r\nA: b\nC", id="bare LF in a field"),
        pytest.param(b"\n", id="LF alone"),
        pytest.param(b"GET / HTTP/1.1\rA", id="bare CR"),
        pytest.param(b"GET / HTTP/1.1\r\r", id="two CR"),
        pytest.param(b"GET / HTTP/1.1\r\n\n", id="CR LF LF"),
        pytest.param(b"A: b\n\r", id="LF CR"),
        pytest.param(b"A\rB\n", id="a bare CR and a bare LF"),
    ],
)
def test_a_line_that_does_not_end_in_crlf_never_becomes_a_head(partial):
    assert not can_become_a_head(partial)


def test_a_long_beginning_does_not_take_long():
    partial = b"GET / HTTP/1.1\r\nX: " + b"a" * 64_000
    started = time.process_time()
    for _ in range(1000):
        can_become_a_head(partial)

    assert time.process_time() - started < 2.0  # the square of it takes minutes


NAMES = st.text("abcXYZ-_!#09", min_size=1, max_size=8).map(str.encode)
VALUES = st.binary(max_size=12).map(
    lambda value: bytes(b for b in value if b == 9 or 32 <= b < 127 or b > 127).strip(b" \t")
)
# White space before nothing is white space at the end, and goes.
FIELD = st.one_of(
    st.tuples(NAMES, st.sampled_from([b":", b": ", b":\t "]), VALUES.filter(bool)),
    st.tuples(NAMES, st.just(b":"), st.just(b"")),
)
FIELDS = st.lists(FIELD, max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"GET", b"POST", b"x!"]), st.text("/a.?%=&", min_size=1, max_size=9), FIELDS
)
def test_an_accepted_head_put_together_again_is_the_same_bytes(method, target, fields):
    block = b"".join(b"%b%b%b\r\n" % field for field in fields)
    text = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target.encode(), block)
    head = read_request_head(text)
    again = b"%b %b HTTP/1.%d\r\n" % (head.method, head.target, head.minor)

    assert again + b"".join(line for _, line in head.lines) + b"\r\n" == text
    assert head.index == {name.lower(): value for name, _, value in fields}


NASTY = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"\x00", b"\x0b", b"\x7f", b"\xff",
     b"a", b"GET", b" / ", b"HTTP/1.1", b"HTTP/1.0", b"200", b"Host: a", b","]
)  # fmt: skip
SOUP = st.one_of(st.binary(max_size=60), st.lists(NASTY, max_size=16).map(b"".join))


@settings(max_examples=200, deadline=None)
@given(SOUP)
def test_whatever_the_bytes_a_request_head_is_read_or_malformed(soup):
    for text in (soup, b"GET / HTTP/1.1\r\n" + soup + b"\r\n\r\n"):
        try:
            head = read_request_head(text)
        except Malformed:
            continue

        assert b"\n" not in head.method + head.target
        assert all(line.count(b"\n") == 1 and line.endswith(b"\r\n") for _, line in head.lines)


@settings(max_examples=200, deadline=None)
@given(SOUP)
def test_whatever_the_bytes_a_response_head_is_read_or_malformed(soup):
    for text in (soup, b"HTTP/1.1 200 OK\r\n" + soup + b"\r\n\r\n"):
        try:
            head = read_response_head(text)
        except Malformed:
            continue

        assert 100 <= head.status <= 599
        assert b"\r" not in head.reason
        assert all(line.count(b"\n") == 1 and line.endswith(b"\r\n") for _, line in head.lines)


@settings(deadline=None)
@given(SOUP)
def test_what_is_a_head_could_always_have_become_one(soup):
    text = b"GET / HTTP/1.1\r\n" + soup.replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
    try:
        read_request_head(text)
    except Malformed:
        return

    assert all(can_become_a_head(text[:end]) for end in range(len(text)))


# --- Lines that come again


def _read(read, block):
    try:
        return read(block)
    except Malformed:
        return None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(SOUP, FIELDS.map(lambda found: b"".join(b"%b%b%b\r\n" % f for f in found))))
)
def test_known_lines_are_read_as_if_they_were_new(blocks):
    known = ResponseReader()
    for block in [*blocks, *blocks]:
        whole = block if block.endswith(b"\r\n") else block + b"\r\n"

        assert _read(known.read_fields, whole) == _read(read_fields, whole)


@pytest.mark.parametrize("block", FIELD_ATTACKS)
def test_known_lines_do_not_hide_a_wrong_one(block):
    known = ResponseReader()
    known.read_fields(b"A: b\r\nHost: a\r\n")

    with pytest.raises(Malformed):
        known.read_fields(block)


def test_known_lines_have_a_bounded_number_of_fields():
    assert len(ResponseReader().read_fields(b"A: b\r\n" * MAX_FIELDS)[0]) == MAX_FIELDS
    with pytest.raises(Malformed):
        ResponseReader().read_fields(b"A: b\r\n" * (MAX_FIELDS + 1))
    with pytest.raises(Malformed):
        ResponseReader().read_fields(
            b"".join(b"A%d: b\r\n" % number for number in range(MAX_FIELDS + 1))
        )


def test_what_is_known_is_bounded():
    known = ResponseReader()
    for number in range(3 * MAX_KNOWN_LINES):
        known.read_fields(b"X-Request-Id: %d\r\n" % number)
        known.read_fields(b"Cookie: %b%d\r\n" % (b"c" * MAX_KNOWN_LINE, number))

        assert len(known._known) <= MAX_KNOWN_LINES
        assert not any(b"Cookie" in line for line in known._known)


OK = b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n"


def test_answer_that_comes_again_is_the_same_object():
    reader = ResponseReader()
    first = reader.read(OK)

    assert first == read_response_head(OK)
    assert reader.read(OK) is first
    assert reader.read(OK.replace(b"5", b"6")) == read_response_head(OK.replace(b"5", b"6"))
    assert reader.read(OK) == first


def test_answer_with_a_long_head_is_not_kept():
    long = OK.replace(b"A: b", b"A: " + b"b" * MAX_KNOWN_HEAD)
    reader = ResponseReader()

    assert reader.read(long) is not reader.read(long)


@settings(max_examples=200, deadline=None)
@given(st.lists(SOUP, max_size=4))
def test_known_answers_are_read_as_if_they_were_new(soups):
    reader = ResponseReader()
    for soup in [*soups, *soups]:
        text = b"HTTP/1.1 200 OK\r\n" + soup + b"\r\n\r\n"

        assert _read(reader.read, text) == _read(read_response_head, text)
