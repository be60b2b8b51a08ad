import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pyproxy.identity.base64url import decode_base64url, encode_base64url, encode_unsigned
from pyproxy.identity.jwk import public_members
from pyproxy.identity.jwk_curves import NIST_CURVES, coordinate_octets, read_edwards, read_nist
from pyproxy.identity.jwk_members import BadKey

P256 = public_members(ec.generate_private_key(ec.SECP256R1()).public_key())
ED25519 = public_members(ed25519.Ed25519PrivateKey.generate().public_key())
PRIME = 2**255 - 19
P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
# libsodium's list of the points of order 8.
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
ORDER_8_NEGATED = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"


def _edwards(octets):
    return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(octets)}


def _y(number, sign=0):
    return _edwards((number | sign << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("name", list(NIST_CURVES))
def test_a_point_on_its_curve_is_read(name):
    key = ec.generate_private_key(NIST_CURVES[name]).public_key()

    assert read_nist(public_members(key)) == key


@pytest.mark.parametrize(("name", "size"), [("P-256", 32), ("P-384", 48), ("P-521", 66)])
def test_coordinates_have_full_length(name, size):
    assert coordinate_octets(NIST_CURVES[name]) == size


def _longer(text):
    return encode_base64url(b"\x00" + decode_base64url(text))


def _shorter(text):
    return encode_base64url(decode_base64url(text)[1:])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"crv": "P-384"}, "48", id="wrong crv"),
        pytest.param({"crv": "secp256k1"}, "crv", id="secp256k1"),
        pytest.param({"crv": "p-256"}, "crv", id="crv in another case"),
        pytest.param({"crv": None}, "crv", id="no crv"),
        pytest.param({"x": P256["y"]}, "not on the curve", id="off-curve"),
        pytest.param(
            {"x": encode_unsigned(0, 32), "y": encode_unsigned(0, 32)}, "on the", id="0,0"
        ),
        pytest.param({"x": encode_unsigned(P256_PRIME + 5, 32)}, "on the", id="x beyond the field"),
        pytest.param({"x": _longer(P256["x"])}, "33 octets", id="x with a zero octet"),
        pytest.param({"y": _shorter(P256["y"])}, "31 octets", id="y cut"),
        pytest.param({"y": None}, "y is missing", id="compressed point"),
        pytest.param({"y": P256["y"] + "="}, "y: not base64url", id="padded"),
    ],
)
def test_a_point_elsewhere_is_refused(changed, reason):
    with pytest.raises(BadKey, match=reason):
        read_nist({**P256, **changed})


def test_an_ed25519_key_is_read():
    assert public_members(read_edwards(ED25519)) == ED25519


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({**ED25519, "crv": "Ed448"}, "crv", id="Ed448"),
        pytest.param({**ED25519, "crv": "X25519"}, "crv", id="X25519"),
        pytest.param(_edwards(bytes(31)), "31 octets", id="31 octets"),
        pytest.param(_edwards(bytes(33)), "33 octets", id="33 octets"),
        pytest.param(_y(1), "small order", id="identity"),
        pytest.param(_y(1, sign=1), "small order", id="identity with the sign set"),
        pytest.param(_y(0), "small order", id="order 4"),
        pytest.param(_y(0, sign=1), "small order", id="order 4 negated"),
        pytest.param(_y(PRIME - 1), "small order", id="order 2"),
        pytest.param(_y(PRIME), "small order", id="order 4, not reduced"),
        pytest.param(_y(PRIME + 1), "small order", id="identity, not reduced"),
        pytest.param(_edwards(bytes.fromhex(ORDER_8)), "small order", id="order 8"),
        pytest.param(_edwards(bytes.fromhex(ORDER_8_NEGATED)), "small order", id="order 8 negated"),
    ],
)
def test_other_edwards_points_are_refused(members, reason):
    with pytest.raises(BadKey, match=reason):
        read_edwards(members)
