"""Which variables make clients trust a certificate authority of one's own."""

from pathlib import Path

# What OpenSSL and Python, Node.js, and Python's requests read, in this order.
TRUST_VARIABLES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")


def trust_lines(ca_certificate: Path) -> list[str]:
    """Lines for a shell that make the usual clients trust the CA."""
    return [f"export {variable}={ca_certificate.resolve()}" for variable in TRUST_VARIABLES]
