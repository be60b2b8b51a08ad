from ipaddress import ip_address

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.forwarded import CLAIMS, client_address

TRUSTED = frozenset({"10.0.0.1", "10.0.0.2", "::1"})


@pytest.mark.parametrize(
    ("peer", "chains", "address"),
    [
        pytest.param("192.0.2.9", [b"198.51.100.1"], "192.0.2.9", id="peer that is not trusted"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="no field"),
        pytest.param("10.0.0.1", [b"198.51.100.1"], "198.51.100.1", id="one hop"),
        pytest.param(
            "10.0.0.1", [b"198.51.100.1, 10.0.0.2"], "198.51.100.1", id="two trusted hops"
        ),
        pytest.param(
            "10.0.0.1", [b"1.1.1.1, 198.51.100.1"], "198.51.100.1", id="forged entry in front"
        ),
        pytest.param(
            "10.0.0.1", [b"1.1.1.1", b"198.51.100.1"], "198.51.100.1", id="forged line in front"
        ),
        pytest.param(
            "10.0.0.1", [b"198.51.100.1", b"10.0.0.2"], "198.51.100.1", id="two lines are one list"
        ),
        pytest.param("10.0.0.1", [b"10.0.0.2"], "10.0.0.2", id="nobody but proxies"),
        pytest.param("10.0.0.1", [b"198.51.100.1:4711"], "198.51.100.1", id="port"),
        pytest.param("10.0.0.1", [b"[2001:db8::5]:4711"], "2001:db8::5", id="IPv6 and port"),
        pytest.param("10.0.0.1", [b"[2001:db8::5]"], "2001:db8::5", id="IPv6 in brackets"),
        pytest.param("10.0.0.1", [b"2001:DB8:0::5"], "2001:db8::5", id="canonical form"),
        pytest.param("::1", [b"2001:db8::5"], "2001:db8::5", id="IPv6 peer"),
        pytest.param("10.0.0.1", [b"::ffff:198.51.100.1"], "198.51.100.1", id="mapped IPv4"),
        pytest.param(
            "10.0.0.1", [b"198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1", id="mapped proxy"
        ),
        pytest.param("10.0.0.1", [b"unknown"], "10.0.0.1", id="unknown"),
        pytest.param("10.0.0.1", [b"_hidden"], "10.0.0.1", id="obfuscated"),
        pytest.param("10.0.0.1", [b""], "10.0.0.1", id="empty field"),
        pytest.param("10.0.0.1", [b"198.51.100.1,"], "10.0.0.1", id="empty last entry"),
        pytest.param(
            "10.0.0.1", [b"198.51.100.1, rubbish, 10.0.0.2"], "10.0.0.2", id="rubbish in between"
        ),
        pytest.param("10.0.0.1", [b"fe80::1%x"], "10.0.0.1", id="zone: any text would do"),
        pytest.param("10.0.0.1", [b"[::2"], "10.0.0.1", id="open bracket"),
        pytest.param("10.0.0.1", [b"[]"], "10.0.0.1", id="empty brackets"),
        pytest.param("10.0.0.1", [b"[::2]x"], "10.0.0.1", id="text behind a bracket"),
        pytest.param("10.0.0.1", [b"[198.51.100.1]"], "198.51.100.1", id="IPv4 in brackets"),
        pytest.param("10.0.0.1", [b"198.51.100.1:x"], "10.0.0.1", id="port with a letter"),
        pytest.param("10.0.0.1", [b"010.0.0.3"], "10.0.0.1", id="octal"),
        pytest.param("10.0.0.1", [b"3405803777"], "10.0.0.1", id="one number"),
        pytest.param("10.0.0.1", [b"\xff\xfe"], "10.0.0.1", id="no ASCII"),
        pytest.param("", [b"198.51.100.1"], "", id="unix socket"),
    ],
)
def test_an_address_is_believed_as_far_as_trusted_peers_vouch_for_it(peer, chains, address):
    assert client_address(peer, chains, TRUSTED.__contains__) == address


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=3))
def test_whatever_the_chain_an_address_comes_out(chains):
    address = client_address("10.0.0.1", chains, lambda _: True)

    assert str(ip_address(address)) == address
    assert "%" not in address


def test_claims_are_lower_case_as_they_are_compared():
    assert all(name == name.lower() for name in CLAIMS)
    assert {b"x-forwarded-for", b"forwarded", b"x-real-ip", b"x-original-url", b"proxy"} <= CLAIMS
