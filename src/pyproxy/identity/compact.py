"""The compact form of a signed token, taken apart (RFC 7515 §7.1)."""

from dataclasses import dataclass

from pyproxy.errors.refusal import InvalidToken
from pyproxy.identity.base64url import BadBase64, decode_base64url
from pyproxy.identity.strict_json import BadJson, parse_object

# Twice the default of auth.max_token: nothing longer is even split.
_MAX_CHARACTERS = 64 * 1024  # whatever `max_token` says; no head is longer
_PARTS = 3
_MAX_NAME_CHARACTERS = 256
# RFC 7515 §4.1.9 and RFC 9068 §2.1: media types, so in any case, and with or
# without "application/".
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
# crit: we know no extension, so none can be understood (RFC 7515 §4.1.11).
# b64: an unencoded payload splits differently (RFC 7797). zip, enc: encryption.
_REFUSED_MEMBERS = ("crit", "b64", "zip", "enc")


@dataclass(slots=True)
class Compact:
    """A token taken apart, nothing of it verified.

    ``jku``, ``x5u``, ``jwk`` and ``x5c`` are not kept: no key and no URL is ever
    taken from a token (RFC 8725 §3.10).

    Attributes:
        alg: What the header claims; the key decides.
        kid: Name of the key, at most 256 characters, an opaque look-up key;
            ``None`` where the header has none.
        payload: Octets of the claims.
        signature: Raw octets.
        signing_input: What was signed.
    """

    alg: str
    kid: str | None
    payload: bytes
    signature: bytes
    signing_input: bytes


def parse_compact(token: str) -> Compact:
    """Take a token apart.

    Raises:
        InvalidToken: It is not three parts of strict base64url, at most 64 Ki
            characters in all, or its header is not one we can honour.
    """
    if len(token) > _MAX_CHARACTERS:
        raise InvalidToken("token over 65536 characters")
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise InvalidToken("token is not three parts")
    header_text, payload_text, signature_text = parts
    header = _header(_octets("header", header_text))
    return Compact(
        alg=_algorithm(header),
        kid=_key_name(header),
        payload=_octets("payload", payload_text),
        signature=_octets("signature", signature_text),
        signing_input=f"{header_text}.{payload_text}".encode("ascii"),
    )


def _octets(part: str, text: str) -> bytes:
    try:
        return decode_base64url(text)
    except BadBase64 as exc:
        raise InvalidToken(f"token's {part}: {exc}") from exc


def _header(octets: bytes) -> dict[str, object]:
    try:
        header = parse_object(octets)
    except BadJson as exc:
        raise InvalidToken(f"token's header: {exc}") from exc
    for name in _REFUSED_MEMBERS:
        if name in header:
            raise InvalidToken(f"token's header has {name}")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidToken("token's typ is not JWT")
    return header


def _algorithm(header: dict[str, object]) -> str:
    alg = header.get("alg")
    if not isinstance(alg, str):
        raise InvalidToken("token's alg is missing or not a string")
    return alg


def _key_name(header: dict[str, object]) -> str | None:
    if "kid" not in header:
        return None
    kid = header["kid"]
    if not isinstance(kid, str) or not 0 < len(kid) <= _MAX_NAME_CHARACTERS:
        raise InvalidToken("token's kid is not a string of 1 to 256 characters")
    return kid
