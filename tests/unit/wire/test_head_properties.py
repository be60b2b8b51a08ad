"""Field lines as properties: what is remembered reads like what is read anew."""

from hypothesis import given, settings, strategies as st

from pyproxy.wire.framing import request_length
from pyproxy.wire.head import (
    MAX_KNOWN_LINE,
    MAX_KNOWN_LINES,
    ResponseReader,
    can_become_a_head,
    read_fields,
    read_request_head,
    read_response_head,
)
from pyproxy.wire.syntax import Malformed

COURSE = settings(max_examples=300, derandomize=True, deadline=None)
LINES = st.sampled_from(
    [
        b"A: b\r\n", b"a: b\r\n", b"A:b\r\n", b"A: b \r\n", b"A: b\t\r\n", b"A:\t b\r\n", b"A:\r\n",
        b"A: \r\n", b"A : b\r\n", b" A: b\r\n", b"A: b\n", b"A: b\r", b"A: \x00\r\n",
        b"A: \xff\r\n",
        b"\r\n", b"A\r\n", b": b\r\n", b"Content-Length: 1\r\n", b"Content-Length: 1\t \r\n",
        b"X: " + b"x" * MAX_KNOWN_LINE + b"\r\n", b"X-Y: " + b"x" * (MAX_KNOWN_LINE - 5) + b"\r\n",
        b"A: b\r\r\n", b"A: b\n\r\n", b"A: b\x0b\r\n", b"A: b\x85\r\n", b"A\x85: b\r\n",
    ]
)  # fmt: skip
BLOCKS = st.lists(LINES, max_size=6).map(b"".join)


def read(reader, block):
    """What a reader makes of a block of lines."""
    try:
        return reader(block)
    except Malformed:
        return "malformed"


@COURSE
@given(st.lists(st.one_of(BLOCKS, st.binary(max_size=30)), min_size=1, max_size=6))
def test_known_lines_read_as_if_nothing_was_known(blocks):
    reader = ResponseReader()

    assert [read(reader.read_fields, block) for block in blocks] == [
        read(read_fields, block) for block in blocks
    ]


STARTS = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 \r\n", b""]
)
HEADS = st.tuples(STARTS, BLOCKS).map(lambda each: each[0] + each[1] + b"\r\n")


@COURSE
@given(st.lists(HEADS, min_size=1, max_size=4).map(lambda heads: heads + heads[::-1]))
def test_known_head_reads_as_if_nothing_was_known(heads):
    reader = ResponseReader()

    assert [read(reader.read, head) for head in heads] == [
        read(read_response_head, head) for head in heads
    ]


@COURSE
@given(st.integers(0, 4 * MAX_KNOWN_LINES), st.integers(0, 9))
def test_known_lines_have_a_bound(count, modulus):
    reader = ResponseReader()
    for number in range(count):
        reader.read_fields(b"A: %d\r\nB: %d\r\n" % (number, number % (modulus + 1)))

    assert len(reader._known) <= MAX_KNOWN_LINES


@COURSE
@given(BLOCKS)
def test_lines_are_kept_whole_and_in_their_order(block):
    found = read(read_fields, block)
    if found == "malformed":
        return
    lines, index, repeated = found

    def bare(text):
        return text.translate(None, b" \t")

    assert bare(b"".join(line for _, line in lines)) == bare(block)
    assert set(index) == {name for name, _ in lines}
    assert repeated == {name for name in index if [each for each, _ in lines].count(name) > 1}
    assert all(value == value.strip(b" \t") for value in index.values())


@COURSE
@given(BLOCKS)
def test_what_is_a_head_could_become_one_all_along(block):
    head = b"GET / HTTP/1.1\r\n" + block + b"\r\n"
    try:
        request_length(read_request_head(head))
    except Malformed:
        return

    assert all(can_become_a_head(head[:end]) for end in range(len(head)))
