import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.framing import (
    CHUNKED,
    UNTIL_CLOSE,
    connection_names,
    request_length,
    response_length,
    wants_close,
)
from pyproxy.wire.head import read_request_head, read_response_head
from pyproxy.wire.syntax import Malformed


def request(*lines, minor=1):
    text = b"".join(line + b"\r\n" for line in lines)
    return read_request_head(b"POST / HTTP/1.%d\r\n%b\r\n" % (minor, text))


def response(*lines, status=200, minor=1):
    text = b"".join(line + b"\r\n" for line in lines)
    return read_response_head(b"HTTP/1.%d %d OK\r\n%b\r\n" % (minor, status, text))


LENGTHS = [
    pytest.param([b"Content-Length: 0"], 0, id="zero"),
    pytest.param([b"Content-Length: 42"], 42, id="length"),
    pytest.param([b"content-LENGTH:042"], 42, id="leading zero"),
    pytest.param([b"Content-Length: " + b"9" * 18], 10**18 - 1, id="18 digits"),
    pytest.param([b"Transfer-Encoding: chunked"], CHUNKED, id="chunked"),
    pytest.param([b"Transfer-Encoding: CHUNKED "], CHUNKED, id="chunked in any case"),
]

# RFC 9112 sections 6.1 and 6.3; where those leave a choice, the strict one.
ATTACKS = [
    pytest.param([b"Content-Length: 4", b"Transfer-Encoding: chunked"], id="CL.TE"),
    pytest.param([b"Transfer-Encoding: chunked", b"Content-Length: 4"], id="TE.CL"),
    pytest.param([b"Transfer-Encoding: x", b"Content-Length: 4"], id="TE.CL unknown coding"),
    pytest.param([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], id="TE.TE"),
    pytest.param([b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"], id="TE.TE other"),
    pytest.param([b"Transfer-Encoding: chunked, chunked"], id="chunked twice"),
    pytest.param([b"Transfer-Encoding: gzip, chunked"], id="coding before chunked"),
    pytest.param([b"Transfer-Encoding: chunked, identity"], id="coding after chunked"),
    pytest.param([b"Transfer-Encoding: identity"], id="identity"),
    pytest.param([b"Transfer-Encoding: xchunked"], id="xchunked"),
    pytest.param([b'Transfer-Encoding: "chunked"'], id="quoted chunked"),
    pytest.param([b"Transfer-Encoding: chunked;a=b"], id="chunked with a parameter"),
    pytest.param([b"Transfer-Encoding: chunked,"], id="empty list element"),
    pytest.param([b"Transfer-Encoding:"], id="empty coding"),
    pytest.param([b"Content-Length: 4", b"Content-Length: 4"], id="CL.CL equal"),
    pytest.param([b"Content-Length: 4", b"Content-Length: 5"], id="CL.CL"),
    pytest.param([b"Content-Length: 4, 4"], id="CL list"),
    pytest.param([b"Content-Length:"], id="CL empty"),
    pytest.param([b"Content-Length: +4"], id="CL plus"),
    pytest.param([b"Content-Length: -4"], id="CL minus"),
    pytest.param([b"Content-Length: 0x4"], id="CL hex"),
    pytest.param([b"Content-Length: 4_0"], id="CL underscore"),
    pytest.param([b"Content-Length: 4 0"], id="CL space"),
    pytest.param([b"Content-Length: 4.0"], id="CL decimal"),
    pytest.param([b"Content-Length: \xb2"], id="CL superscript"),
    pytest.param([b"Content-Length: " + b"9" * 19], id="CL overflow"),
    pytest.param([b"Content-Length: " + b"0" * 18 + b"4"], id="CL padded"),
]


@pytest.mark.parametrize(("lines", "length"), LENGTHS)
def test_a_message_has_one_length(lines, length):
    assert request_length(request(*lines)) == length
    assert response_length(response(*lines), b"GET") == length


@pytest.mark.parametrize("lines", ATTACKS)
def test_a_message_with_two_lengths_is_refused(lines):
    with pytest.raises(Malformed):
        request_length(request(*lines))
    with pytest.raises(Malformed):
        response_length(response(*lines), b"GET")


def test_http_1_0_knows_no_transfer_encoding():
    # RFC 9112 section 6.1
    coding = b"Transfer-Encoding: chunked"

    with pytest.raises(Malformed):
        request_length(request(coding, minor=0))
    with pytest.raises(Malformed):
        response_length(response(coding, minor=0), b"GET")


def test_without_a_length_a_request_has_no_body_and_a_response_ends_with_the_connection():
    assert request_length(request()) == 0
    assert response_length(response(), b"GET") == UNTIL_CLOSE


@pytest.mark.parametrize(
    ("status", "method"),
    [
        pytest.param(200, b"HEAD", id="HEAD"),
        pytest.param(204, b"GET", id="no content"),
        pytest.param(304, b"GET", id="not modified"),
        pytest.param(100, b"POST", id="continue"),
        pytest.param(103, b"GET", id="early hints"),
    ],
)
@pytest.mark.parametrize(
    "line", [b"Content-Length: 7", b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"]
)
def test_some_answers_have_no_body_whatever_they_say(status, method, line):
    # RFC 9112 section 6.3, items 1 and 2
    assert response_length(response(line, status=status), method) == 0


@settings(deadline=None)
@given(st.binary(max_size=24).filter(lambda value: not set(value) & set(b"\r\n\x00")))
def test_whatever_the_length_says_it_is_digits_or_malformed(value):
    try:
        length = request_length(request(b"Content-Length: " + value))
    except Malformed:
        return

    assert length == int(value)
    assert 0 <= length < 10**18


@pytest.mark.parametrize(
    ("lines", "minor", "closes"),
    [
        pytest.param([], 1, False, id="1.1"),
        pytest.param([], 0, True, id="1.0"),
        pytest.param([b"Connection: close"], 1, True, id="1.1 close"),
        pytest.param([b"Connection: CLOSE"], 1, True, id="any case"),
        pytest.param([b"Connection: x, close"], 1, True, id="in a list"),
        pytest.param([b"Connection: close", b"Connection: x"], 1, True, id="in the first of two"),
        pytest.param([b"Connection: keep-alive"], 1, False, id="1.1 keep-alive"),
        pytest.param([b"Connection: keep-alive"], 0, False, id="1.0 keep-alive"),
        pytest.param([b"Connection: keep-alive, close"], 0, True, id="close wins"),
        pytest.param([b"Connection: x"], 0, True, id="1.0 something else"),
        pytest.param([b"Connection:"], 0, True, id="1.0 empty"),
        pytest.param([b"Connection: xclose"], 1, False, id="a longer word"),
    ],
)
def test_wants_close(lines, minor, closes):
    # RFC 9112 section 9.3
    assert wants_close(request(*lines, minor=minor)) is closes
    assert wants_close(response(*lines, minor=minor)) is closes


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        pytest.param([b"X: y"], set(), id="none"),
        pytest.param([b"Connection: A,\tb ,, C"], {b"a", b"b", b"c"}, id="list"),
        pytest.param([b"Connection: a", b"X: y", b"Connection: b"], {b"a", b"b"}, id="two lines"),
    ],
)
def test_connection_names(lines, names):
    assert connection_names(request(*lines)) == names
