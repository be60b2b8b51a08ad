"""Everything in a head that might be a key or token is named, with its place."""

import base64

import pytest

from pyproxy.identity.suspects import FIXED_PLACE, suspects
from pyproxy.wire.head import read_request_head
from pyproxy.wire.target import read_target

KEY = "pyp_ours-0123456789abcdef"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def found(target, *lines):
    head = read_request_head("\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode())
    return list(suspects(head, read_target(head.target, head.method)))


@pytest.mark.parametrize(
    ("line", "likely"),
    [
        pytest.param(f"Authorization: Bearer {KEY}", KEY, id="Bearer"),
        pytest.param(f"Authorization: Token {KEY} x", KEY, id="another scheme, and more"),
        pytest.param("Authorization: short", "short", id="alone, however short"),
        pytest.param(f"Authorization: {basic('u:' + KEY)}", KEY, id="password"),
        pytest.param(f"Authorization: {basic(KEY + ':')}", KEY, id="user"),
        pytest.param(f"X-Auth-Token: {KEY}", KEY, id="a key's field"),
        pytest.param(
            f"Sec-WebSocket-Protocol: a, openai-insecure-api-key.{KEY}, b", KEY, id="sub-protocol"
        ),
        pytest.param("Sec-WebSocket-Protocol: a, b", None, id="other sub-protocols"),
        pytest.param("x-api-key:", None, id="empty"),
        pytest.param("x-api-key: caf\xe9", None, id="no ASCII"),
        pytest.param(f"X-Other: {KEY}", None, id="a field that is not for keys"),
    ],
)
def test_one_word_of_a_field_for_keys_is_likely(line, likely):
    tokens = [suspect.token.decode() for suspect in found("/", line) if suspect.is_likely]

    assert tokens == ([likely] if likely else [])


@pytest.mark.parametrize(
    ("target", "line", "place"),
    [
        pytest.param("/", f"X-Other: a, {KEY}", "x-other", id="a word of any field"),
        pytest.param("/", f"Cookie: a=b; c={KEY}", "cookie", id="cookie"),
        pytest.param("/", f'X: {{"k":"{KEY}"}}', "x", id="JSON"),
        pytest.param("/", f"X: x/{KEY}/y", "x", id="among slashes"),
        pytest.param("/", f"X: {basic('a:' + KEY)}", "x", id="Basic"),
        pytest.param("/", f"X: a%20%70{KEY[1:]}", "x", id="escaped"),
        pytest.param(f"/?a={KEY}", "X: y", "?a", id="parameter"),
        pytest.param(f"/?%41={KEY}", "X: y", "?a", id="parameter with an escaped name"),
        pytest.param(f"/?%ff={KEY}", "X: y", FIXED_PLACE, id="parameter that cannot be named"),
        pytest.param(f"/?{KEY}", "X: y", FIXED_PLACE, id="a parameter's name"),
        pytest.param(f"/a/{KEY}/b", "X: y", FIXED_PLACE, id="path"),
        pytest.param(f"/a/key={KEY}", "X: y", FIXED_PLACE, id="a part of a segment"),
    ],
)
def test_what_is_as_long_as_a_key_is_suspected_anywhere(target, line, place):
    hits = [suspect for suspect in found(target, line) if suspect.token == KEY.encode()]

    assert {suspect.place for suspect in hits} == {place}
    assert not any(suspect.is_likely for suspect in hits)


def test_a_token_is_found_among_other_letters():
    tokens = {suspect.token for suspect in found("/", f"Cookie: a=({TOKEN})")}

    assert TOKEN.encode() in tokens


def test_parameters_for_keys_are_likely_however_short():
    assert [(s.token, s.place) for s in found("/?api_key=a") if s.is_likely] == [(b"a", "?api_key")]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        pytest.param("/a/b?c=d&&e", "X: y", id="short words"),
        pytest.param("/", f"Accept: {KEY}", id="a field of a fixed form"),
    ],
)
def test_nothing_else_is_suspected(target, line):
    assert found(target, line) == []


def test_a_suspect_does_not_print():
    assert KEY not in repr(found("/", f"x-api-key: {KEY}"))
