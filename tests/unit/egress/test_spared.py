import pytest

from pyproxy.egress.spared import Spared, are_spared, entries_in


@pytest.mark.parametrize(
    ("entry", "host", "is_meant"),
    [
        pytest.param("example.com", "example.com", True, id="itself"),
        pytest.param("example.com", "a.b.example.com", True, id="below"),
        pytest.param("example.com", "badexample.com", False, id="not a label of it"),
        pytest.param(".example.com", "example.com", True, id="dot, itself"),
        pytest.param(".example.com", "a.example.com", True, id="dot, below"),
        pytest.param("*.example.com", "a.example.com", True, id="star, below"),
        pytest.param("*.example.com", "example.com", False, id="star, not itself"),
        pytest.param(" Example.COM. ", "EXAMPLE.com", True, id="case, final dot, spaces"),
        pytest.param("*", "anything.example", True, id="all names"),
        pytest.param("*", "192.0.2.7", True, id="all addresses"),
        pytest.param("*:443", "anything.example", True, id="all on this port"),
        pytest.param("*:80", "anything.example", False, id="all on another port"),
        pytest.param("example.com:443", "example.com", True, id="this port"),
        pytest.param("example.com:8443", "example.com", False, id="another port"),
        pytest.param("192.0.2.7", "192.0.2.7", True, id="address"),
        pytest.param("192.0.2.7", "::ffff:192.0.2.7", True, id="mapped address"),
        pytest.param("192.0.2.7:443", "192.0.2.7", True, id="address with port"),
        pytest.param("192.0.2.7:80", "192.0.2.7", False, id="address with another port"),
        pytest.param("10.0.0.0/8", "10.1.2.3", True, id="network"),
        pytest.param("10.1.2.3/8", "10.9.9.9", True, id="network with bits behind its prefix"),
        pytest.param("10.0.0.0/8", "11.1.2.3", False, id="not in the network"),
        pytest.param("10.0.0.0/8:443", "10.1.2.3", True, id="network with port"),
        pytest.param("10.0.0.0/8", "10.example", False, id="a name is in no network"),
        pytest.param("10.0.0.0/8", "2001:db8::1", False, id="IPv6 is in no IPv4 network"),
        pytest.param("::1", "::1", True, id="IPv6"),
        pytest.param("[::1]", "::1", True, id="IPv6 in brackets"),
        pytest.param("[::1]:443", "::1", True, id="IPv6 with port"),
        pytest.param("[::1]:80", "::1", False, id="IPv6 with another port"),
        pytest.param("fd00::/8", "fd12::1", True, id="IPv6 network"),
        pytest.param("0.2.7", "192.0.2.7", False, id="an address has no domain"),
    ],
)
def test_entry(entry, host, is_meant):
    assert Spared.parse(entry).covers(host, 443) is is_meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "<local>",
        "10.*",
        "a b",
        "http://example.com",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:1:2",
        "[::1",
        "[::zz]:1",
        "10.0.0.0/33",
        "exämple.com",
        "**",
        None,
        3,
    ],
    ids=str,
)
def test_what_is_no_entry_is_refused(text):
    with pytest.raises(ValueError, match="must be "):
        Spared.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "*:443",
        "a.example",
        "*.a.example",
        "a.example:1",
        "192.0.2.7",
        "192.0.2.7:80",
        "10.0.0.0/8",
        "10.0.0.0/8:443",
        "::1",
        "[::1]:443",
        "fd00::/8",
    ],
)
def test_it_is_written_as_it_is_read(text):
    entry = Spared.parse(text)

    assert str(entry) == text
    assert Spared.parse(entry) is entry


def test_one_entry_is_enough():
    entries = (Spared.parse("a.example"), Spared.parse("10.0.0.0/8"))

    assert are_spared(entries, "10.0.0.1", 443)
    assert not are_spared(entries, "b.example", 443)
    assert not are_spared((), "a.example", 443)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", ()),
        (" ,, ", ()),
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        (" a , b,\tc d\n,", ("a", "b", "c", "d")),
    ],
)
def test_entries_of_a_variable(text, entries):
    assert entries_in(text) == entries
