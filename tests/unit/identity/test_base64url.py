import pytest
from hypothesis import given, strategies as st

from pyproxy.identity.base64url import (
    BadBase64,
    decode_base64url,
    encode_base64url,
    encode_unsigned,
)


@given(st.binary(max_size=64))
def test_what_was_encoded_is_decoded(octets):
    assert decode_base64url(encode_base64url(octets)) == octets


@given(st.text(alphabet="ABab01-_=+/ Qgw\n", max_size=12))
def test_no_octets_have_two_spellings(text):
    try:
        octets = decode_base64url(text)
    except BadBase64:
        return

    assert encode_base64url(octets) == text


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param("", b"", id="nothing"),
        pytest.param("_-8", b"\xff\xef", id="both special characters"),
        pytest.param("AQAB", b"\x01\x00\x01", id="whole group"),
    ],
)
def test_strict_text_is_decoded(text, octets):
    assert decode_base64url(text) == octets


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("AQ==", id="padding"),
        pytest.param("AQAB=", id="superfluous padding"),
        pytest.param("A", id="impossible length"),
        pytest.param("AR", id="trailing bits of two"),
        pytest.param("AQB", id="trailing bits of three"),
        pytest.param("AQA\n", id="line end"),
        pytest.param(" AQA", id="space"),
        pytest.param("AQ+/", id="the other alphabet"),
        pytest.param("AQ\u00e9A", id="beyond ASCII"),
        pytest.param("AQ\x00A", id="NUL"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(BadBase64):
        decode_base64url(text)


@pytest.mark.parametrize(
    ("number", "size", "text"),
    [
        pytest.param(0, 0, "AA", id="zero has an octet"),
        pytest.param(65537, 0, "AQAB", id="fewest octets"),
        pytest.param(1, 3, "AAAB", id="filled with zeros"),
    ],
)
def test_numbers_are_big_endian(number, size, text):
    assert encode_unsigned(number, size) == text
