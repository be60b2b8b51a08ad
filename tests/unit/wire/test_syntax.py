import re

import pytest

from pyproxy.wire.syntax import TOKEN, TOKEN_CHARS, VALUE, VALUE_CHARS, Malformed

OCTETS = [bytes([number]) for number in range(256)]
# RFC 9110 section 5.6.2, spelled out a second time.
TCHAR = b"!#$%&'*+-.^_`|~" + b"0123456789" + b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_a_token_is_made_of_tchar_and_of_nothing_else():
    found = [octet for octet in OCTETS if TOKEN.fullmatch(octet)]

    assert sorted(found) == sorted(bytes([number]) for number in TCHAR)


def test_a_value_holds_no_control_character_but_tab():
    refused = [octet[0] for octet in OCTETS if not VALUE.fullmatch(octet)]

    assert refused == [number for number in range(0x20) if number != 0x09] + [0x7F]


def test_a_token_has_a_character_and_a_value_need_not():
    assert TOKEN.fullmatch(b"") is None
    assert VALUE.fullmatch(b"") is not None


@pytest.mark.parametrize("chars", [TOKEN_CHARS, VALUE_CHARS])
def test_the_characters_fit_into_a_class_of_another_pattern(chars):
    assert re.compile(rb"[" + chars + rb"]").fullmatch(b"a")


def test_a_malformed_message_is_a_value_error():
    assert issubclass(Malformed, ValueError)
