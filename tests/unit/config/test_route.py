from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from pyproxy.config.origin import Origin
from pyproxy.config.route import CredentialSettings, RouteSettings


def test_a_route_needs_a_name_alone():
    route = RouteSettings(name="r")

    assert route.path == "/"
    assert route.auth == ("key", "jwt")
    assert route.upstream == ()
    assert route.max_body is None
    assert route.heartbeat is None
    assert route.read_timeout == 620.0
    assert route.rate_limits == ("api",)


def test_a_route_is_made_of_parsed_values():
    route = RouteSettings.model_validate(
        {
            "name": "r",
            "upstream": ["http://a:1", "https://b/v1"],
            "allow_from": ["10.0.0.0/8"],
            "max_body": "1MB",
            "heartbeat": "15s",
            "request_headers": {"X-A": "1", "X-B": ""},
            "credential": {"header": "Authorization", "value": "Bearer x"},
        }
    )

    assert route.upstream == (Origin("http", "a", 1), Origin("https", "b", 443, "/v1"))
    assert route.allow_from == (ip_network("10.0.0.0/8"),)
    assert (route.max_body, route.heartbeat) == (1_000_000, 15.0)
    assert route.request_headers == {"X-A": "1", "X-B": ""}
    assert route.credential.is_configured
    assert not CredentialSettings().is_configured


@pytest.mark.parametrize(
    "given",
    [
        {"auth": ["password"]},
        {"provider": "chatgpt"},
        {"retries": 11},
        {"retries": -1},
        {"connect_timeout": "0s"},
        {"balance": "random"},
        {"errors": "xml"},
        {"request_headers": {"a b": "x"}},
        {"response_headers": {"a": "x\r\nb: y"}},
        {"tls": {"verify": False}},
    ],
    ids=str,
)
def test_what_a_route_cannot_be_is_refused(given):
    with pytest.raises(ValidationError):
        RouteSettings.model_validate({"name": "r", **given})
