import json

import pytest

from pyproxy.identity.jwk import read_key, thumbprint
from pyproxy.identity.jwk_members import BadKey, is_private
from pyproxy.identity.jwk_private import read_private
from pyproxy.identity.jws_algorithms import ALGORITHMS, is_signature, sign
from pyproxy.identity.signing_keys import generate_key_set, generate_signing_key, rotate


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "EdDSA", "RS256", "PS512"])
def test_a_new_key_signs_with_its_algorithm_under_its_thumbprint(alg):
    members = generate_signing_key(alg)

    public = read_key(members, ALGORITHMS)
    signature = sign(alg, read_private(members, public), b"message")

    assert (public.alg, public.kid) == (alg, thumbprint(public.public))
    assert is_signature(alg, public.key, b"message", signature)


def test_no_two_keys_are_the_same():
    assert generate_signing_key("ES256")["kid"] != generate_signing_key("ES256")["kid"]


@pytest.mark.parametrize("alg", ["none", "HS256", "", "es256", "ES256K"])
def test_there_are_no_keys_for_other_algorithms(alg):
    with pytest.raises(BadKey, match="EdDSA"):
        generate_signing_key(alg)


def test_rotation_puts_a_new_key_before_the_public_halves_of_the_old():
    old = generate_key_set("ES256")
    before = json.dumps(old)

    new = rotate(old, "EdDSA")

    assert json.dumps(old) == before
    assert [key["alg"] for key in new["keys"]] == ["EdDSA", "ES256"]
    assert [is_private(key) for key in new["keys"]] == [True, False]
    assert new["keys"][1]["kid"] == old["keys"][0]["kid"]


def test_rotation_keeps_what_else_the_set_says_and_drops_symmetric_keys():
    new = rotate({"note": "ours", "keys": [{"kty": "oct", "k": "AAAA"}]}, "ES256")

    assert new["note"] == "ours"
    assert [key["kty"] for key in new["keys"]] == ["EC"]


@pytest.mark.parametrize("broken", [{}, {"keys": {}}, {"keys": ["x"]}, {"keys": None}])
def test_what_is_no_set_is_not_rotated(broken):
    with pytest.raises(BadKey, match="not a JWK set"):
        rotate(broken, "ES256")
