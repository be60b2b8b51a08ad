"""The files of a development certificate: made, kept while sound, renewed in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from pyproxy.cli.authority import (
    COMMON_NAME,
    Identity,
    is_sound_authority,
    is_sound_leaf,
    make_authority,
    make_leaf,
)
from pyproxy.cli.private_file import EVERYBODY_READS, write_atomically
from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.errors.fault import ConfigurationError, Fault

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a CA and its one leaf are kept.

    Attributes:
        ca_certificate: What clients must trust.
        ca_key: Readable by its owner alone, like ``key``.
        certificate: The leaf, then the CA, as a server sends them.
        key: The leaf's private key.
    """

    ca_certificate: Path
    ca_key: Path
    certificate: Path
    key: Path

    @classmethod
    def under(cls, folder: Path) -> "CertificateFiles":
        """The usual names in ``folder``; those that the configuration names by default."""
        return cls(
            folder / "ca.crt", folder / "ca.key", folder / "copilot.crt", folder / "copilot.key"
        )


def ensure_certificate(files: CertificateFiles, hosts: Sequence[str], now: datetime) -> bool:
    """Have a valid CA and a valid leaf for ``hosts``; what is sound already is left alone.

    Returns:
        Whether the leaf is new.

    Raises:
        ConfigurationError: A file that is not ours to replace: its CA cannot be
            read, or the leaf is from another.
    """
    authority = _ensure_authority(files, now)
    if files.certificate.exists() or files.key.exists():
        leaf = _read(files.certificate, files.key)
        if leaf.certificate.issuer != authority.certificate.subject:
            raise ConfigurationError(
                Fault(str(files.certificate), "is not from this CA; move it away to have one made")
            )
        if is_sound_leaf(leaf, authority, hosts, now):
            return False
    leaf = make_leaf(authority, hosts, now)
    write_atomically(files.key, leaf.key_pem())
    chain = leaf.certificate_pem() + authority.certificate_pem()
    write_atomically(files.certificate, chain, EVERYBODY_READS)
    return True


def is_foreign(files: CertificateFiles) -> bool:
    """Whether somebody else's certificate is there, complete, and so nothing of ours to make."""
    if not (files.certificate.exists() and files.key.exists()):
        return False
    if not files.ca_key.exists():
        return True
    try:
        pem = read_file(files.certificate, MOST_OF_PEM)
        issuer = x509.load_pem_x509_certificate(pem).issuer
    except (ConfigurationError, ValueError):
        return False  # what is wrong with it is for the making to say
    names = issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return not any(name.value == COMMON_NAME for name in names)


def _ensure_authority(files: CertificateFiles, now: datetime) -> Identity:
    if files.ca_certificate.exists() or files.ca_key.exists():
        authority = _read(files.ca_certificate, files.ca_key)
        if is_sound_authority(authority, now):
            return authority
    authority = make_authority(now)
    write_atomically(files.ca_key, authority.key_pem())
    write_atomically(files.ca_certificate, authority.certificate_pem(), EVERYBODY_READS)
    return authority


def _read(certificate: Path, key: Path) -> Identity:
    try:
        pems = (read_file(certificate, MOST_OF_PEM), read_file(key, MOST_OF_PEM))
        return Identity.parse(*pems)
    except (ConfigurationError, ValueError) as error:
        problem = f"cannot be read with {key} ({error}); move both away to have new ones made"
        raise ConfigurationError(Fault(str(certificate), problem)) from error
