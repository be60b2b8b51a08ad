import base64

import pytest
from pydantic import TypeAdapter, ValidationError

from pyproxy.config import fields
from pyproxy.config.surroundings import Surroundings

PIN = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("kind", "text", "result"),
    [
        (fields.HeaderName, "X-Proxy-Token", "X-Proxy-Token"),
        (fields.OptionalHeaderName, "", ""),
        (fields.OptionalHeaderName, "X-A", "X-A"),
        (fields.HeaderValue, "", ""),
        (fields.HeaderValue, "max-age=1; a b", "max-age=1; a b"),
        (fields.Method, "PATCH", "PATCH"),
        (fields.HostName, "API.Example.com", "api.example.com"),
        (fields.HostName, "*.example.com", "*.example.com"),
        (fields.HostName, "[::1]", "[::1]"),
        (fields.UrlPath, "/", "/"),
        (fields.UrlPath, "/v1/%41x:y", "/v1/%41x:y"),
        (fields.OptionalUrlPath, "", ""),
        (fields.OptionalUrlPath, "/x", "/x"),
        (fields.HttpsUrl, "", ""),
        (fields.HttpsUrl, "https://id.example/keys?x=1", "https://id.example/keys?x=1"),
        (fields.CorsOrigin, "*", "*"),
        (fields.CorsOrigin, "http://localhost:3000", "http://localhost:3000"),
        (fields.Pin, PIN, PIN),
        (fields.Pin, f"sha256//{PIN}", PIN),
        (fields.FilePath, "", ""),
        (fields.FilePath, "a/b", "a/b"),
        (fields.Line, "", ""),
        (fields.Name, "ä b", "ä b"),
        (fields.Count, 0, 0),
        (fields.Count, "7", 7),
        (fields.PositiveCount, 1, 1),
    ],
)
def test_a_good_value_is_taken(kind, text, result):
    assert TypeAdapter(kind).validate_python(text) == result


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param(fields.Name, "a\x9b31m", id="control sequence beyond ASCII"),
        pytest.param(fields.Line, "a\u202eb", id="letters turned around"),
        pytest.param(fields.Name, "a\u2028b", id="line separator"),
        pytest.param(fields.HeaderName, "", id="no name"),
        pytest.param(fields.HeaderName, "a b", id="space in a name"),
        pytest.param(fields.HeaderName, "a:b", id="colon in a name"),
        pytest.param(fields.HeaderName, "ä", id="name beyond ASCII"),
        pytest.param(fields.HeaderName, "a\n", id="name with a newline"),
        pytest.param(fields.HeaderValue, "a\r\nX-Evil: 1", id="header injection"),
        pytest.param(fields.HeaderValue, "a\0", id="NUL in a value"),
        pytest.param(fields.HeaderValue, " a", id="space before a value"),
        pytest.param(fields.HeaderValue, "a\t", id="tab after a value"),
        pytest.param(fields.HeaderValue, "ä", id="value beyond ASCII"),
        pytest.param(fields.Method, "GET /", id="space in a method"),
        pytest.param(fields.HostName, "", id="no host"),
        pytest.param(fields.HostName, "a..b", id="empty label"),
        pytest.param(fields.HostName, "a.*.b", id="star inside"),
        pytest.param(fields.HostName, "a:80", id="host with a port"),
        pytest.param(fields.HostName, "a/b", id="host with a path"),
        pytest.param(fields.UrlPath, "", id="no path"),
        pytest.param(fields.UrlPath, "v1", id="path without a slash"),
        pytest.param(fields.UrlPath, "//v1", id="two slashes"),
        pytest.param(fields.UrlPath, "/a/../b", id="parent segment"),
        pytest.param(fields.UrlPath, "/a/.", id="dot segment"),
        pytest.param(fields.UrlPath, "/a?b", id="query"),
        pytest.param(fields.UrlPath, "/a%2", id="bad escape"),
        pytest.param(fields.UrlPath, "/a\\b", id="backslash"),
        pytest.param(fields.HttpsUrl, "http://id.example/keys", id="keys over plain HTTP"),
        pytest.param(fields.HttpsUrl, "https://user:pw@id.example/", id="user in a URL"),
        pytest.param(fields.HttpsUrl, "https://id.example/\n", id="newline in a URL"),
        pytest.param(fields.CorsOrigin, "https://a/", id="origin with a path"),
        pytest.param(fields.CorsOrigin, "null", id="the null origin"),
        pytest.param(fields.Pin, "***", id="no base64"),
        pytest.param(fields.Pin, "AAAA", id="short digest"),
        pytest.param(fields.FilePath, "a\0b", id="NUL in a path"),
        pytest.param(fields.Line, "a\nb", id="newline in a line"),
        pytest.param(fields.Name, "", id="empty name"),
        pytest.param(fields.Name, "a\x1b", id="escape in a name"),
        pytest.param(fields.Name, "a" * 257, id="long name"),
        pytest.param(fields.Count, -1, id="negative"),
        pytest.param(fields.Count, True, id="true for a number"),
        pytest.param(fields.Count, 1.5, id="fraction"),
        pytest.param(fields.PositiveCount, 0, id="none at all"),
        pytest.param(fields.Some[int], [], id="empty list"),
    ],
)
def test_a_bad_value_is_refused(kind, value):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_paths_are_made_absolute_where_the_configuration_is():
    around = Surroundings({}, lambda path: f"/etc/{path}", str)

    assert TypeAdapter(fields.FilePath).validate_python("a", context=around) == "/etc/a"


def test_a_list_with_entries_is_kept():
    assert TypeAdapter(fields.Some[int]).validate_python([1, 2]) == (1, 2)
