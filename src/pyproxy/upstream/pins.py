"""Public keys that an upstream's certificate must have."""

import base64
import binascii
import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.errors.refusal import UpstreamUnreachable

_PREFIX = "sha256//"  # as `curl --pinnedpubkey` writes it
_DIGEST_BYTES = 32


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
    def parse(cls, texts: Iterable[str], path: str = "pin_sha256") -> "Pins":
        """Read pins: base64 of the SHA-256 of a SubjectPublicKeyInfo (RFC 7469 section 2.4).

        Args:
            texts: With or without ``sha256//`` before it.
            path: Where they stand, for the fault: ``routes[0].tls.pin_sha256``.

        Raises:
            ConfigurationError: With every pin that is none.
        """
        digests = [_digest(text) for text in texts]
        faults = [
            Fault(f"{path}[{index}]", "is no pin: base64 of a SHA-256, 44 characters")
            for index, digest in enumerate(digests)
            if digest is None
        ]
        if faults:
            raise ConfigurationError(*faults)
        return cls(frozenset(digest for digest in digests if digest is not None))

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


def _digest(text: str) -> bytes | None:
    try:
        digest = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == _DIGEST_BYTES else None


def _key_digest(certificate: bytes) -> bytes | None:
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return hashlib.sha256(encoded).digest()
