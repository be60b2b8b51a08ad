"""Base64url as JOSE wants it: one text for each string of octets."""

import base64
import re
from types import MappingProxyType

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")
_GROUP = 4
# What the last character may be when the text ends within a group: the bits
# that stand for no octet are zero in these alone.
_LAST_CHARACTERS = MappingProxyType({2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")})


class BadBase64(ValueError):
    """Text that is not base64url without padding."""


def decode_base64url(text: str) -> bytes:
    """Octets of unpadded base64url text.

    Stricter than RFC 4648 §3.5, which lets a decoder ignore the bits left over
    at the end: with them one signature has several spellings, and whatever
    remembers or revokes a token by its text can be walked around.

    Raises:
        BadBase64: Padding, a character outside the alphabet (RFC 7515 §2), an
            impossible length, or bits left over that are not zero.
    """
    rest = len(text) % _GROUP
    if _ALPHABET.fullmatch(text) is None:
        raise BadBase64("not base64url without padding")
    if rest == 1:
        raise BadBase64("base64url of an impossible length")
    if rest and text[-1] not in _LAST_CHARACTERS[rest]:
        raise BadBase64("base64url with trailing bits set")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % _GROUP))


def encode_base64url(octets: bytes) -> str:
    """Unpadded base64url of ``octets`` (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def encode_unsigned(number: int, size: int = 0) -> str:
    """Base64url of a big-endian unsigned integer (RFC 7518 §2).

    Args:
        number: Not negative.
        size: Octets to fill with leading zeros, as coordinates want it; ``0``
            for the fewest that hold the number.
    """
    return encode_base64url(number.to_bytes(size or max(1, (number.bit_length() + 7) // 8), "big"))
