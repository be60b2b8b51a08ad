import json

import pytest
from hypothesis import given, strategies as st

from pyproxy.identity.strict_json import BadJson, parse_object

_LEAVES = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=8)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def _nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


@given(st.dictionaries(st.text(max_size=8), _LEAVES | st.lists(_VALUES, max_size=3), max_size=4))
def test_ordinary_objects_are_read_as_the_standard_library_reads_them(value):
    text = json.dumps(value).encode()

    assert parse_object(text) == value


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b'["alg"]', id="list"),
        pytest.param(b'"alg"', id="string"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{} {}", id="two objects"),
        pytest.param(b'{"a": 1,}', id="trailing comma"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b'{"a": "\n"}', id="raw line end in a string"),
        pytest.param(b'{"a": 1, "a": 1}', id="member twice"),
        pytest.param(b'{"a": 1, "\\u0061": 2}', id="member twice in two spellings"),
        pytest.param(b'{"x": {"a": 1, "a": 2}}', id="inner member twice"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": Infinity}', id="Infinity"),
        pytest.param(b'{"a": -Infinity}', id="minus Infinity"),
        pytest.param(b'{"a": 1e400}', id="1e400"),
        pytest.param(b'{"a": -1e400}', id="-1e400"),
        pytest.param(b'{"a": 0.' + b"1" * 100 + b"}", id="100 decimals"),
        pytest.param(b'{"a": ' + b"9" * 33 + b"}", id="33 digits"),
        pytest.param(b'{"a": ' + b"9" * 1_000_000 + b"}", id="1e6 digits"),
        pytest.param(_nested(17), id="17 deep"),
        pytest.param(_nested(5000), id="5000 deep"),
        pytest.param(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", id="5000 deep lists"),
        pytest.param(b"[" * 200_000, id="200000 open brackets"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"a": "\xc0\x80"}', id="overlong UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(octets):
    with pytest.raises(BadJson):
        parse_object(octets)


def test_the_refusal_does_not_quote_the_text():
    with pytest.raises(BadJson) as caught:
        parse_object(b'{"password": hunter2}')

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        pytest.param(b'{"a": 1.5}', {"a": 1.5}, id="fraction"),
        pytest.param(b' {"a" : []} ', {"a": []}, id="white space"),
        pytest.param(b'{"a": ' + b"9" * 32 + b"}", {"a": 10**32 - 1}, id="32 digits"),
        pytest.param('{"\u00fc": "\u00fc"}'.encode(), {"\u00fc": "\u00fc"}, id="UTF-8"),
    ],
)
def test_limits_include_their_last_value(octets, value):
    assert parse_object(octets) == value


def test_sixteen_levels_are_taken():
    assert "a" in parse_object(_nested(16))
