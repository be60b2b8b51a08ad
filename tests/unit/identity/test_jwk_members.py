import pytest

from pyproxy.identity.jwk_members import (
    BadKey,
    check_purpose,
    is_private,
    key_name,
    octets,
    sized_octets,
    text,
    unsigned,
    without_private,
)


@pytest.mark.parametrize("value", [None, "", 1, ["x"], {"a": 1}, True])
def test_text_is_a_non_empty_string(value):
    assert text({"kty": "RSA"}, "kty") == "RSA"
    with pytest.raises(BadKey, match="kty"):
        text({"kty": value}, "kty")


def test_octets_are_strict_base64url():
    assert octets({"x": "AQAB"}, "x") == b"\x01\x00\x01"
    with pytest.raises(BadKey, match="x: base64url with trailing bits"):
        octets({"x": "AR"}, "x")


@pytest.mark.parametrize("value", ["AQ", "AQABAA"])
def test_sized_octets_are_neither_shorter_nor_longer(value):
    assert sized_octets({"x": "AQAB"}, "x", 3) == b"\x01\x00\x01"
    with pytest.raises(BadKey, match="not 3"):
        sized_octets({"x": value}, "x", 3)


@pytest.mark.parametrize("value", ["AQAB", "AAEAAQ"])
def test_leading_zero_octets_do_not_change_a_number(value):
    assert unsigned({"e": value}, "e") == 65537


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_each_private_member_makes_a_key_private(name):
    assert is_private({"kty": "RSA", name: "AA"})
    assert name not in without_private({"kty": "RSA", name: "AA"})


def test_public_members_are_not_private():
    assert not is_private({"kty": "RSA", "n": "AA", "e": "AQAB", "x5c": []})


def test_the_public_half_of_a_signing_key_verifies():
    private = {"kty": "OKP", "d": "AA", "key_ops": ["sign"]}

    assert without_private(private) == {"kty": "OKP", "key_ops": ["verify"]}


@pytest.mark.parametrize("kid", ["", None, 5, ["a"], "a\nb", "x" * 257])
def test_a_name_is_a_printable_string(kid):
    with pytest.raises(BadKey, match="kid"):
        key_name({"kid": kid})


def test_a_key_need_not_have_a_name():
    assert key_name({}) == ""
    assert key_name({"kid": "k1"}) == "k1"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="says nothing"),
        pytest.param({"use": "sig"}, id="sig"),
        pytest.param({"key_ops": ["verify"]}, id="verify"),
        pytest.param({"key_ops": ["verify", "sign"], "use": "sig"}, id="both"),
        pytest.param({"key_ops": ["sign"], "d": "AA"}, id="private key that signs"),
    ],
)
def test_keys_for_signatures_are_taken(members):
    check_purpose(members)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"use": "enc"}, id="use=enc"),
        pytest.param({"use": "SIG"}, id="use in another case"),
        pytest.param({"use": None}, id="use null"),
        pytest.param({"use": ["sig"]}, id="use list"),
        pytest.param({"key_ops": ["sign"]}, id="key_ops=[sign] on a public key"),
        pytest.param({"key_ops": []}, id="key_ops empty"),
        pytest.param({"key_ops": [], "d": "AA"}, id="key_ops empty on a private key"),
        pytest.param({"key_ops": ["verify", "verify"]}, id="key_ops twice"),
        pytest.param({"key_ops": ["verify", "encrypt"]}, id="key_ops unrelated"),
        pytest.param({"key_ops": ["deriveKey"]}, id="key_ops derive"),
        pytest.param({"key_ops": ["verify", "bless"]}, id="key_ops unknown"),
        pytest.param({"key_ops": ["verify", 1]}, id="key_ops number"),
        pytest.param({"key_ops": [["verify"]]}, id="key_ops nested"),
        pytest.param({"key_ops": "verify"}, id="key_ops string"),
        pytest.param({"key_ops": None}, id="key_ops null"),
        pytest.param({"use": "enc", "key_ops": ["verify"]}, id="use and key_ops disagree"),
    ],
)
def test_keys_for_anything_else_are_refused(members):
    with pytest.raises(BadKey, match=r"use|key_ops"):
        check_purpose(members)
