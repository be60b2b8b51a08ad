import pytest

from pyproxy.models.json_nesting import MAX_DEPTH, Nesting
from pyproxy.models.json_runs import MAX_CLIMB
from pyproxy.models.name import Unreadable


def nested(brackets):
    nesting = Nesting()
    for bracket in brackets:
        nesting.enter(bracket)
    return nesting


def test_the_innermost_container_is_known():
    nesting = nested(b"{[")

    assert (len(nesting), nesting.is_object) == (2, False)
    assert nested(b"[{").is_object


@pytest.mark.parametrize(
    ("data", "left", "depth"),
    [
        pytest.param(b"[[1", b"1", 2, id="lists"),
        pytest.param(b'{"[":1,"b":[ {"c": 1', b"1", 3, id="objects"),
        pytest.param(b'[1,[],{"a":0},[2', b"2", 2, id="flat values before"),
        pytest.param(b"[" * 20, b"[" * (20 - MAX_CLIMB), MAX_CLIMB, id="so many at once"),
        pytest.param(b'{"a" 1', b'{"a" 1', 0, id="no colon"),
        pytest.param(b"1", b"1", 0, id="no container"),
    ],
)
def test_several_containers_are_entered_at_once(data, left, depth):
    nesting = Nesting()
    at = nesting.descend(data, 0)

    assert (data[at:], len(nesting)) == (left, depth)


@pytest.mark.parametrize(
    ("brackets", "data", "left", "depth"),
    [
        pytest.param(b"{[[", b" ] ] ,1]", b" ,1]", 1, id="lists"),
        pytest.param(b"{[{[", b'],"a":[1],"]":{}},1],"a":1}', b',"a":1}', 1, id="never outermost"),
        pytest.param(b"{", b"} ", b" ", 0, id="the last"),
        pytest.param(b"{[", b"]}", b"}", 1, id="the last by itself"),
        pytest.param(
            b"{" + b"[" * 9, b"]" * 9, b"]" * (9 - MAX_CLIMB), 10 - MAX_CLIMB, id="so many"
        ),
        pytest.param(b"{[", b",]", b",]", 2, id="none"),
    ],
)
def test_several_containers_are_left_at_once(brackets, data, left, depth):
    nesting = nested(brackets)
    at = nesting.ascend(data, 0)

    assert (data[at:], len(nesting)) == (left, depth)


@pytest.mark.parametrize(
    ("brackets", "data"),
    [
        pytest.param(b"{", b"]", id="brace and bracket"),
        pytest.param(b"{[[", b"]}", id="the second"),
        pytest.param(b"{[[", b'],"a":1}', id="members in a list"),
        pytest.param(b"{[{[", b"],1]", id="elements in an object"),
    ],
)
def test_a_bracket_closes_what_it_opened(brackets, data):
    nesting = nested(brackets)

    with pytest.raises(Unreadable):
        nesting.ascend(data, 0)


def test_the_last_levels_are_entered_one_by_one():
    nesting = nested(b"[" * (MAX_DEPTH - MAX_CLIMB))
    assert nesting.descend(b"[[[", 0) == 0

    for _ in range(MAX_CLIMB):
        nesting.enter(ord("["))
    with pytest.raises(Unreadable):
        nesting.enter(ord("["))
