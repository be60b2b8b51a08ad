import pytest
from hypothesis import given, strategies as st

from pyproxy.identity.turns import Turns


def filled(*lines, each=9):
    """Turns with what each client, by its first letter, has put in line."""
    turns = Turns(each)
    for item in lines:
        assert turns.try_add(item[0], item)
    return turns


def taken(turns):
    return [turns.take() for _ in range(len(turns))]


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        pytest.param(("a1", "a2", "a3"), ["a1", "a2", "a3"], id="alone: as they came"),
        pytest.param(("a1", "a2", "a3", "b1"), ["a1", "b1", "a2", "a3"], id="newcomer"),
        pytest.param(("a1", "a2", "b1", "b2", "c1"), ["a1", "b1", "c1", "a2", "b2"], id="round"),
    ],
)
def test_turns_go_round(lines, order):
    assert taken(filled(*lines)) == order


def test_nobody_waits():
    assert Turns(1).take() is None


def test_who_had_a_turn_comes_after_who_waits():
    turns = filled("a1", "b1", "b2")
    turns.take()
    turns.try_add("a", "a2")

    assert taken(turns) == ["b1", "a2", "b2"]


def test_who_just_had_a_turn_comes_after_who_comes_newly():
    turns = filled("a1")
    turns.take()
    turns.try_add("a", "a2")
    turns.try_add("b", "b1")

    assert taken(turns) == ["b1", "a2"]


def test_full_line_takes_no_more_and_others_do():
    turns = filled("a1", "a2", each=2)

    assert not turns.try_add("a", "a3")
    assert turns.try_add("a", "a2")  # that one is there
    assert turns.try_add("b", "b1")
    assert len(turns) == 3


def test_item_of_two_clients_has_the_first_turn_of_both():
    turns = filled("a1", "a2", "b1")
    turns.try_add("b", "a2")
    turns.try_add("c", "a2")

    assert [turns.take(), turns.take(), turns.take()] == ["a1", "b1", "a2"]
    assert len(turns) == 0


def test_removed_is_in_no_line():
    turns = filled("a1", "a2", "b1")
    turns.try_add("b", "a2")
    turns.remove("a2")

    assert taken(turns) == ["a1", "b1"]


@pytest.mark.parametrize(
    ("lines", "client", "item"),
    [
        pytest.param(("a1", "a2", "a3", "b1"), "b", "a3", id="longer than its own will be"),
        pytest.param(("a1", "a2", "b1"), "b", None, id="not longer than its own will be"),
        pytest.param(("a1", "a2", "b1"), "c", "a2", id="it has none"),
        pytest.param(("a1", "b1"), "c", None, id="nobody has two"),
        pytest.param((), "c", None, id="nobody waits"),
    ],
)
def test_who_crowds(lines, client, item):
    assert filled(*lines).crowding(client) == item


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_newcomer_waits_for_one_of_each_client(clients):
    turns = Turns(30)
    for number, client in enumerate(clients):
        turns.try_add(client, (client, number))
    turns.try_add("new", ("new", 0))
    before = [client for client, _ in taken(turns)]

    assert before.index("new") <= len(set(clients))
    assert len(before) == len(clients) + 1
