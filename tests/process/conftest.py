"""An upstream and certificates for the gateways under test."""

import ssl

import pytest
import trustme

from tests.process.served import KEY, Upstream, hashed, put


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    """A working directory with a keys file."""
    put(tmp_path / "keys.txt", hashed("alice", KEY))
    return tmp_path


@pytest.fixture
def certify(authority):
    """Put a fresh certificate for localhost in place, and say what trusts it."""

    def certify_(folder):
        issued = authority.issue_cert("localhost")
        put(folder / "tls.key", issued.private_key_pem.bytes())
        put(folder / "tls.crt", b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(context)
        return context

    return certify_
