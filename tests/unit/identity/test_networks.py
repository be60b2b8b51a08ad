from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, strategies as st

from pyproxy.identity.networks import MEMO_CAPACITY, Networks


def networks_of(*texts):
    return Networks(map(ip_network, texts))


@pytest.mark.parametrize(
    ("networks", "address", "is_in"),
    [
        pytest.param(["10.0.0.0/8"], "10.255.0.1", True, id="in a v4 network"),
        pytest.param(["10.0.0.0/8"], "11.0.0.1", False, id="beside it"),
        pytest.param(["10.0.0.0/8", "192.168.1.0/24"], "192.168.1.9", True, id="in the second"),
        pytest.param(["192.0.2.7/32"], "192.0.2.7", True, id="a single address"),
        pytest.param(["0.0.0.0/0"], "203.0.113.9", True, id="all of v4"),
        pytest.param(["0.0.0.0/0"], "2001:db8::1", False, id="v4 is not v6"),
        pytest.param(["::/0"], "203.0.113.9", False, id="v6 is not v4"),
        pytest.param(["2001:db8::/32"], "2001:db8:0:1::", True, id="in a v6 network"),
        pytest.param(["10.0.0.0/8"], "::ffff:10.0.0.1", True, id="v4 written in v6"),
        pytest.param(["10.0.0.0/8"], "::ffff:a00:1", True, id="v4 written in v6, hex"),
        pytest.param(["::ffff:10.0.0.0/104"], "10.0.0.1", True, id="network written in v6"),
        pytest.param(["::ffff:0:0/96"], "10.0.0.1", True, id="all of v4 written in v6"),
        pytest.param(["::fffe:0:0/95"], "10.0.0.1", False, id="wider than v4: a v6 network"),
        pytest.param(["fe80::/10"], "fe80::1%eth0", True, id="with a zone"),
        pytest.param(["10.0.0.0/8"], "", False, id="no address"),
        pytest.param(["10.0.0.0/8"], "010.0.0.1", False, id="octal"),
        pytest.param(["127.0.0.0/8"], "2130706433", False, id="decimal"),
        pytest.param(["10.0.0.0/8"], "10.0.0.1 ", False, id="trailing space"),
        pytest.param([], "10.0.0.1", False, id="no networks"),
    ],
)
def test_contains(networks, address, is_in):
    compiled = networks_of(*networks)

    assert compiled.contains(address) is is_in
    assert compiled.contains(address) is is_in  # from memory


def test_emptiness_shows():
    assert not networks_of()
    assert networks_of("10.0.0.0/8")


def test_memory_is_bounded():
    compiled = networks_of("10.0.0.0/8")
    for number in range(MEMO_CAPACITY + 10):
        compiled.contains(str(ip_address(number)))

    assert len(compiled._memo) == 10


@given(
    st.lists(st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), max_size=5),
    st.ip_addresses(v=4),
)
def test_agrees_with_the_standard_library(pairs, address):
    plain = [ip_network((int(head), bits), strict=False) for head, bits in pairs]

    assert Networks(plain).contains(str(address)) is any(address in network for network in plain)
