"""Targets as properties: what is accepted has one reading, decoded or not."""

import re

from hypothesis import given, settings, strategies as st

from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import read_target

COURSE = settings(max_examples=500, derandomize=True, deadline=None)
PARTS = st.sampled_from(
    [
        b"/", b"/", b".", b"..", b"a", b"b.c", b";", b";x=1", b"%2e", b"%2E", b"%2f", b"%5C", b"\\",
        b"%c0%ae", b"%c1%9c", b"%e0%80%ae", b"%f0%80%80%af", b"%00", b"%0a", b"%7f", b"%25", b"%",
        b"%g1",
        b"?", b"#", b"%23", b"%3F", b"%3b", b"@", b":", b"~", b"%7E", b"%c3%a9", b"http://x", b"*",
    ]
)  # fmt: skip
TARGETS = st.lists(PARTS, min_size=1, max_size=9).map(lambda parts: b"/" + b"".join(parts))


def decoded(path):
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), path)


def accepted(target):
    try:
        return read_target(target, b"GET")
    except Malformed:
        return None


@COURSE
@given(TARGETS)
def test_accepted_path_has_no_segment_that_leads_elsewhere(target):
    found = accepted(target)
    if found is None:
        return
    for path in (found.path, found.decoded):
        names = [name.partition(b";")[0] for name in path.split(b"/")[1:]]
        assert not {b".", b".."} & set(names)
        assert b"" not in names[:-1]
        assert not re.search(rb"[\x00-\x1f\x7f\\]", path)


@COURSE
@given(TARGETS)
def test_accepted_target_is_kept_byte_for_byte(target):
    found = accepted(target)
    if found is None:
        return
    query = b"" if found.query is None else b"?" + found.query

    assert found.path + query == target
    assert found.decoded == decoded(found.path)


@COURSE
@given(TARGETS)
def test_no_careless_decoder_of_utf_8_finds_dots_and_slashes(target):
    """Python's own is strict, so the overlong forms are undone by hand (RFC 3629 section 10)."""
    found = accepted(target)
    if found is None:
        return
    loose = re.sub(
        rb"(?:\xe0|\xf0\x80)?([\x80-\xc1])([\x80-\xbf])",
        lambda each: bytes([((each[1][0] & 0x1F) << 6 | each[2][0] & 0x3F) & 0x7F]),
        found.decoded,
    )
    if loose != found.decoded and not found.decoded.isascii():
        names = loose.split(b"/")
        assert b".." not in names or b".." in found.decoded.split(b"/")


@COURSE
@given(TARGETS)
def test_absolute_form_means_the_same(target):
    if target.partition(b"?")[0] == b"//":
        return
    plain, absolute = accepted(target), accepted(b"http://gateway.example" + target)

    assert (plain is None) == (absolute is None)
    if plain is not None:
        assert (plain.path, plain.query) == (absolute.path, absolute.query)
        assert absolute.authority == b"gateway.example"
