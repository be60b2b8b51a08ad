import re

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.wire.percent import percent_decoded, percent_encoded, query_encoded


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        pytest.param(b"plain", b"plain", id="nothing to do"),
        pytest.param(b"", b"", id="empty"),
        pytest.param(b"%41%7a", b"Az", id="either case of digits"),
        pytest.param(b"%2f%2F", b"//", id="encoded slash"),
        pytest.param(b"%00", b"\x00", id="NUL"),
        pytest.param(b"%ff", b"\xff", id="no UTF-8"),
        pytest.param(b"%252e", b"%2e", id="double encoding: once only"),
        pytest.param(b"%%34%31", b"%41", id="nested encoding: once only"),
        pytest.param(b"%", b"%", id="broken: alone"),
        pytest.param(b"%4", b"%4", id="broken: one digit"),
        pytest.param(b"%zz%41", b"%zzA", id="broken: no digits"),
        pytest.param(b"a+b", b"a+b", id="plus is a plus"),
    ],
)
def test_decoding_happens_once(text, decoded):
    assert percent_decoded(text) == decoded


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        pytest.param("alice@example.com", b"alice@example.com", id="address"),
        pytest.param("Alice B", b"Alice B", id="space inside"),
        pytest.param(" admin", b"%20admin", id="space in front, which recipients strip"),
        pytest.param("admin ", b"admin%20", id="space behind, which recipients strip"),
        pytest.param(" ", b"%20", id="space alone"),
        pytest.param("a\r\nX-Admin: 1", b"a%0D%0AX-Admin%3A 1", id="CRLF injection"),
        pytest.param("a\x00\x7f", b"a%00%7F", id="control characters"),
        pytest.param("Zoë", b"Zo%C3%AB", id="Latin"),
        pytest.param("王", b"%E7%8E%8B", id="Chinese"),
        pytest.param("😀", b"%F0%9F%98%80", id="beyond the basic plane"),
        pytest.param("50%41", b"50%2541", id="percent sign"),
        pytest.param("\ud800", b"%ED%A0%80", id="half a surrogate pair"),
        pytest.param("", b"", id="empty"),
    ],
)
def test_encoding_leaves_what_may_stand_in_a_field(text, encoded):
    # RFC 9110 section 5.5
    assert percent_encoded(text) == encoded


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        pytest.param("key-._~1", b"key-._~1", id="unreserved"),
        pytest.param("a b", b"a%20b", id="space: it would end the target"),
        pytest.param("a&b=c#d", b"a%26b%3Dc%23d", id="delimiters"),
        pytest.param("a+b/c%", b"a%2Bb%2Fc%25", id="base64"),
        pytest.param("Zoë\r\n", b"Zo%C3%AB%0D%0A", id="no ASCII and CRLF"),
    ],
)
def test_a_query_parameter_stays_one(text, encoded):
    # RFC 3986 section 3.4
    assert query_encoded(text) == encoded


@settings(deadline=None)
@given(st.text(st.characters()))
def test_what_is_encoded_can_be_read_back_and_survives_stripping(text):
    encoded = percent_encoded(text)

    assert percent_decoded(encoded.strip()).decode("utf-8", "surrogatepass") == text
    assert re.fullmatch(rb"[ -~]*", encoded)


@settings(deadline=None)
@given(st.binary())
def test_decoding_never_makes_text_longer(text):
    assert len(percent_decoded(text)) <= len(text)
