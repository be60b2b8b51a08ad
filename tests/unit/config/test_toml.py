import pytest

from pyproxy.config.toml import parse_toml
from pyproxy.errors.fault import ConfigurationError


def test_text_becomes_a_tree():
    assert parse_toml("a = 1\n[t]\nb = 'ä'\n".encode(), "f") == {"a": 1, "t": {"b": "ä"}}


@pytest.mark.parametrize(
    ("raw", "where", "problem"),
    [
        pytest.param(b"a = 1\nb = = 2\n", "f.toml:2:5", "not TOML: invalid value", id="value"),
        pytest.param(b"a = 1\na = 2", "f.toml:2:6", "not TOML: cannot overwrite", id="twice"),
        pytest.param(b"a = 1\nb = [", "f.toml:2:6", "not TOML: invalid value", id="unfinished"),
        pytest.param(b"a = 1\nb = '\xff'", "f.toml:2", "is not UTF-8 text", id="encoding"),
        pytest.param(b"a = " + b"[" * 5000, "f.toml", "is nested too deeply", id="depth"),
        pytest.param(b"a = " + b"9" * 5000, "f.toml", "holds a number of too many", id="digits"),
    ],
)
def test_what_is_no_toml_is_told_where(raw, where, problem):
    with pytest.raises(ConfigurationError) as caught:
        parse_toml(raw, "f.toml")

    (fault,) = caught.value.faults
    assert fault.path == where
    assert fault.problem.startswith(problem)
