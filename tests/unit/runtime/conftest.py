"""Certificates in files."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from pyproxy.runtime.tls import CertificateFiles

Write = Callable[..., CertificateFiles]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def write(tmp_path: Path, authority: trustme.CA) -> Write:
    """Write a fresh certificate and its key, over older ones of the same name."""

    def write_(name: str, *hosts: str, until: datetime | None = None) -> CertificateFiles:
        issued = authority.issue_cert(
            *hosts, not_after=until, not_before=datetime(2000, 1, 1, tzinfo=UTC)
        )
        files = CertificateFiles(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        files.private_key.write_bytes(issued.private_key_pem.bytes())
        files.private_key.chmod(0o600)
        return files

    return write_
