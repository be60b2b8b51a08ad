"""Where frames end, in whatever pieces they come."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from pyproxy.wire.websocket import FrameTracker, Speech, close_frame

HELLO = b"\x81\x05hello"
CLOSE = b"\x88\x02\x03\xe8"
OURS = close_frame(1001)
MASK = b"\x01\x02\x03\x04"


def frame(opcode, size, mask=b"", *, is_last=True):
    """RFC 6455 section 5.2, with the shortest length that will do."""
    flag = 0x80 if mask else 0
    first = bytes([(0x80 if is_last else 0) | opcode])
    if size < 126:
        return first + bytes([flag | size]) + mask + b"p" * size
    if size < 65536:
        return first + bytes([flag | 126]) + size.to_bytes(2) + mask + b"p" * size
    return first + bytes([flag | 127]) + size.to_bytes(8) + mask + b"p" * size


frames = st.lists(
    st.builds(
        frame,
        st.sampled_from([0, 1, 2, 9, 10]),
        st.sampled_from([0, 1, 5, 125, 126, 127, 300, 65535, 65536]),
        st.sampled_from([b"", MASK]),
        is_last=st.booleans(),
    ),
    max_size=4,
)


def pieces(data, places):
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:stop] for start, stop in pairwise(edges)]


def ends_of(parts):
    """Where frames end in all of them together."""
    ends, at = {0}, 0
    for part in parts:
        at += len(part)
        ends.add(at)
    return ends


@given(parts=frames, places=st.lists(st.integers(0, 2**20), max_size=8))
def test_it_is_between_frames_exactly_where_one_ends(parts, places):
    tracker, at, ends = FrameTracker(), 0, ends_of(parts)
    for piece in pieces(b"".join(parts), places):
        tracker.feed(piece)
        at += len(piece)

        assert tracker.is_between == (at in ends)
    assert not tracker.has_closed


@pytest.mark.parametrize("mask", [b"", MASK], ids=["from a server", "from a client"])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 200])
def test_every_byte_may_come_alone(size, mask):
    tracker, data = FrameTracker(), frame(1, size, mask) + frame(8, 2, mask)
    seen = []
    for at in range(len(data)):
        tracker.feed(data[at : at + 1])
        seen.append((tracker.is_between, tracker.has_closed))

    close = 2 + len(mask) + 2
    first = len(data) - close
    assert [at + 1 for at, (between, _) in enumerate(seen) if between] == [first, len(data)]
    assert seen.index((False, True)) == first + 2 + len(mask) - 1


@given(parts=frames, places=st.lists(st.integers(0, 2**20), max_size=1))
def test_finish_takes_the_rest_of_a_frame_and_no_more(parts, places):
    data = b"".join(parts)
    before, after = (*pieces(data, places), b"", b"")[:2]
    tracker = FrameTracker()
    tracker.feed(before)
    taken = tracker.finish(after)

    end = min((end for end in ends_of(parts) if end >= len(before)), default=len(data))
    assert taken == end - len(before)
    assert tracker.is_between


def test_a_length_of_64_bits_is_skipped_by_arithmetic():
    tracker = FrameTracker()
    tracker.feed(b"\x82\x7f" + (2**40).to_bytes(8))
    tracker.feed(b"p" * 1000)

    assert not tracker.is_between
    assert tracker.finish(b"p" * 1000) == 1000


def test_a_fragment_that_looks_like_a_close_is_none():
    tracker = FrameTracker()
    tracker.feed(b"\x08\x00\x81\x02\x88\x02")

    assert not tracker.has_closed


def test_close_frames():
    # RFC 6455 sections 5.3 and 5.5.1
    assert close_frame(1001) == b"\x88\x02\x03\xe9"
    assert close_frame(1001, MASK) == b"\x88\x82\x01\x02\x03\x04\x02\xeb"


def test_speech_passes_as_it_is():
    speech = Speech()

    assert speech.hear(HELLO[:3]) + speech.hear(HELLO[3:]) == HELLO
    assert not speech.is_over


@pytest.mark.parametrize("split", range(len(HELLO) + 1))
def test_close_of_ours_comes_between_two_frames(split):
    speech = Speech()
    passed = speech.hear(HELLO[:split])
    passed += speech.close(OURS)
    was_over = speech.is_over
    passed += speech.hear(HELLO[split:] + HELLO) + speech.hear(HELLO)

    assert was_over == (split in {0, len(HELLO)})
    assert passed == (b"" if split == 0 else HELLO) + OURS
    assert speech.is_over


def test_after_their_close_there_is_none_of_ours():
    speech = Speech()
    speech.hear(CLOSE)

    assert speech.close(OURS) == b""
    assert speech.is_over
    assert speech.hear(HELLO) == b""


def test_their_close_in_the_frame_under_way_does_for_ours():
    speech = Speech()
    speech.hear(CLOSE[:1])
    now = speech.close(OURS)

    assert now == b""
    assert speech.hear(CLOSE[1:]) == CLOSE[1:]
    assert (speech.is_over, speech.has_closed) == (True, True)


def test_their_close_is_noticed_after_ours():
    speech = Speech()
    speech.close(OURS)
    before = speech.has_closed
    passed = speech.hear(HELLO[:2]) + speech.hear(HELLO[2:] + CLOSE[:1]) + speech.hear(CLOSE[1:])

    assert passed == b""
    assert (before, speech.has_closed) == (False, True)
