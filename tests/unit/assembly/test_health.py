"""What upstreams are asked."""

import pytest

from pyproxy.assembly.health import check_rules
from pyproxy.config.route import HealthSettings
from pyproxy.transform.request import upward_rules
from pyproxy.upstream.health import CheckRules

HEALTH = HealthSettings(path="/up", interval="3s", timeout="1s", unhealthy_after=5, healthy_after=4)


def asked(**rules):
    """The request of a route with these rules, but for its Host."""
    return b"".join(check_rules(HEALTH, upward_rules(via=False, **rules)).request)


def test_without_a_path_nothing_is_asked():
    assert check_rules(HealthSettings(), upward_rules()) is None


def test_settings_are_kept():
    rules = check_rules(HEALTH, upward_rules())

    assert rules == CheckRules(rules.request, 3.0, 1.0, unhealthy_after=5, healthy_after=4)


@pytest.mark.parametrize(
    ("rules", "request_"),
    [
        pytest.param(
            {},
            b"GET /up HTTP/1.1\r\nUser-Agent: pyproxy-health-check\r\nConnection: close\r\n\r\n",
            id="plain",
        ),
        pytest.param(
            {"base": b"/v1"},
            b"GET /up HTTP/1.1\r\nUser-Agent: pyproxy-health-check\r\nConnection: close\r\n\r\n",
            id="from the root",
        ),
        pytest.param(
            {"injected": ((b"X-Key", b"k"),), "set_fields": {b"User-Agent": b"us", b"X-Gone": b""}},
            b"GET /up HTTP/1.1\r\nX-Key: k\r\nUser-Agent: us\r\nConnection: close\r\n\r\n",
            id="credential and fields",
        ),
        pytest.param(
            {"injected_query": b"key=k", "defaults": {b"X-Version": b"1"}},
            b"GET /up?key=k HTTP/1.1\r\nX-Version: 1\r\nUser-Agent: pyproxy-health-check\r\n"
            b"Connection: close\r\n\r\n",
            id="credential in the query, and a default",
        ),
        pytest.param(
            {"defaults": {b"X-Version": b"1"}, "set_fields": {b"x-version": b"2"}},
            b"GET /up HTTP/1.1\r\nx-version: 2\r\nUser-Agent: pyproxy-health-check\r\n"
            b"Connection: close\r\n\r\n",
            id="configured instead of the default",
        ),
    ],
)  # fmt: skip
def test_it_is_asked_as_the_route_would_ask(rules, request_):
    assert asked(**rules) == request_
