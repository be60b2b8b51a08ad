import pytest

from pyproxy.egress.hosts import HostPattern, are_allowed


@pytest.mark.parametrize(
    ("pattern", "host", "is_meant"),
    [
        pytest.param("api.openai.com", "api.openai.com", True, id="itself"),
        pytest.param("API.OpenAI.com", "api.openai.COM.", True, id="case and final dot"),
        pytest.param("api.openai.com", "x.api.openai.com", False, id="below it"),
        pytest.param("api.openai.com", "evilapi.openai.com", False, id="ends the same"),
        pytest.param("api.openai.com", "api.openai.com.evil.example", False, id="begins the same"),
        pytest.param("*.example.com", "api.example.com", True, id="wildcard"),
        pytest.param("*.example.com", "a.b.example.com", True, id="wildcard, far below"),
        pytest.param("*.example.com", "example.com", False, id="wildcard, not itself"),
        pytest.param("*.example.com", "badexample.com", False, id="wildcard needs its dot"),
        pytest.param("localhost", "localhost", True, id="one label"),
        pytest.param("192.0.2.7", "192.0.2.7", True, id="address"),
        pytest.param("192.0.2.7", "::ffff:192.0.2.7", True, id="mapped address"),
        pytest.param("192.0.2.7", "192.0.2.70", False, id="another address"),
        pytest.param("[2001:DB8:0::7]", "2001:db8::7", True, id="IPv6 written differently"),
        pytest.param("2001:db8::7", "2001:db8::7", True, id="IPv6 without brackets"),
        pytest.param("*.0.2.7", "192.0.2.7", False, id="nothing is below an address"),
    ],
)
def test_pattern(pattern, host, is_meant):
    assert HostPattern.parse(pattern).matches(host) is is_meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.",
        "a.*.com",
        "**.example.com",
        "https://api.example.com",
        "api.example.com:443",
        "api.example.com/v1",
        "a..b",
        ".example.com",
        "exämple.com",
        "[::1",
        "-a.com",
        3,
        None,
    ],
    ids=str,
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ValueError, match="must be a host such as"):
        HostPattern.parse(text)


@pytest.mark.parametrize("text", ["a.example", "*.a.example", "192.0.2.7", "[2001:db8::7]"])
def test_it_is_written_as_it_is_read(text):
    pattern = HostPattern.parse(text)

    assert str(pattern) == text
    assert HostPattern.parse(pattern) is pattern


def test_where_none_is_named_all_are_allowed():
    patterns = (HostPattern.parse("a.example"), HostPattern.parse("*.b.example"))

    assert are_allowed((), "anything.example")
    assert are_allowed(patterns, "x.b.example")
    assert not are_allowed(patterns, "b.example")
