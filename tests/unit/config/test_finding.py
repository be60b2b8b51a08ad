import pytest

from pyproxy.config.finding import Finding, path_text
from pyproxy.errors.fault import Fault


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (("routes", 2, "rate_limits", 0), "routes[2].rate_limits[0]"),
        (("auth", "jwt", "ttl"), "auth.jwt.ttl"),
        (("routes", 0, "request_headers", "a b\n"), 'routes[0].request_headers."a b\\n"'),
        ((), ""),
    ],
    ids=["lists", "tables", "odd key", "top"],
)
def test_a_place_is_written_as_its_reader_knows_it(where, text):
    assert path_text(where) == text


def test_a_value_from_the_environment_is_named_by_its_variable():
    filled = {("auth", "keys"): "API_KEYS", ("auth", "keys", 0): "API_KEY"}

    assert Finding(("auth", "keys", 0), "p").to_fault(filled) == Fault("API_KEY", "p")
    assert Finding(("auth", "keys", 1), "p").to_fault(filled) == Fault("API_KEYS", "p")
    assert Finding(("auth", "ttl"), "p").to_fault(filled) == Fault("auth.ttl", "p")
