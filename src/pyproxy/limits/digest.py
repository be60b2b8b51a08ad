"""Names of any length as one number, for tables that several processes share."""

from hashlib import blake2b

DIGEST_BYTES = 8


def digest(name: str, key: bytes) -> int:
    """A keyed digest of ``name``, never 0.

    Two names of a full table meet by chance once in 10^8 tables; without the key
    nobody can look for two that do.

    Args:
        name: Any text, lone surrogates of a token's claims included.
        key: Random, the same for all who share the table; at most 64 bytes.
    """
    text = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=DIGEST_BYTES, key=key).digest(), "little") or 1
