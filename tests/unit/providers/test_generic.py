from pyproxy.providers.generic import GENERIC


def test_generic_assumes_nothing():
    assert GENERIC.origin == ""
    assert GENERIC.denied_paths == ()
    assert GENERIC.dialect(b"/v1/messages") == "plain"
