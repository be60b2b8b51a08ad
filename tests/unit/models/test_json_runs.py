import json

import pytest

from pyproxy.models.json_runs import (
    ASCENTS,
    CUT_ESCAPE,
    CUT_SCALAR,
    DESCENT,
    ELEMENTS,
    LEVELS,
    MAX_DIGITS,
    MEMBER_REST,
    MEMBERS,
    SCALAR,
    STRING,
    brackets,
)


@pytest.mark.parametrize(
    "value",
    [
        *(b"0", b"-0", b"12", b"-1.50", b"1e9", b"1E+09", b"0.5e-7", b"true", b"false", b"null"),
        *(b'""', b'"a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"', '"\u00e9\u2028"'.encode(), b'"]"'),
        *(b"[]", b"{}", b"[ 1 , 2 ]", b'{ "a" : 1 , "b" : [ ] }', b"[[[]],[{}]]"),
        b"9" * MAX_DIGITS,
    ],
)
def test_values_are_what_json_says(value):
    json.loads(value)

    assert ELEMENTS.match(value + b" , 1")[0] == value + b" ,"
    assert ELEMENTS.match(value + b" ]")[0] == value + b" "
    assert MEMBERS.match(b'"a":' + value + b"}")[0] == b'"a":' + value


@pytest.mark.parametrize(
    "value",
    [
        *(b"00", b"-", b"+1", b".5", b"1.", b"1e", b"1e+", b"0x1", b"NaN", b"Infinity", b"True"),
        *(b"'a'", b'"\\x"', b'"\\u00g0"', b'"\n"', b'"\x00"', b'"', b"a", b"1 1", b""),
        *(b"[", b"[1,]", b"[,]", b"[1 2]", b"[1}", b"{1}", b'{"a"}', b'{"a":}', b'{"a":1,}'),
        *(b'{"a":1]', b'["a":1]', b"{,}", b"{a:1}"),
        b"9" * (MAX_DIGITS + 1),
        b"[" * (LEVELS + 1) + b"]" * (LEVELS + 1),
    ],
)
def test_other_values_are_not_taken(value):
    assert ELEMENTS.match(value + b",") is None
    assert MEMBERS.match(b'"a":' + value + b",") is None


def test_a_run_ends_before_what_is_not_whole():
    assert ELEMENTS.match(b'1,"a",[2],[3')[0] == b'1,"a",[2],'
    assert MEMBERS.match(b'"a":1,"b":{},"c":tru')[0] == b'"a":1,"b":{},'
    assert ELEMENTS.match(b"1") is None


def test_a_members_rest_is_taken_with_its_comma():
    assert MEMBER_REST.match(b' : {"a":1} , "b"')[0] == b' : {"a":1} ,'
    assert MEMBER_REST.match(b":[[[]]],") is None


def test_a_scalar_needs_its_end():
    assert SCALAR.match(b"12]")[0] == b"12"
    assert SCALAR.match(b"12") is None
    assert CUT_SCALAR.match(b"12")
    assert CUT_SCALAR.match(b"12\n") is None


@pytest.mark.parametrize("cut", [b"\\", b"\\u", b"\\u00e"])
def test_an_escape_that_is_cut_may_go_on(cut):
    assert CUT_ESCAPE.match(cut)
    assert CUT_ESCAPE.match(cut + b"\n") is None
    assert STRING.match(b'"' + cut + b'"') is None


def test_a_climb_is_its_brackets():
    down, up = b'[ {"[":1,"b":[],"c":{"d": [', b'],"]":{"a":1} } ,[2], "a" ]'

    assert brackets(DESCENT.match(down)[0]) == b"[{{["
    assert brackets(ASCENTS[2].match(up)[0]) == b"]}]"
    assert ASCENTS[0].match(up)[0] == b"]"
