import pytest

from pyproxy.config.outline import every_key, keys_at


@pytest.mark.parametrize(
    ("where", "some"),
    [
        pytest.param((), {"server", "routes"}, id="top"),
        pytest.param(("auth", "jwt"), {"leeway"}, id="table in a table"),
        pytest.param(("routes", 3), {"upstream"}, id="list of tables"),
        pytest.param(("routes", 0, "tls"), {"ca"}, id="table in a list"),
        pytest.param(("rate_limits", "server"), {"burst"}, id="named table"),
    ],
)
def test_the_keys_of_a_table_are_known(where, some):
    assert some <= set(keys_at(where))


@pytest.mark.parametrize(
    "where",
    [("nope",), ("server", "drain"), ("server", "drain", "x"), ("nope", "x", "y")],
    ids=str,
)
def test_what_is_no_table_has_no_keys(where):
    assert keys_at(where) == ()


def test_every_key_has_a_path():
    paths = set(every_key())

    assert ("server", "log", "level") in paths
    assert ("routes", "*", "tls", "ca") in paths
    assert ("rate_limits", "*", "rate") in paths
    assert ("routes", "*", "request_headers") in paths
    assert ("auth", "jwt") not in paths
