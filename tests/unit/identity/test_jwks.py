import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.jwk import public_members
from pyproxy.identity.jwk_private import private_members
from pyproxy.identity.jwks import BadKeySet, KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS

RSA_PRIVATE = rsa.generate_private_key(65537, 2048)
RSA = public_members(RSA_PRIVATE.public_key())
EC_PRIVATE = ec.generate_private_key(ec.SECP256R1())
EC = public_members(EC_PRIVATE.public_key())
OTHER_EC = public_members(ec.generate_private_key(ec.SECP256R1()).public_key())
OKP = public_members(ed25519.Ed25519PrivateKey.generate().public_key())


def _parse(*keys, public_only=False, source="jwks.json"):
    document = json.dumps({"keys": keys}).encode()
    return KeySet.parse(document, algorithms=ALGORITHMS, source=source, public_only=public_only)


def test_good_keys_are_found_by_name():
    keys = _parse({**RSA, "kid": "r"}, {**EC, "kid": "e"})

    assert [key.kid for key in keys.keys] == ["r", "e"]
    assert keys.find("e", "ES256") is keys.keys[1]
    assert keys.find("E", "ES256") is None
    assert keys.faults == ()


def test_a_named_key_is_found_whatever_algorithm_the_token_claims():
    keys = _parse({**RSA, "kid": "r"})

    assert keys.find("r", "HS256") is keys.keys[0]


@pytest.mark.parametrize(
    ("keys", "alg", "position"),
    [
        pytest.param([EC], "ES256", 0, id="one key without a name"),
        pytest.param([{**EC, "kid": "e"}], "ES256", 0, id="one key with a name"),
        pytest.param([RSA, EC], "ES256", 1, id="one of its kind"),
        pytest.param([EC, EC], "ES256", 0, id="one key twice"),
        pytest.param([EC, OTHER_EC], "ES256", None, id="two that fit"),
        pytest.param([{**EC, "kid": "e"}, OTHER_EC], "ES256", None, id="two, one has a name"),
        pytest.param([RSA], "ES256", None, id="none that fits"),
        pytest.param([], "ES256", None, id="no keys"),
    ],
)
def test_a_token_without_kid_gets_the_only_key_that_fits(keys, alg, position):
    key_set = _parse(*keys)

    found = key_set.find(None, alg)

    assert found is (None if position is None else key_set.keys[position])


@pytest.mark.parametrize("kid", ["", "e", "#1", "None"])
def test_a_key_without_a_name_is_not_found_by_one(kid):
    assert _parse(EC).find(kid, "ES256") is None


@pytest.mark.parametrize(
    ("bad", "name", "reason"),
    [
        pytest.param({**RSA, "kid": "b", "use": "enc"}, "b", "use", id="use=enc"),
        pytest.param({"kty": "oct", "k": "AAAA", "kid": "b"}, "b", "symmetric", id="oct"),
        pytest.param({**RSA, "kid": "b", "e": "AQ"}, "b", "exponent", id="e=1"),
        pytest.param({**EC, "kid": "b", "x": EC["y"]}, "b", "curve", id="off-curve"),
        pytest.param({**EC, "kid": "a\nb"}, "#1", "kid", id="kid with a line end"),
        pytest.param({**EC, "kid": 3}, "#1", "kid", id="kid number"),
        pytest.param({**EC, "kid": ["g"]}, "#1", "kid", id="kid list"),
        pytest.param("key", "#1", "object", id="string"),
        pytest.param(None, "#1", "object", id="null"),
        pytest.param([], "#1", "object", id="list"),
        pytest.param({}, "#1", "kty", id="empty"),
    ],
)
def test_a_bad_key_is_left_out_by_name_and_the_others_stay(bad, name, reason):
    keys = _parse(bad, {**OKP, "kid": "good"})

    assert [key.kid for key in keys.keys] == ["good"]
    assert [fault.kid for fault in keys.faults] == [name]
    assert reason in keys.faults[0].reason
    assert not keys.faults[0].is_alarm


def test_a_name_that_stands_for_two_keys_stands_for_none():
    keys = _parse({**EC, "kid": "x"}, {**OTHER_EC, "kid": "x"}, {**OKP, "kid": "y"})

    assert [key.kid for key in keys.keys] == ["y"]
    assert [fault.kid for fault in keys.faults] == ["x", "x"]


def test_a_bad_twin_takes_the_good_one_with_it():
    keys = _parse({**EC, "kid": "x"}, {"kty": "oct", "k": "AAAA", "kid": "x"})

    assert keys.keys == ()


