import pytest
from pydantic import TypeAdapter

from pyproxy.config.origin import Origin, Origins


@pytest.mark.parametrize(
    ("text", "origin", "authority", "written"),
    [
        pytest.param(
            "http://127.0.0.1:4141",
            Origin("http", "127.0.0.1", 4141),
            "127.0.0.1:4141",
            "http://127.0.0.1:4141",
            id="address and port",
        ),
        pytest.param(
            "HTTPS://API.Example.com/v1/",
            Origin("https", "api.example.com", 443, "/v1"),
            "api.example.com",
            "https://api.example.com/v1",
            id="case, and a slash at the end",
        ),
        pytest.param(
            "https://[2001:DB8::1]:8443",
            Origin("https", "2001:db8::1", 8443),
            "[2001:db8::1]:8443",
            "https://[2001:db8::1]:8443",
            id="IPv6",
        ),
        pytest.param(
            "http://copilot_api/",
            Origin("http", "copilot_api", 80),
            "copilot_api",
            "http://copilot_api",
            id="compose service",
        ),
    ],
)
def test_a_url_is_taken_apart(text, origin, authority, written):
    parsed = Origin.parse(text)

    assert parsed == origin
    assert parsed.authority == authority
    assert str(parsed) == written
    assert parsed.is_tls == text.lower().startswith("https")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("api.example.com", id="no scheme"),
        pytest.param("ftp://a", id="another scheme"),
        pytest.param("http://user:hunter2@a", id="credential in the URL"),
        pytest.param("http://a?key=hunter2", id="query"),
        pytest.param("http://a/#x", id="fragment"),
        pytest.param("http://a b", id="space"),
        pytest.param("http://a\r\nX: y", id="header injection"),
        pytest.param("http://a..b", id="empty label"),
        pytest.param("http://a:0", id="port zero"),
        pytest.param("http://a:65536", id="port too large"),
        pytest.param("http://[::g]", id="no IPv6"),
        pytest.param("http://[::1::]", id="bad IPv6"),
        pytest.param("http://a/../b", id="parent segment"),
        pytest.param("http://a/%2E%2e/b", id="escaped parent segment"),
        pytest.param("http://a/b%2f%2fc", id="escaped empty segment"),
        pytest.param("http://a/b%2f..", id="parent segment behind an escaped slash"),
        pytest.param("http://a/b//c", id="two slashes"),
        pytest.param(80, id="number"),
    ],
)
def test_what_is_no_origin_is_refused_without_repeating_it(value):
    with pytest.raises(ValueError, match=r"^(must be|has) ") as refusal:
        Origin.parse(value)

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        pytest.param("", 0, id="left out"),
        pytest.param("http://a", 1, id="one"),
        pytest.param(["http://a", "http://b"], 2, id="several"),
        pytest.param((Origin("http", "a", 80),), 1, id="read before"),
        pytest.param([], 0, id="empty list"),
    ],
)
def test_an_upstream_is_one_url_or_a_list(value, count):
    adapter = TypeAdapter(Origins)

    origins = adapter.validate_python(value)

    assert len(origins) == count
    assert adapter.validate_json(adapter.dump_json(origins)) == origins
