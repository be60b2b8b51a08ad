"""Certificates in files, both loops, and a pair of connected sockets."""

import asyncio
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
import uvloop

from pyproxy.runtime.tls import CertificateFiles

Write = Callable[..., CertificateFiles]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter; pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def write(open_folder: Path, authority: trustme.CA) -> Write:
    """Write a fresh certificate and its key, over older ones of the same name."""

    def write_(name: str, *hosts: str, until: datetime | None = None) -> CertificateFiles:
        issued = authority.issue_cert(
            *hosts, not_after=until, not_before=datetime(2000, 1, 1, tzinfo=UTC)
        )
        files = CertificateFiles(open_folder / f"{name}.crt", open_folder / f"{name}.key")
        files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        files.private_key.write_bytes(issued.private_key_pem.bytes())
        files.private_key.chmod(0o600)
        return files

    return write_


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our end, non-blocking as when accepted, and the other."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs
