from pyproxy.providers.generic import GENERIC


def test_generic_assumes_nothing():
    assert GENERIC.origin == ""
    assert GENERIC.credential is None
    assert GENERIC.denied_paths == ()
    assert GENERIC.removed_response_fields == frozenset()
    assert GENERIC.dialect(b"/v1/messages") == "plain"
