import pytest

from pyproxy.identity.names import is_name


@pytest.mark.parametrize(
    "text", ["a", "alice@example.org", "J\u00fcrgen \u5f20", "auth0|5f", "x" * 256]
)
def test_names_are_taken(text):
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 257, id="257 characters"),
        pytest.param("a\nb", id="line end"),
        pytest.param("a\n", id="line end at the end"),
        pytest.param("a\r\nX-Admin: 1", id="header injection"),
        pytest.param("a\x00", id="NUL"),
        pytest.param("a\x7f", id="DEL"),
        pytest.param("a\x85", id="C1"),
        pytest.param("a\u2028b", id="line separator"),
        pytest.param("a\ud800", id="half a surrogate pair"),
    ],
)
def test_what_a_log_could_not_carry_is_not_a_name(text):
    assert not is_name(text)
