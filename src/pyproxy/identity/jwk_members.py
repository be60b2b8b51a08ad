"""Members of a JWK, read strictly (RFC 7517 §4)."""

from collections.abc import Mapping

from pyproxy.identity.base64url import BadBase64, decode_base64url
from pyproxy.identity.names import is_name

# RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 8037 §2.
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
# RFC 7517 §4.3.
_OPERATIONS = frozenset(
    {"sign", "verify", "encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"}
)
_SIGNING_OPERATIONS = frozenset({"sign", "verify"})


class BadKey(ValueError):
    """A JWK that must not be used, and why."""


def text(members: Mapping[str, object], name: str) -> str:
    """A member that must be a non-empty string.

    Raises:
        BadKey: It is missing, empty or something else.
    """
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise BadKey(f"{name} is missing or not a string")
    return value


def octets(members: Mapping[str, object], name: str) -> bytes:
    """A member that must be base64url of at least one octet.

    Raises:
        BadKey: It is not.
    """
    try:
        return decode_base64url(text(members, name))
    except BadBase64 as exc:
        raise BadKey(f"{name}: {exc}") from exc


def sized_octets(members: Mapping[str, object], name: str, size: int) -> bytes:
    """A member whose octets must be exactly ``size`` (RFC 7518 §6.2.1.2).

    Raises:
        BadKey: It is shorter, longer or not base64url.
    """
    value = octets(members, name)
    if len(value) != size:
        raise BadKey(f"{name} is {len(value)} octets, not {size}")
    return value


def unsigned(members: Mapping[str, object], name: str) -> int:
    """A member that is a big-endian unsigned integer (RFC 7518 §2).

    Leading zero octets are let pass: some libraries write one, and the number
    is the same.

    Raises:
        BadKey: It is not base64url.
    """
    return int.from_bytes(octets(members, name), "big")


def is_private(members: Mapping[str, object]) -> bool:
    """Whether the key holds anything that is not for the public."""
    return not _PRIVATE_MEMBERS.isdisjoint(members)


def without_private(members: Mapping[str, object]) -> dict[str, object]:
    """The public half of a JWK; ``key_ops``, which spoke of both halves, says verify."""
    public = {name: value for name, value in members.items() if name not in _PRIVATE_MEMBERS}
    return {**public, "key_ops": ["verify"]} if "key_ops" in public else public


def key_name(members: Mapping[str, object]) -> str:
    """The key's ``kid``, or ``""`` where it has none.

    Raises:
        BadKey: It is not a string of 1 to 256 characters, none of them control.
    """
    if "kid" not in members:
        return ""
    kid = members["kid"]
    if not isinstance(kid, str) or not is_name(kid):
        raise BadKey("kid is not a string of 1 to 256 printable characters")
    return kid


def check_purpose(members: Mapping[str, object]) -> None:
    """Make sure that the key is for signatures (RFC 7517 §4.2, §4.3).

    A key that is for signing and for something else is refused as well: one key
    for two purposes lets each be used against the other.

    Raises:
        BadKey: ``use`` or ``key_ops`` says otherwise, or cannot be understood.
    """
    if "use" in members and members["use"] != "sig":
        raise BadKey("use is not sig")
    if "key_ops" not in members:
        return
    operations = _operations(members["key_ops"])
    if not operations <= _SIGNING_OPERATIONS:
        raise BadKey("key_ops has more than sign and verify")
    if "verify" not in operations and not (operations and is_private(members)):
        raise BadKey("key_ops lacks verify")


def _operations(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise BadKey("key_ops is not a list")
    names = [name for name in value if isinstance(name, str)]
    if len(names) != len(value) or not _OPERATIONS.issuperset(names):
        raise BadKey("key_ops has an unknown operation")
    if len(set(names)) != len(names):
        raise BadKey("key_ops has an operation twice")
    return frozenset(names)
