"""A credential is found wherever else it stands in a head."""

import base64

import pytest
from hypothesis import given, strategies as st

from pyproxy.identity.credential import Credential
from pyproxy.identity.echo import (
    MisplacedCredential,
    basic_credentials,
    echoes,
    everywhere,
    is_sub_protocol,
    secret_places,
)
from pyproxy.identity.shared_secret import SharedSecret
from pyproxy.wire.head import read_request_head
from pyproxy.wire.target import read_target

KEY = "pyp_ours-0123456789abcdef"
SHORT = "hunter2"
SECRET = SharedSecret("X-Gate", "shared-0123456789abcdef")
IN_BASIC = base64.b64encode(f"u:{KEY}".encode()).decode()


def asked(target, *lines):
    head = read_request_head("\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode())
    return head, read_target(head.target, head.method)


def shown(token=KEY, *places):
    return Credential(token, frozenset(places or {"authorization"}), is_jwt=False)


BEARER = f"Authorization: Bearer {KEY}"


@pytest.mark.parametrize(
    ("target", "lines", "others"),
    [
        pytest.param("/", [], set(), id="nowhere else"),
        pytest.param("/?a=b%20c", ["X: d%20e"], set(), id="nowhere among escapes"),
        pytest.param("/", ["X: Basic dTpw"], set(), id="not in other Basic credentials"),
        pytest.param("/", [f"xi-api-key: {KEY}"], {"xi-api-key"}, id="another field"),
        pytest.param("/", [f"Cookie: a=b; x={KEY}"], {"cookie"}, id="cookie"),
        pytest.param("/", [f"X: {KEY}", f"x: y{KEY}z"], {"x"}, id="a part of a longer word"),
        pytest.param("/", [f"X: {KEY.replace('_', '%5F')}"], {"x"}, id="escaped in a field"),
        pytest.param("/", [f"X-Authorization: BASIC {IN_BASIC}"], {"x-authorization"}, id="Basic"),
        pytest.param(f"/?a=b&token={KEY}", [], {"?token"}, id="query"),
        pytest.param(f"/?Tok%65n=%70{KEY[1:]}", [], {"?token"}, id="escaped in the query"),
        pytest.param(f"/?a=b;token={KEY}", [], {"?a"}, id="behind a semicolon"),
        pytest.param("/?", [f"X: {KEY}"], {"x"}, id="empty query"),
    ],
)
def test_a_credential_is_found_wherever_it_stands(target, lines, others):
    found = everywhere(shown(), *asked(target, BEARER, *lines), ())

    assert found.token == KEY
    assert found.places == {"authorization"} | others


def test_a_credential_that_is_alone_is_given_back_as_it_is():
    credential = shown()

    assert everywhere(credential, *asked("/a?b=c", BEARER, "Accept: */*"), ()) is credential


def test_in_several_places_it_is_looked_for_in_all():
    credential = shown(KEY, "authorization", "?key")
    target = f"/?key=%70{KEY[1:]}"

    found = everywhere(credential, *asked(target, BEARER, f"X: {KEY}"), ())

    assert found.places == {"authorization", "?key", "x"}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(f"/openai/{KEY}/v1", id="path"),
        pytest.param(f"/openai/x%3Fkey=%70{KEY[1:]}", id="escaped in the path"),
        pytest.param(f"/?{KEY}", id="a parameter's name"),
        pytest.param(f"/?%FF={KEY}", id="a parameter with a name that is not ASCII"),
    ],
)
def test_what_cannot_be_taken_off_is_refused(target):
    with pytest.raises(MisplacedCredential):
        everywhere(shown(), *asked(target, BEARER), ())


def test_a_key_for_a_request_id_is_refused():
    with pytest.raises(MisplacedCredential):
        everywhere(shown(), *asked("/", BEARER, f"X-Request-Id: {KEY}"), ())