@pytest.mark.parametrize(
    "leaked",
    [
        pytest.param({**private_members(RSA_PRIVATE), "kid": "x"}, id="RSA private"),
        pytest.param({**private_members(EC_PRIVATE), "kid": "x"}, id="EC private"),
        pytest.param({"kty": "oct", "k": "AAAA", "kid": "x"}, id="symmetric"),
        pytest.param({**EC, "d": None, "kid": "x"}, id="private member null"),
    ],
)
def test_a_private_key_in_a_public_set_is_refused_with_an_alarm(leaked):
    keys = _parse(leaked, {**OKP, "kid": "good"}, public_only=True)

    assert [key.kid for key in keys.keys] == ["good"]
    assert [(fault.kid, fault.is_alarm) for fault in keys.faults] == [("x", True)]


def test_a_private_key_in_a_set_of_our_own_verifies_and_is_noted():
    keys = _parse({**private_members(EC_PRIVATE), "kid": "x"})

    assert keys.has_private_key
    assert keys.keys[0].public == EC
    assert not _parse(EC).has_private_key


def test_what_is_published_holds_nothing_private():
    keys = _parse({**private_members(RSA_PRIVATE), "kid": "r"}, private_members(EC_PRIVATE))

    published = json.loads(keys.to_public())

    assert published == {
        "keys": [
            {**RSA, "kid": "r", "alg": "RS256", "use": "sig"},
            {**EC, "alg": "ES256", "use": "sig"},
        ]
    }
    assert _parse(*published["keys"], public_only=True).digest == keys.digest


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>not found</html>", id="HTML"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}", id="no keys"),
        pytest.param(b'{"keys": {}}', id="keys object"),
        pytest.param(b'{"keys": null}', id="keys null"),
        pytest.param(json.dumps(EC).encode(), id="a single key"),
        pytest.param(b'{"keys": [], "keys": []}', id="keys twice"),
        pytest.param(b'{"keys": [{"kid": "a", "kid": "b"}]}', id="member of a key twice"),
        pytest.param(b'{"keys": ' + b"[" * 5000 + b"]" * 5000 + b"}", id="5000 deep"),
        pytest.param(b'{"keys": [NaN]}', id="NaN"),
        pytest.param(json.dumps({"keys": [{}] * 101}).encode(), id="101 keys"),
        pytest.param(b'{"keys": []}' + b" " * 256 * 1024, id="over 256 KiB"),
        pytest.param(b"\xff\xfe{", id="not UTF-8"),
    ],
)
def test_what_is_no_set_is_refused_with_its_source(document):
    with pytest.raises(BadKeySet, match=r"^jwks\.json: ") as caught:
        KeySet.parse(document, algorithms=ALGORITHMS, source="jwks.json", public_only=False)

    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.faults[0].path == "jwks.json"


def test_a_hundred_keys_are_taken():
    assert len(_parse(*[{**EC, "kid": str(n)} for n in range(100)]).keys) == 100


def test_merging_keeps_our_key_where_a_name_is_given_twice():
    ours = _parse({**EC, "kid": "x"}, source="ours")
    theirs = _parse({**OTHER_EC, "kid": "x"}, {**OKP, "kid": "y"}, source="theirs")

    merged = ours.merge(theirs)

    assert [key.kid for key in merged.keys] == ["x", "y"]
    assert merged.keys[0].public == EC
    assert [fault.kid for fault in merged.faults] == ["x"]
    assert "theirs" in merged.faults[0].reason


def test_merging_a_set_with_itself_changes_nothing():
    keys = _parse({**EC, "kid": "x"}, {**RSA, "kid": "r"})

    assert keys.merge(keys) == keys


def test_merging_with_nothing_changes_nothing():
    keys = _parse({**EC, "kid": "x"})

    assert KeySet().merge(keys) == keys
    assert keys.merge(KeySet()) == keys


def test_a_key_known_with_and_without_a_name_is_still_the_only_one():
    merged = _parse({**EC, "kid": "x"}).merge(_parse(EC))

    assert merged.find(None, "ES256") is merged.keys[0]


def test_the_digest_tells_whether_keys_changed():
    first, second = {**EC, "kid": "x"}, {**RSA, "kid": "r"}

    assert _parse(first, second).digest == _parse(second, first).digest
    assert _parse(first).digest != _parse(second).digest
    assert _parse(first).digest != _parse({**EC, "kid": "y"}).digest
    assert _parse(second).digest != _parse({**second, "alg": "RS512"}).digest
