import ssl
import subprocess
import sys
import textwrap

import pytest
import trustme

from pyproxy.runtime import groups
from pyproxy.runtime.groups import CURVES, default_groups, restrict

# What is told to OpenSSL holds for a whole process, so each server here is one of its own.
SERVER = textwrap.dedent("""
    import socket, ssl, sys
    from pyproxy.runtime.groups import restrict
    if sys.argv[1] == "told":
        assert restrict()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()
""")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    # The groups that a client names are those of ECDSA certificates too, until TLS 1.3.
    issued = trustme.CA().issue_cert("localhost", key_type=trustme.KeyType.RSA)
    path = tmp_path_factory.mktemp("tls") / "chain.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture(scope="module", params=["told"])
def port(request, certificate):
    """Of a server whose OpenSSL was told what to offer, or was not."""
    command = [sys.executable, "-c", SERVER, request.param, str(certificate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield int(server.stdout.readline())
        server.kill()


def is_agreed(port, wanted, *version):
    """Whether a client that offers these groups gets a handshake done."""
    ran = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}",
         "-groups", wanted, *version],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return "Cipher is TLS" in ran.stdout or "Cipher is ECDHE" in ran.stdout


def test_no_section_is_called_default():
    # In that OpenSSL has the lines above the first section too, which are no commands of a
    # context; with config_diagnostics, as in Debian 13, none can be made then.
    assert "[default]" not in groups._CONFIGURATION


@pytest.mark.parametrize("wanted", ["X25519", "P-256", "P-384", "X448:P-256", "ffdhe8192:X25519"])
def test_curves_are_offered(port, wanted):
    assert is_agreed(port, wanted, "-tls1_3")


@pytest.mark.parametrize("wanted", ["X25519", "P-256", "P-384", "X448:P-256"])
def test_curves_are_offered_in_tls_1_2(port, wanted):
    assert is_agreed(port, wanted, "-tls1_2")


@pytest.mark.parametrize("wanted", ["ffdhe2048", "ffdhe8192", "X448", "P-521"])
def test_what_costs_more_than_it_is_worth_is_not_offered(port, wanted):
    # D(HE)at, CVE-2002-20001
    assert not is_agreed(port, wanted)


@pytest.mark.parametrize("port", ["untold"], indirect=True)
def test_openssl_offers_them_unless_it_is_told_not_to(port):
    assert is_agreed(port, "ffdhe2048", "-tls1_3")


@pytest.mark.parametrize(
    ("openssl", "first"), [((3, 0, 19), "X25519"), ((3, 5, 0), "X25519MLKEM768")]
)
def test_hybrid_is_preferred_where_openssl_knows_it(monkeypatch, openssl, first):
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_INFO", (*openssl, 0, 0))

    assert default_groups().split(":")[0] == first
    assert default_groups().endswith(CURVES)


def test_an_openssl_without_names_is_left_alone(monkeypatch):
    class Hidden:
        __file__ = "/nowhere/_ssl.so"

    monkeypatch.setattr(groups, "_ssl", Hidden)

    assert not restrict.__wrapped__()
