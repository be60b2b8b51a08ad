"""Public keys that an upstream's certificate must have."""

import base64
import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pyproxy.errors.refusal import UpstreamUnreachable


class Pins:
    """The keys allowed; empty allows every key that the chain vouches for.

    A pin narrows what certificate verification lets through, it never replaces
    it (RFC 7469 section 2.6). Of several pins one must match: name the next
    key beside today's before it is taken into use.
    """

    __slots__ = ("_digests",)

    def __init__(self, digests: frozenset[bytes]) -> None:
        self._digests = digests

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Pins":
        """Take pins: base64 of the SHA-256 of a SubjectPublicKeyInfo (RFC 7469 section 2.4).

        Args:
            texts: Sound, as the configuration has them.

        Raises:
            ValueError: No base64.
        """
        return cls(frozenset(base64.b64decode(text, validate=True) for text in texts))

    def __bool__(self) -> bool:
        """Whether any key is pinned."""
        return bool(self._digests)

    def check(self, certificate: bytes | None) -> None:
        """Let a connection pass whose certificate has a pinned key.

        To be called once a handshake has ended, before the first byte is sent.

        Args:
            certificate: The upstream's own one in DER, as from
                ``getpeercert(binary_form=True)``.

        Raises:
            UpstreamUnreachable: Another key.
        """
        if not self._digests:
            return
        found = None if certificate is None else _key_digest(certificate)
        if found not in self._digests:
            shown = "none" if found is None else base64.b64encode(found).decode()
            raise UpstreamUnreachable(f"pin mismatch: the upstream's key is {shown}")


def pin_of(certificate: bytes) -> str:
    """The pin that a certificate in DER would need, for an operator to copy.

    Raises:
        UpstreamUnreachable: A certificate that cannot be read.
    """
    digest = _key_digest(certificate)
    if digest is None:
        raise UpstreamUnreachable("the upstream's certificate cannot be read")
    return base64.b64encode(digest).decode()


def _key_digest(certificate: bytes) -> bytes | None:
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return hashlib.sha256(encoded).digest()
