"""An upstream's chain and name are verified, whatever is configured."""

import asyncio
import os
import ssl

import pytest
import trustme
import uvloop
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from pyproxy.errors.fault import ConfigurationError
from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.pins import pin_of
from pyproxy.upstream.tls import ClientTls, TlsFiles

AUTHORITY = trustme.CA()
OTHER_AUTHORITY = trustme.CA()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request):
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


@pytest.fixture
def ca(tmp_path):
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path


def server_context(*names, authority=AUTHORITY):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(*names).configure_cert(context)
    return context


async def answer(_reader, writer):
    shown = writer.get_extra_info("peercert") or {}
    names = [value for _, value in shown.get("subjectAltName", ())]
    writer.write(" ".join(names).encode() + b"\n")
    writer.close()


async def connect(context: ssl.SSLContext, tls: ClientTls, host: str = "localhost"):
    """Shake hands over loopback; what both sides came to know."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls.context, server_hostname=tls.name_for(host)
        )
        try:
            session = writer.get_extra_info("ssl_object")
            tls.pins.check(session.getpeercert(binary_form=True))
            client = (await reader.readline()).decode().strip()
            return session.version(), session.selected_alpn_protocol(), client
        finally:
            writer.transport.abort()


def test_a_trusted_name_is_spoken_to(runner, ca):
    tls = ClientTls.load(TlsFiles(ca=ca))

    version, protocol, client = runner.run(connect(server_context("localhost"), tls))

    assert version == "TLSv1.3"
    assert protocol == "http/1.1"
    assert client == ""


@pytest.mark.parametrize(
    ("host", "server_name"),
    [
        pytest.param("127.0.0.1", "api.example", id="override of an address"),
        pytest.param("localhost", "api.example", id="override of a name"),
        pytest.param("api.example", "", id="no override"),
    ],
)
def test_the_name_verified_may_differ_from_the_host(runner, ca, host, server_name):
    tls = ClientTls.load(TlsFiles(ca=ca), server_name)

    runner.run(connect(server_context("api.example"), tls, host))


def test_an_address_is_verified_as_an_address(runner, ca):
    tls = ClientTls.load(TlsFiles(ca=ca))

    runner.run(connect(server_context("127.0.0.1"), tls, "127.0.0.1"))


def old(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "server_name"),
    [
        pytest.param(lambda: server_context("b.example"), "", id="other name"),
        pytest.param(lambda: server_context("localhost"), "b.example", id="not the override"),
        pytest.param(
            lambda: server_context("localhost", authority=OTHER_AUTHORITY), "", id="unknown CA"
        ),
        pytest.param(lambda: old(server_context("localhost")), "", id="TLS 1.1"),
    ],
)
def test_an_upstream_that_cannot_be_trusted_is_not_spoken_to(runner, ca, make, server_name):
    tls = ClientTls.load(TlsFiles(ca=ca), server_name)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        runner.run(connect(make(), tls))


def test_a_private_ca_is_not_trusted_by_the_system(runner):
    with pytest.raises(ssl.SSLCertVerificationError):
        runner.run(connect(server_context("localhost"), ClientTls.load()))


def test_a_ca_of_ones_own_replaces_the_systems(ca):
    [only] = ClientTls.load(TlsFiles(ca=ca)).context.get_ca_certs()

    assert dict(item for part in only["subject"] for item in part)["organizationName"]


def test_verification_is_on_whatever_is_configured(ca):
    for tls in (ClientTls.load(), ClientTls.load(TlsFiles(ca=ca), "b.example")):
        assert tls.context.verify_mode is ssl.CERT_REQUIRED
        assert tls.context.check_hostname
        assert not tls.context.hostname_checks_common_name
        assert tls.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_session_keys_are_never_logged():
    assert ClientTls.load().context.keylog_filename is None


def test_a_pin_is_checked_on_the_shown_key(runner, ca):
    issued = AUTHORITY.issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    pinned = ClientTls.load(TlsFiles(ca=ca), pins=[pin_of(der)])

    runner.run(connect(context, pinned))
    with pytest.raises(UpstreamUnreachable, match="pin mismatch"):
        runner.run(connect(server_context("localhost"), pinned))


@pytest.mark.parametrize("is_combined", [False, True], ids=["two files", "one file"])
def test_our_certificate_is_shown_to_an_upstream_that_asks(runner, ca, tmp_path, is_combined):
    issued = AUTHORITY.issue_cert("gateway.example")
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(certificate if is_combined else key), append=True)
    tls = ClientTls.load(TlsFiles(ca, certificate, None if is_combined else key))
    context = server_context("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(context)

    _, _, client = runner.run(connect(context, tls))

    assert client == "gateway.example"


@pytest.fixture
def folder(tmp_path):
    issued = AUTHORITY.issue_cert("gateway.example")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "good.crt"))
    issued.private_key_pem.write_to_path(str(tmp_path / "good.key"))
    AUTHORITY.issue_cert("b").private_key_pem.write_to_path(str(tmp_path / "other.key"))
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    (tmp_path / "locked.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def test_cas_may_be_named_between_their_certificates(runner, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes("# Főtanúsítvány\n".encode() + AUTHORITY.cert_pem.bytes())

    version, _, _ = runner.run(
        connect(server_context("localhost"), ClientTls.load(TlsFiles(ca=path)))
    )

    assert version == "TLSv1.3"


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        pytest.param(("missing", None, None), "missing: cannot be read: no such file", id="no CA"),
        pytest.param(("empty", None, None), "empty: holds no PEM certificate", id="empty CA"),
        pytest.param(("pipe", None, None), "pipe: cannot be read: it is", id="CA pipe"),
        pytest.param((None, "good.crt", "pipe"), "pipe: cannot be read: it is", id="key pipe"),
        pytest.param((None, "missing", "good.key"), "missing: cannot be read", id="no file"),
        pytest.param((None, "good.crt", "missing"), "missing: cannot be read", id="no key file"),
        pytest.param((None, "good.crt", "other.key"), "not a PEM certificate and its key",
                     id="other key"),
        pytest.param((None, "good.crt", None), "not a PEM certificate and its key", id="no key"),
        pytest.param((None, "empty", "good.key"), "not a PEM certificate and its key", id="empty"),
        pytest.param((None, "good.crt", "locked.key"), "locked.key: is encrypted", id="encrypted"),
        pytest.param((None, None, "good.key"), r"^routes\[0\]\.tls\.private_key: is set without",
                     id="key alone"),
    ],
)  # fmt: skip
def test_files_that_do_not_serve_are_named(folder, names, fault):
    files = TlsFiles(*(folder / name if name else None for name in names))

    with pytest.raises(ConfigurationError, match=fault):
        ClientTls.load(files, path="routes[0].tls")


def test_name_that_tls_cannot_ask_for_is_a_fault(ca):
    for name in (".example", "a..example"):
        with pytest.raises(ConfigurationError, match=r"^routes\[0\]\.tls\.server_name: is no host"):
            ClientTls.load(TlsFiles(ca=ca), name, path="routes[0].tls")


def test_final_dot_of_a_host_is_no_part_of_its_name(ca):
    tls = ClientTls.load(TlsFiles(ca=ca))

    assert tls.name_for("api.example.") == "api.example"
