import pytest

from pyproxy.egress.private import is_ones_own, is_private


@pytest.mark.parametrize(
    "ip",
    [
        pytest.param("10.0.0.5", id="10/8"),
        pytest.param("172.16.0.1", id="172.16/12 begins"),
        pytest.param("172.31.255.255", id="172.16/12 ends"),
        pytest.param("192.168.1.1", id="192.168/16"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.255.254", id="all of loopback"),
        pytest.param("169.254.169.254", id="metadata service"),
        pytest.param("100.64.0.1", id="carrier-grade NAT begins"),
        pytest.param("100.100.100.200", id="metadata service behind CGNAT"),
        pytest.param("100.127.255.255", id="carrier-grade NAT ends"),
        pytest.param("0.0.0.0", id="unspecified"),
        pytest.param("0.1.2.3", id="this network"),
        pytest.param("192.0.0.1", id="IETF"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("192.88.99.1", id="6to4 relay"),
        pytest.param("198.18.0.1", id="benchmarks"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::1", id="loopback 6"),
        pytest.param("::", id="unspecified 6"),
        pytest.param("fc00::1", id="ULA"),
        pytest.param("fd00:ec2::254", id="metadata service 6"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("fe80::1%2", id="link-local with its link"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="multicast 6"),
        pytest.param("100::1", id="discard"),
        pytest.param("::ffff:10.0.0.5", id="mapped"),
        pytest.param("::ffff:7f00:1", id="mapped, in hexadecimal"),
        pytest.param("::10.0.0.5", id="compatible"),
        pytest.param("::8.8.8.8", id="compatible leads nowhere"),
        pytest.param("64:ff9b::10.0.0.5", id="NAT64"),
        pytest.param("64:ff9b::a9fe:a9fe", id="NAT64 to the metadata service"),
        pytest.param("64:ff9b:1::808:808", id="NAT64 of one's own"),
        pytest.param("2002:a00:5::1", id="6to4"),
        pytest.param("2002:808:808::1", id="6to4 to a public one"),
        pytest.param("2001:0:808:808:0:0:f5ff:fffa", id="Teredo"),
        pytest.param("2001:db8::1", id="documentation 6"),
        pytest.param("2001:20::1", id="ORCHID"),
        pytest.param("3fff::1", id="documentation 6, the larger"),
        pytest.param("4000::1", id="never given out"),
        pytest.param("", id="nothing"),
        pytest.param("api.example.com", id="a name"),
    ],
)
def test_private(ip):
    assert is_private(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700::1111",
    ],
)
def test_public(ip):
    assert not is_private(ip)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "api.localhost", "copilot-api", "upstream.", "10.0.0.5", "::1"],
)
def test_nobody_else_can_turn(host):
    assert is_ones_own(host)


@pytest.mark.parametrize("host", ["api.openai.com", "localhost.example.com", "notlocalhost.com"])
def test_somebody_else_can_turn(host):
    assert not is_ones_own(host)
