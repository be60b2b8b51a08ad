import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.percent import percent_decoded
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import Target, read_host, read_target


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(b"/", Target(b"/", None, b"/", b""), id="root"),
        pytest.param(b"/v1/chat", Target(b"/v1/chat", None, b"/v1/chat", b""), id="plain"),
        pytest.param(b"/v1/", Target(b"/v1/", None, b"/v1/", b""), id="slash at the end"),
        pytest.param(b"/a?b=c", Target(b"/a", b"b=c", b"/a", b""), id="query"),
        pytest.param(b"/a?", Target(b"/a", b"", b"/a", b""), id="empty query"),
        pytest.param(b"/a?b?c", Target(b"/a", b"b?c", b"/a", b""), id="question mark in a query"),
        pytest.param(b"/a?../b//\\", Target(b"/a", b"../b//\\", b"/a", b""), id="dots in a query"),
        pytest.param(b"/a%20b", Target(b"/a%20b", None, b"/a b", b""), id="escape"),
        pytest.param(b"/a%2fb", Target(b"/a%2fb", None, b"/a/b", b""), id="encoded slash"),
        pytest.param(b"/a%2f", Target(b"/a%2f", None, b"/a/", b""), id="encoded slash at the end"),
        pytest.param(b"/%252e", Target(b"/%252e", None, b"/%2e", b""), id="decoded once only"),
        pytest.param(b"/%ff", Target(b"/%ff", None, b"/\xff", b""), id="no UTF-8"),
        pytest.param(b"/%c3%a9", Target(b"/%c3%a9", None, b"/\xc3\xa9", b""), id="UTF-8"),
        pytest.param(b"/a;b=c", Target(b"/a;b=c", None, b"/a;b=c", b""), id="parameters"),
        pytest.param(
            b"/.well-known/x",
            Target(b"/.well-known/x", None, b"/.well-known/x", b""),
            id="hidden name",
        ),
        pytest.param(b"/...", Target(b"/...", None, b"/...", b""), id="three dots"),
        pytest.param(b"/a..b", Target(b"/a..b", None, b"/a..b", b""), id="dots inside"),
        pytest.param(
            b"/models/a:generate",
            Target(b"/models/a:generate", None, b"/models/a:generate", b""),
            id="colon",
        ),
        pytest.param(b"http://h/a?b", Target(b"/a", b"b", b"/a", b"h"), id="absolute-form"),
        pytest.param(b"HTTPS://h:1/a", Target(b"/a", None, b"/a", b"h:1"), id="scheme in any case"),
        pytest.param(b"http://h", Target(b"/", None, b"/", b"h"), id="absolute-form without path"),
        pytest.param(
            b"http://h?b", Target(b"/", b"b", b"/", b"h"), id="absolute-form, query alone"
        ),
        pytest.param(b"http://[::1]:8/", Target(b"/", None, b"/", b"[::1]:8"), id="IPv6 authority"),
    ],
)
def test_a_target_comes_apart_undecoded(target, expected):
    # RFC 9112 section 3.2
    assert read_target(target, b"GET") == expected


AMBIGUOUS = [
    pytest.param(b"/..", id="dot segments"),
    pytest.param(b"/a/../b", id="dot segments inside"),
    pytest.param(b"/./a", id="single dot"),
    pytest.param(b"/a/.", id="single dot at the end"),
    pytest.param(b"/%2e%2e/a", id="encoded dots"),
    pytest.param(b"/.%2E/a", id="one encoded dot"),
    pytest.param(b"/a%2f..%2fb", id="encoded slashes around dots"),
    pytest.param(b"/..;x/a", id="dots with parameters"),
    pytest.param(b"/.;/a", id="dot with empty parameters"),
    pytest.param(b"/%2e%2e%3b/a", id="everything encoded"),
    pytest.param(b"//", id="two slashes"),
    pytest.param(b"//evil.example/a", id="network-path reference"),
    pytest.param(b"/a//b", id="empty segment"),
    pytest.param(b"/a//", id="empty segment at the end"),
    pytest.param(b"/%2f", id="encoded empty segment"),
    pytest.param(b"/a/%2fb", id="encoded slash after a slash"),
    pytest.param(b"/;/admin", id="empty segment with parameters"),
    pytest.param(b"/;a=b/admin", id="empty segment with a parameter"),
    pytest.param(b"/a\\b", id="backslash"),
    pytest.param(b"/..\\a", id="backslash after dots"),
    pytest.param(b"/a%5cb", id="encoded backslash"),
    pytest.param(b"/a%00", id="NUL"),
    pytest.param(b"/a%0d%0aX:1", id="encoded CRLF"),
    pytest.param(b"/a%7f", id="DEL"),
    pytest.param(b"/%c0%ae%c0%ae/a", id="overlong dots"),
    pytest.param(b"/%c1%9c", id="overlong backslash"),
    pytest.param(b"/a%e0%80%afb", id="overlong slash, three octets"),
    pytest.param(b"/a%f0%80%80%afb", id="overlong slash, four octets"),
    pytest.param(b"/a%f8%80%80%80%afb", id="overlong slash, five octets"),
    pytest.param(b"/a%fc%80%80%80%80%afb", id="overlong slash, six octets"),
    pytest.param(b"/%", id="broken escape"),
    pytest.param(b"/%2", id="broken escape, one digit"),
    pytest.param(b"/%u002e", id="IIS escape"),
    pytest.param(b"/a#b", id="fragment"),
    pytest.param(b"/a?b#c", id="fragment behind a query"),
    pytest.param(b"http://h/a#b", id="fragment in absolute-form"),
    pytest.param(b"http://h/../a", id="dot segments in absolute-form"),
    pytest.param(b"http:///a", id="no authority"),
    pytest.param(b"http://user@h/a", id="userinfo"),
    pytest.param(b"http://a,b/", id="two authorities"),
    pytest.param(b"http://h:123456/", id="port of six digits"),
    pytest.param(b"http://h\\@evil/", id="backslash in the authority"),
    pytest.param(b"ftp://h/a", id="another scheme"),
    pytest.param(b"h:443", id="authority-form"),
    pytest.param(b"a/b", id="no slash in front"),
    pytest.param(b"*", id="asterisk for GET"),
    pytest.param(b"?a", id="query alone"),
    pytest.param(b"", id="nothing"),
]


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_a_target_with_two_readings_is_refused(target):
    with pytest.raises(Malformed):
        read_target(target, b"GET")


