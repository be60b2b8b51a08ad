from ipaddress import ip_network

import pytest
from pydantic import TypeAdapter

from pyproxy.config.network import (
    NetworkSetting,
    TrustedNetwork,
    parse_network,
    parse_trusted_network,
)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"])
def test_a_network_or_an_address_is_taken(text):
    assert parse_network(text) == ip_network(text)
    assert parse_network(ip_network(text)) == ip_network(text)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param("10.0.0.1/8", 'write "10.0.0.0/8"', id="bits after the prefix"),
        pytest.param("10.0.0.0/33", "must be a network", id="prefix too long"),
        pytest.param("example.com", "must be a network", id="name"),
        pytest.param("010.0.0.1", "must be a network", id="octal"),
        pytest.param("", "must be a network", id="empty"),
        pytest.param(167772160, "must be a network", id="number"),
    ],
)
def test_what_is_no_network_is_told_what_is(value, problem):
    with pytest.raises(ValueError, match=problem):
        parse_network(value)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0"])
def test_nobody_trusts_everybody(text):
    with pytest.raises(ValueError, match="wildcard trust"):
        parse_trusted_network(text)
    assert parse_network(text).prefixlen == 0


def test_networks_are_written_as_text():
    for kind in (NetworkSetting, TrustedNetwork):
        adapter = TypeAdapter(kind)
        assert adapter.dump_json(adapter.validate_python("10.0.0.0/8")) == b'"10.0.0.0/8"'
