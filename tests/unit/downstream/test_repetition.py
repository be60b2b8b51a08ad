"""A head that comes again is known again, and only then."""

import pytest
from hypothesis import given, strategies as st

from pyproxy.downstream.repetition import MAX_KEPT, Repetition
from pyproxy.wire.framing import CHUNKED, request_length
from pyproxy.wire.head import read_request_head
from pyproxy.wire.syntax import Malformed

POST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-A: b\r\n\r\n"


def sized(text, digits):
    return text.replace(b"\r\nContent-Length: 5", b"\r\nContent-Length: " + digits)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param(POST, 5, id="length"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, id="no body"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            CHUNKED,
            id="chunks",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nX-Content-Length: 7\r\ncontent-length:7\r\n\r\n",
            7,
            id="a like name",
        ),
    ],
)
def test_repeated_head_is_the_same_object(text, length):
    repetition = Repetition()
    first, second = repetition.read(text), repetition.read(text)

    assert first[0] is second[0]
    assert (first[1], second[1]) == (length, length)


@pytest.mark.parametrize(
    ("digits", "length"),
    [(b"0", 0), (b"7", 7), (b"007", 7), (b"999999999999999999", 10**18 - 1)],
)
def test_only_the_length_may_differ(digits, length):
    repetition = Repetition()
    first, _ = repetition.read(POST)
    again, found = repetition.read(sized(POST, digits))

    assert again is first
    assert found == length
    assert repetition.read(POST) == (first, 5)


@pytest.mark.parametrize("at", range(30))
def test_head_with_space_behind_its_length_is_read_anew(at):
    """Its line has lost the space: no other digit may be taken for the length."""
    first, second = b"0" * 30, b"0" * at + b"7" + b"0" * (29 - at)
    repetition = Repetition()
    for digits in (first, second):
        text = b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Length: 5 \r\n\r\n" % digits
        head, length = repetition.read(text)

        assert (head.target, length) == (b"/" + digits, 5)


@pytest.mark.parametrize(
    "digits", [b"", b"+5", b"5 5", b"0x5", b"1" * 19, b"5\r\nContent-Length: 5", b"5,5", b"-1"]
)
def test_what_is_no_length_is_still_refused(digits):
    repetition = Repetition()
    repetition.read(POST)

    with pytest.raises(Malformed):
        repetition.read(sized(POST, digits))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(POST.replace(b"/a", b"/b"), id="another target"),
        pytest.param(POST.replace(b"X-A: b", b"X-A: c"), id="another value"),
        pytest.param(POST.replace(b"\r\n\r\n", b"\r\nX-B: c\r\n\r\n"), id="one field more"),
        pytest.param(
            sized(POST, b"5\r\nX-Length: 5"), id="a field between the length and what follows"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", id="without a length"),
    ],
)
def test_another_head_is_read_anew(text):
    repetition = Repetition()
    first, _ = repetition.read(POST)
    other, length = repetition.read(text)

    assert other is not first
    assert other == read_request_head(text)
    assert length == request_length(other)


def test_long_head_is_not_kept():
    long = POST.replace(b"X-A: b", b"X-A: " + b"b" * MAX_KEPT)
    repetition = Repetition()

    assert repetition.read(long)[0] is not repetition.read(long)[0]


def test_head_with_white_space_behind_its_length_is_not_kept():
    text = sized(POST, b"5 \t")
    repetition = Repetition()
    first, second = repetition.read(text), repetition.read(text)

    assert first[0] is not second[0]
    assert first == second


def test_refused_head_leaves_the_last_one_known():
    repetition = Repetition()
    first, _ = repetition.read(POST)
    with pytest.raises(Malformed):
        repetition.read(b"nonsense\r\n\r\n")

    assert repetition.read(POST)[0] is first


PIECES = st.sampled_from(
    [
        b"Content-Length: 5\r\n", b"content-length:12\r\n", b"Content-Length: 5 \r\n", b"A: b\r\n",
        b"X-Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: x\r\n",
        b"5",
    ]
)  # fmt: skip


@given(st.lists(st.lists(PIECES, max_size=4), min_size=1, max_size=4))
def test_it_reads_as_if_it_remembered_nothing(requests):
    repetition = Repetition()
    for pieces in requests:
        text = b"POST / HTTP/1.1\r\n" + b"".join(pieces) + b"\r\n"
        try:
            head = read_request_head(text)
            expected = (head.target, head.lines, request_length(head))
        except Malformed:
            with pytest.raises(Malformed):
                repetition.read(text)
            continue
        found, length = repetition.read(text)

        others = [pair for pair in found.lines if pair[0] != b"content-length"]
        assert others == [pair for pair in expected[1] if pair[0] != b"content-length"]
        assert (found.target, length) == (expected[0], expected[2])
