"""Where a route's requests go."""

import pytest

from pyproxy.assembly.origins import origins_of, upstreams
from pyproxy.errors.fault import ConfigurationError

ROUTE = '[auth]\nkeys = ["a-plain-key-of-somebody"]\n[[routes]]\nname = "one"\n'


def test_a_route_names_its_upstreams(configured):
    [route] = configured(ROUTE + 'upstream = ["http://a/v1", "https://b/v1"]').routes

    assert [str(origin.host) for origin in origins_of("routes[0]", route)] == ["a", "b"]


def test_a_provider_may_have_its_own(configured):
    [route] = configured(ROUTE + 'provider = "copilot-api"').routes

    assert [str(origin) for origin in upstreams(route)] == ["http://127.0.0.1:4141"]
    assert origins_of("routes[0]", route) == upstreams(route)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"upstream": ()}, "is required by this provider", id="none"),
        pytest.param({"different": True}, "has URLs with different paths", id="two paths"),
    ],
)
def test_an_upstream_that_cannot_be_served(configured, changes, problem):
    [route] = configured(ROUTE + 'upstream = ["http://a/v1", "http://b/v1"]').routes
    if "different" in changes:
        [other] = configured(ROUTE + 'upstream = "http://b/v2"').routes
        changes = {"upstream": (route.upstream[0], other.upstream[0])}

    with pytest.raises(ConfigurationError) as raised:
        origins_of("routes[3]", route.model_copy(update=changes))

    assert str(raised.value) == f"routes[3].upstream: {problem}"
