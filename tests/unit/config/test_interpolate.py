import pytest
from hypothesis import given, strategies as st

from pyproxy.config.finding import Finding
from pyproxy.config.interpolate import Expanded, interpolate, interpolate_tree

ENVIRON = {"A": "alpha", "B": "beta", "EMPTY": "", "TRICKY": "${B}"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("plain", "plain", id="nothing to do"),
        pytest.param("$A and {A}", "$A and {A}", id="other signs stay"),
        pytest.param("${A}", "alpha", id="whole"),
        pytest.param("x${A}y${B}z", "xalphaybetaz", id="two in a text"),
        pytest.param("${NOPE:-fallback}", "fallback", id="default of an unset name"),
        pytest.param("${EMPTY:-fallback}", "fallback", id="default of an empty name"),
        pytest.param("${A:-fallback}", "alpha", id="default not needed"),
        pytest.param("${NOPE:-}", "", id="empty default"),
        pytest.param("${EMPTY}", "", id="empty value"),
        pytest.param("$${A}", "${A}", id="escaped"),
        pytest.param("$$${A}", "$${A}", id="escaped after a dollar"),
        pytest.param("$$ $${", "$$ ${", id="escaped without end"),
        pytest.param("${TRICKY}", "${B}", id="what was put in is not looked at again"),
    ],
)
def test_references_are_replaced(text, result):
    assert interpolate(text, ENVIRON) == result


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("${NOPE}", "variable NOPE is not set", id="unset"),
        pytest.param("${", "is no reference", id="no end"),
        pytest.param("${}", "is no reference", id="no name"),
        pytest.param("${1A}", "is no reference", id="bad name"),
        pytest.param("${A-b}", "is no reference", id="another shell's default"),
        pytest.param("${A B}", "is no reference", id="space"),
    ],
)
def test_what_is_no_reference_is_a_fault(text, problem):
    with pytest.raises(ValueError, match=problem):
        interpolate(text, ENVIRON)


def test_a_replaced_text_remembers_its_names():
    result = interpolate("${A} ${NOPE:-x} $${B}", ENVIRON)

    assert isinstance(result, Expanded)
    assert result.names == ("A", "NOPE")
    assert not isinstance(interpolate("$${A}", ENVIRON), Expanded)


def test_a_tree_keeps_its_shape():
    tree = {"a": "${A}", "n": 1, "t": {"${A}": ["${B}", 2, {"x": "$${"}]}}

    assert interpolate_tree(tree, ENVIRON) == (
        {"a": "alpha", "n": 1, "t": {"${A}": ["beta", 2, {"x": "${"}]}},
        (),
    )


def test_every_fault_of_a_tree_is_found_and_its_text_stays():
    tree = {"a": "${NOPE}", "t": {"l": ["ok", "${"]}}

    result, findings = interpolate_tree(tree, ENVIRON)

    assert result == tree
    assert [finding.where for finding in findings] == [("a",), ("t", "l", 1)]
    assert all(isinstance(finding, Finding) for finding in findings)


def test_a_tree_of_a_thousand_levels_does_no_harm():
    tree = {}
    for _ in range(5000):
        tree = {"a": tree}

    assert interpolate_tree(tree, {})[1] == ()


@given(st.text())
def test_an_escaped_text_comes_out_as_it_was(text):
    # A dollar right before the escape would lengthen it, so it is kept apart.
    escaped = text.replace("${", "$${")

    if "$${" not in text:
        assert interpolate(escaped, {}) == text


@given(st.text(), st.text().filter(lambda text: "${" not in text and not text.endswith("$")))
def test_a_value_is_put_in_whatever_it_holds(value, around):
    assert interpolate(around + "${X}" + around, {"X": value}) == around + value + around