def test_options_may_ask_for_the_server_itself():
    # RFC 9112 section 3.2.4
    assert read_target(b"*", b"OPTIONS") == Target(b"*", None, b"*", b"")

    with pytest.raises(Malformed):
        read_target(b"**", b"OPTIONS")


# Pieces of which the paths of attacks are made.
PIECES = st.sampled_from(
    [b"/", b"/", b".", b"..", b"%2e", b"%2E", b"%2f", b"%5c", b"\\", b";", b"%3b", b"a", b"v1",
     b"%00", b"%", b"%25", b"?", b"#", b"%c0%ae", b"*", b"http://h"]
)  # fmt: skip
TARGETS = st.one_of(
    st.lists(PIECES, max_size=10).map(b"".join),
    st.lists(PIECES, max_size=10).map(lambda pieces: b"/" + b"".join(pieces)),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)).map(str.encode),
)


@settings(max_examples=200, deadline=None)
@given(TARGETS)
def test_an_accepted_path_has_no_dot_segment_and_no_empty_one(target):
    try:
        found = read_target(target, b"GET")
    except Malformed:
        return
    *inner, last = [segment.partition(b";")[0] for segment in found.decoded.split(b"/")[1:]]

    assert found.decoded == percent_decoded(found.path)
    assert b"" not in inner
    assert not {b".", b".."} & {*inner, last}
    assert b"\\" not in found.decoded
    assert b"\x00" not in found.decoded


@settings(max_examples=200, deadline=None)
@given(TARGETS)
def test_an_accepted_target_is_put_together_again(target):
    try:
        found = read_target(target, b"GET")
    except Malformed:
        return
    text = found.path if found.query is None else found.path + b"?" + found.query

    assert target.endswith(text) or (found.path == b"/" and found.authority)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param(b"example.com", b"example.com", id="name"),
        pytest.param(b"EXAMPLE.com:8443", b"example.com", id="case and port"),
        pytest.param(b"example.com:", b"example.com", id="empty port"),
        pytest.param(b"127.0.0.1:80", b"127.0.0.1", id="IPv4"),
        pytest.param(b"[::1]", b"[::1]", id="IPv6"),
        pytest.param(b"[2001:DB8::1]:443", b"[2001:db8::1]", id="IPv6 with port"),
        pytest.param(b"my_host", b"my_host", id="underscore"),
        pytest.param(b"example.com.", b"example.com.", id="dot at the end"),
    ],
)
def test_a_host_loses_case_and_port(value, name):
    assert read_host(value) == name


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a b", id="space"),
        pytest.param(b"a/b", id="path"),
        pytest.param(b"a,b", id="list"),
        pytest.param(b"user@a", id="userinfo"),
        pytest.param(b"a:80:80", id="two ports"),
        pytest.param(b"a:8x", id="port with a letter"),
        pytest.param(b"a:123456", id="port of six digits"),
        pytest.param(b":80", id="port alone"),
        pytest.param(b"::1", id="IPv6 without brackets"),
        pytest.param(b"[::1", id="open bracket"),
        pytest.param(b"[::1]x", id="text behind the bracket"),
        pytest.param(b"[fe80::1%25eth0]", id="zone"),
        pytest.param(b"[]", id="empty brackets"),
        pytest.param(b"a\x00", id="NUL"),
        pytest.param(b"a\n", id="line feed behind"),
        pytest.param("é".encode(), id="no ASCII"),
        pytest.param(b"a%2eb", id="escape"),
        pytest.param(b"a?b", id="query"),
        pytest.param(b"a#b", id="fragment"),
    ],
)
def test_what_is_no_host_is_refused(value):
    # RFC 9110 section 7.2, RFC 3986 section 3.2.2
    with pytest.raises(Malformed):
        read_host(value)


@settings(deadline=None)
@given(st.binary(max_size=30))
def test_whatever_the_bytes_a_host_is_read_or_malformed(value):
    try:
        name = read_host(value)
    except Malformed:
        return

    assert name
    assert name == name.lower()
    assert read_host(name) == name
