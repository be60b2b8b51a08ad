"""A certificate authority of one's own, for development, and certificates from it."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
# As long as Mozilla advises; Apple's clients accept 825 days of a private CA, 398 of a public one.
LEAF_DAYS = 365
RENEW_DAYS = 30
# Certificates count from an hour ago: clocks of clients differ.
SKEW = timedelta(hours=1)
COMMON_NAME = "pyproxy development CA"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key.

    Attributes:
        certificate: Signed, by itself or by another.
        key: ECDSA on P-256, which every TLS client knows.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def parse(cls, certificate_pem: bytes, key_pem: bytes) -> "Identity":
        """Read a pair of PEM files; the first certificate counts.

        Raises:
            ValueError: Not PEM, not a pair, or not an EC key.
        """
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = load_pem_private_key(key_pem, password=None)
        # Ours are all of one kind; whatever is not was not made here.
        if isinstance(key, ec.EllipticCurvePrivateKey):
            if key.public_key() != certificate.public_key():
                raise ValueError("the private key is not the certificate's")
            return cls(certificate, key)
        raise ValueError("the private key is not an EC key")

    def certificate_pem(self) -> str:
        """The certificate, in PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def key_pem(self) -> str:
        """The private key, in unencrypted PKCS #8 PEM."""
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode()


def make_authority(now: datetime) -> Identity:
    """A CA that may sign leaves and nothing else (RFC 5280 section 4.2.1.9)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(COMMON_NAME)
    builder = (
        _builder(name, name, key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Identity(builder.sign(key, hashes.SHA256()), key)


def make_leaf(authority: Identity, hosts: Sequence[str], now: datetime) -> Identity:
    """A server's certificate for ``hosts``: names, wildcards or addresses.

    Raises:
        ValueError: A host that is neither.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(_name(hosts[0]), issuer.subject, key, now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName([*map(_host, hosts)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server, critical=False)
        .add_extension(signer, critical=False)
    )
    return Identity(builder.sign(authority.key, hashes.SHA256()), key)


def is_sound_authority(authority: Identity, now: datetime) -> bool:
    """Whether it is a CA, and valid for long enough to be worth keeping."""
    certificate = authority.certificate
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca and _is_current(certificate, now)


def is_sound_leaf(leaf: Identity, authority: Identity, hosts: Iterable[str], now: datetime) -> bool:
    """Whether it is from this CA, for all of ``hosts``, and not near its end."""
    try:
        leaf.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return set(hosts) <= set(hosts_of(leaf.certificate)) and _is_current(leaf.certificate, now)


def hosts_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses that a certificate is for."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = extension.value
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *map(str, addresses))


def _is_current(certificate: x509.Certificate, now: datetime) -> bool:
    soon = now + timedelta(days=RENEW_DAYS)
    return certificate.not_valid_before_utc <= now and soon < certificate.not_valid_after_utc


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now - SKEW + timedelta(days=days))
    )


def _name(common_name: str) -> x509.Name:
    # X.520 allows a common name of 64 characters; who is longer is in subjectAltName anyway.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
