"""The chunked coding as properties: what content is has nothing to do with how it was cut."""

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.chunked import MAX_EXTENSION_BYTES, ChunkedBody, chunk, last_chunk
from pyproxy.wire.syntax import Malformed

COURSE = settings(max_examples=200, derandomize=True, deadline=None)
PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=6)
NAMES = st.text("abcXYZ-", min_size=1, max_size=8).map(lambda name: f"X-{name}".encode())
VALUES = st.binary(min_size=1, max_size=10).map(
    lambda value: bytes(0x21 + byte % 0x5E for byte in value)
)
TRAILERS = st.lists(st.tuples(NAMES, VALUES), max_size=3).map(
    lambda pairs: [(name.lower(), b"%b: %b\r\n" % (name, value)) for name, value in pairs]
)
CUTS = st.lists(st.integers(0, 400), max_size=8)
SIZES = st.sampled_from([b"%x", b"%X", b"0%x", b"000%x", b"%x;a", b"%x;a=b;c", b'%x;a="b;\\""'])
NOISE = st.lists(
    st.sampled_from(
        [b"5", b"0", b"\r\n", b"\r", b"\n", b"hello", b";a", b"=", b'"', b" ", b"x: y"]
    ),
    max_size=12,
).map(b"".join)


def split(data, cuts):
    """The data cut at these places, empty pieces left out."""
    ends = sorted(cut for cut in cuts if cut < len(data))
    pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    return [piece for piece in pieces if piece]


def decoded(pieces):
    """Content, trailers, what follows, and whether it is complete; or that it is malformed."""
    body, content, after = ChunkedBody(), b"", b""
    for piece in pieces:
        if body.is_complete:
            after += piece
            continue
        try:
            content += body.feed(piece)
        except Malformed:
            return "malformed"
    return content, body.trailers, body.rest + after, body.is_complete


@COURSE
@given(PIECES, TRAILERS, st.binary(max_size=20), CUTS)
def test_what_was_encoded_is_decoded_however_it_is_cut(pieces, trailers, rest, cuts):
    sent = b"".join(map(chunk, pieces)) + last_chunk(trailers) + rest

    assert decoded(split(sent, cuts)) == (b"".join(pieces), trailers, rest, True)


@COURSE
@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), SIZES), max_size=5), CUTS)
def test_sizes_and_extensions_in_any_form_leave_the_content_as_it_is(chunks, cuts):
    sent = b"".join(size % len(data) + b"\r\n" + data + b"\r\n" for data, size in chunks)
    content = b"".join(data for data, _ in chunks)

    assert decoded(split(sent + b"0\r\n\r\n", cuts)) == (content, [], b"", True)


@COURSE
@given(PIECES, CUTS)
def test_decoded_and_encoded_again_it_means_the_same(pieces, cuts):
    sent = b"".join(map(chunk, pieces)) + last_chunk([])
    body = ChunkedBody()
    again = b"".join(chunk(data) for piece in split(sent, cuts) if (data := body.feed(piece)))

    assert decoded([again + last_chunk(body.trailers)]) == decoded([sent])


@COURSE
@given(PIECES, TRAILERS, st.integers(0, 300))
def test_what_was_cut_off_is_never_complete(pieces, trailers, at):
    sent = b"".join(map(chunk, pieces)) + last_chunk(trailers)
    found = decoded([sent[: at % len(sent)]])

    assert found == "malformed" or not found[3]


@COURSE
@given(NOISE, CUTS)
def test_noise_is_read_alike_however_it_is_cut(noise, cuts):
    whole, apart = decoded([noise] if noise else []), decoded(split(noise, cuts))

    assert whole == apart


@COURSE
@given(NOISE)
def test_noise_is_malformed_or_content_with_nothing_left_unread(noise):
    found = decoded([noise] if noise else [])
    if found != "malformed" and found[3]:
        assert len(found[0]) + len(found[2]) < len(noise)


@pytest.mark.parametrize("length", [2, 100, 1000])
def test_extensions_have_a_bound_over_the_whole_body(length):
    line = b"1;" + b"x" * (length - 1) + b"\r\na\r\n"
    body = ChunkedBody()
    body.feed(line * (MAX_EXTENSION_BYTES // length))

    with pytest.raises(Malformed):
        body.feed(line * 2)


@COURSE
@given(
    st.one_of(
        NOISE,
        st.tuples(st.binary(min_size=1, max_size=20), SIZES).map(
            lambda each: each[1] % len(each[0]) + b"\r\n" + each[0] + b"\r\n"
        ),
    )
)
def test_whole_chunk_is_what_would_be_decoded_to_so_many_bytes_and_nothing_else(data):
    size = ChunkedBody().whole(data)

    if size:
        assert decoded([data]) == (data[-size - 2 : -2], [], b"", False)
        assert decoded([data, b"0\r\n\r\n"]) == (data[-size - 2 : -2], [], b"", True)


@pytest.mark.parametrize(
    ("before", "data", "size"),
    [
        pytest.param(b"", b"5\r\nhello\r\n", 5, id="one"),
        pytest.param(b"2\r\nab\r\n", b"5\r\nhello\r\n", 5, id="one behind another"),
        pytest.param(b"", b"005\r\nhello\r\n", 5, id="zeros"),
        pytest.param(b"", b"5\r\nhello\r\n5\r\nhello\r\n", 0, id="two"),
        pytest.param(b"", b"5\r\nhello\r", 0, id="not all of it"),
        pytest.param(b"", b"5\r\nhelloXX", 0, id="another end"),
        pytest.param(b"", b"5;a\r\nhello\r\n", 0, id="an extension"),
        pytest.param(b"", b"0\r\n\r\n", 0, id="the last one"),
        pytest.param(b"", b"", 0, id="nothing"),
        pytest.param(b"9\r\n", b"5\r\nhell\r\n", 0, id="within another"),
        pytest.param(b"1", b"5\r\nhello\r\n", 0, id="behind half a size"),
        pytest.param(b"0\r\n", b"5\r\nhello\r\n", 0, id="in the trailers"),
    ],
)
def test_chunk_is_whole_where_it_may_begin_and_ends_with_the_read(before, data, size):
    body = ChunkedBody()
    body.feed(before)

    assert body.whole(data) == size
