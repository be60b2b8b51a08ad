from ipaddress import ip_address

import pytest

from pyproxy.egress.literal import literal, plain_name


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:c000:207]", "192.0.2.7"),
        ("fe80::1%2", "fe80::1%2"),
    ],
)
def test_address_is_one_however_it_is_written(host, address):
    assert literal(host) == ip_address(address)


@pytest.mark.parametrize("host", ["", "example.com", "127.1", "0x7f.0.0.1", "1.2.3.4.5", "*", "[]"])
def test_everything_else_is_a_name(host):
    assert literal(host) is None


def test_names_are_compared_in_lower_case_without_their_final_dot():
    assert plain_name("API.Example.COM.") == "api.example.com"