@pytest.mark.parametrize(
    ("target", "line", "found"),
    [
        pytest.param("/", f"X: {SHORT}", {"x"}, id="a field"),
        pytest.param("/", f"X: a, {SHORT}", {"x"}, id="a word of a field"),
        pytest.param("/", f"Cookie: a={SHORT}", {"cookie"}, id="a cookie"),
        pytest.param(f"/?a={SHORT}", "X: y", {"?a"}, id="a parameter"),
        pytest.param("/", f"X: Basic {base64.b64encode(b'u:hunter2').decode()}", {"x"}, id="Basic"),
        pytest.param(f"/{SHORT}?{SHORT}x=1", f"X: {SHORT}0", set(), id="a part of others"),
    ],
)
def test_a_short_credential_is_a_word_or_nothing(target, line, found):
    assert echoes(SHORT.encode(), *asked(target, line)) == found


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        pytest.param([], set(), id="none"),
        pytest.param(["X-Gate: another-0123456789abcdef"], set(), id="another's value"),
        pytest.param(["X-Copy: shared-0123456789abcdef"], set(), id="nothing in its own header"),
        pytest.param(["X-Gate: shared-0123456789abcdef"], {"x-gate"}, id="in its own header"),
        pytest.param(
            ["X-Gate: shared-0123456789abcdef", "X-Copy: shared-0123456789abcdef"],
            {"x-gate", "x-copy"}, id="twice",
        ),
    ],
)  # fmt: skip
def test_a_shared_secret_is_found_beside_a_credential(lines, places):
    head, target = asked("/", BEARER, *lines)

    assert secret_places(head, target, (SECRET,)) == places
    assert everywhere(shown(), head, target, (SECRET,)).places == places | {"authorization"}


@pytest.mark.parametrize(
    ("value", "credentials"),
    [
        pytest.param(b"Basic dTpw", b"u:p", id="plain"),
        pytest.param(b"bASIC \tdTpw", b"u:p", id="case and white space"),
        pytest.param(b"Basic dQ==", b"u", id="padded"),
        pytest.param(b"Basic dQ", b"u", id="padding left out"),
        pytest.param(b"Basic _-8", b"\xff\xef", id="URL-safe"),
        pytest.param(b"Basic dTpwd", b"", id="no Base64"),
        pytest.param(b"Bearer dTpw", b"", id="another scheme"),
        pytest.param(b"Basic", b"", id="nothing behind"),
    ],
)
def test_basic_credentials_are_read(value, credentials):
    # RFC 7617 section 2
    assert basic_credentials(value) == credentials


@given(
    before=st.text("ab =;,:%/?&", max_size=8),
    after=st.text("ab =;,:%/?&", max_size=8),
    escaped=st.lists(st.integers(0, len(KEY) - 1), max_size=4),
)
def test_a_key_in_a_field_is_found_in_any_surroundings(before, after, escaped):
    spelled = "".join(
        f"%{ord(letter):02X}" if at in escaped else letter for at, letter in enumerate(KEY)
    )
    head, target = asked("/", BEARER, f"X: {before}{spelled}{after}")

    assert everywhere(shown(), head, target, ()).places == {"authorization", "x"}


OFFER = f"openai-insecure-api-key.{KEY}"


@pytest.mark.parametrize(
    ("token", "lines", "expected"),
    [
        pytest.param(KEY, [f"chat, {OFFER}"], True, id="as credentials are"),
        pytest.param(KEY, [f"chat, {KEY}, {OFFER}"], False, id="by itself too"),
        pytest.param(KEY, [OFFER, f"a.{KEY}"], False, id="in another line too"),
        pytest.param(KEY, [f"{OFFER}, shared-0123456789abcdef"], False, id="a shared secret too"),
        pytest.param("", [OFFER], False, id="unknown what"),
        pytest.param("", [f"chat, {OFFER}"], False, id="unknown what, beside another"),
    ],
)
def test_a_credential_among_sub_protocols(token, lines, expected):
    fields = [f"Sec-WebSocket-Protocol: {line}" for line in lines]
    head, _ = asked("/", "X-Gate: shared-0123456789abcdef", *fields)

    assert is_sub_protocol(shown(token), head, (SECRET,)) is expected
