"""Which variables make clients trust a certificate authority of one's own."""

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from pyproxy.cli.certificate_files import CertificateFiles
from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.errors.fault import ConfigurationError

# What OpenSSL and Python, Node.js, and Python's requests read, in this order.
TRUST_VARIABLES: Final = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")


def trust_lines(ca_certificate: Path) -> list[str]:
    """Lines for a shell that make the usual clients trust the CA."""
    return [f"export {variable}={ca_certificate.resolve()}" for variable in TRUST_VARIABLES]


def authority_of(certificate: Path) -> Path | None:
    """The file that makes a client trust a certificate that is not from a public authority.

    Args:
        certificate: A listener's; its leaf counts.

    Returns:
        The CA's file beside it if that one signed it, the certificate itself if it did so
        itself, and None where neither is known.
    """
    leaf = _read(certificate)
    if leaf is None:
        return None
    if _is_from(leaf, leaf):
        return certificate
    beside = CertificateFiles.under(certificate.parent).ca_certificate
    authority = _read(beside)
    # What is not its own issuer is part of a chain: clients trust its end already.
    if authority is None or not _is_from(authority, authority):
        return None
    return beside if _is_from(leaf, authority) else None


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(read_file(path, MOST_OF_PEM))
    except (ConfigurationError, ValueError):
        return None


def _is_from(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
