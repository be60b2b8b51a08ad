"""What a PEM certificate says: whom it names, and until when."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from pyproxy.errors.fault import ConfigurationError, Fault

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"

_DAY_S = 86400.0
_RENEWAL_DUE_S = 14 * _DAY_S  # ACME clients renew with 30 days left; by now one has failed


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of the first certificate of a file, the one that is shown.

    Attributes:
        subject: Distinguished name (RFC 4514).
        names: DNS names in lower case and addresses of subjectAltName, in file
            order. The subject's common name is not among them: no client of
            today looks at it (RFC 9525 section 2).
        not_before: Epoch seconds.
        not_after: Epoch seconds.
        is_self_signed: Signed with its own key.
        chain_length: Certificates in the file, this one included.
    """

    subject: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    is_self_signed: bool
    chain_length: int

    def oddities(self, wall: float) -> tuple[str, ...]:
        """What an operator should know, as the rest of a sentence on the file.

        Args:
            wall: Epoch seconds.
        """
        problems = []
        left = self.not_after - wall
        if left <= 0:
            problems.append(f"expired {abs(left) / _DAY_S:.1f} days ago: no client trusts it")
        elif left < _RENEWAL_DUE_S:
            problems.append(f"expires in {left / _DAY_S:.1f} days")
        if self.not_before > wall:
            problems.append("is not valid yet: is this machine's clock right?")
        if not self.names:
            problems.append("names no host in subjectAltName: no client trusts it")
        return tuple(problems)


def read_certificate(pem: bytes, path: str) -> Certificate:
    """The facts of the first certificate in ``pem``.

    Args:
        pem: A file's content: the certificate, then those of its issuers.
        path: The file's name, for the fault.

    Raises:
        ConfigurationError: No certificate, a broken one, or a file that ends
            in the middle of one because it is being written.
    """
    begun = pem.count(_BEGIN)
    if not begun:
        raise ConfigurationError(Fault(path, "holds no PEM certificate"))
    # OpenSSL takes what comes before the cut for the whole file: a chain of
    # three would be served as one of two.
    if begun != pem.count(_END):
        raise ConfigurationError(Fault(path, "ends in the middle of a certificate"))
    try:
        chain = x509.load_pem_x509_certificates(pem)
        leaf = chain[0]
        return Certificate(
            subject=leaf.subject.rfc4514_string(),
            names=_alternative_names(leaf),
            not_before=leaf.not_valid_before_utc.timestamp(),
            not_after=leaf.not_valid_after_utc.timestamp(),
            is_self_signed=_is_self_signed(leaf),
            chain_length=len(chain),
        )
    except (ValueError, x509.DuplicateExtension) as exc:
        raise ConfigurationError(Fault(path, "holds a broken certificate")) from exc


def _alternative_names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = extension.value
    return (
        *(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def _is_self_signed(leaf: x509.Certificate) -> bool:
    if leaf.subject != leaf.issuer:
        return False
    try:
        leaf.verify_directly_issued_by(leaf)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True
