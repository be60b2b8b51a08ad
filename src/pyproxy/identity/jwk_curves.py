"""Elliptic-curve public keys: NIST curves and Ed25519."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pyproxy.identity.jwk_members import BadKey, sized_octets, text

NIST_CURVES: Final[Mapping[str, EllipticCurve]] = MappingProxyType(
    {"P-256": SECP256R1(), "P-384": SECP384R1(), "P-521": SECP521R1()}
)
EDWARDS_CURVE: Final = "Ed25519"
_EDWARDS_OCTETS: Final = 32
_EDWARDS_PRIME: Final = 2**255 - 19
_EDWARDS_D: Final = -121665 * pow(121666, -1, _EDWARDS_PRIME)


def coordinate_octets(curve: EllipticCurve) -> int:
    """Octets of a coordinate or private number on this curve (RFC 7518 §6.2.1.2)."""
    return (curve.key_size + 7) // 8


def read_nist(members: Mapping[str, object]) -> EllipticCurvePublicKey:
    """The public half of an EC key (RFC 7518 §6.2.1).

    Raises:
        BadKey: Unknown curve, coordinates of the wrong length, or a point that
            is not on the curve (RFC 8725 §3.4).
    """
    curve = NIST_CURVES.get(text(members, "crv"))
    if curve is None:
        raise BadKey("crv is not P-256, P-384 or P-521")
    size = coordinate_octets(curve)
    x = int.from_bytes(sized_octets(members, "x", size), "big")
    y = int.from_bytes(sized_octets(members, "y", size), "big")
    try:
        return EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError as exc:
        raise BadKey("the point is not on the curve") from exc


def read_edwards(members: Mapping[str, object]) -> Ed25519PublicKey:
    """The public half of an Ed25519 key (RFC 8037 §2).

    Raises:
        BadKey: Another curve, a wrong length, or a point of small order, for
            which one signature is good for many messages.
    """
    if text(members, "crv") != EDWARDS_CURVE:
        raise BadKey("crv is not Ed25519")
    point = sized_octets(members, "x", _EDWARDS_OCTETS)
    if _has_small_order(point):
        raise BadKey("the point has small order")
    return Ed25519PublicKey.from_public_bytes(point)


def _has_small_order(point: bytes) -> bool:
    # RFC 8032 §5.1.2: y, little-endian, and the sign of x in the top bit. The
    # points of order 1, 2 and 4 have y = 1, -1, 0; those of order 8 double to
    # one with y = 0, which is where the polynomial comes from.
    y = (int.from_bytes(point, "little") & (1 << 255) - 1) % _EDWARDS_PRIME
    square = y * y % _EDWARDS_PRIME
    return y == 0 or square == 1 or (_EDWARDS_D * square + 2) * square % _EDWARDS_PRIME == 1
