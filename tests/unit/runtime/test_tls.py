"""Which files make a TLS listener, and which are refused."""

import os
import ssl
from datetime import UTC, datetime

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.tls import ServerTls, TlsRules

WALL = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def test_only_ephemeral_keys_and_authenticated_ciphers(write):
    context = ServerTls.load([write("a", "a.example")], TlsRules()).context

    suites = context.get_ciphers()

    assert all(suite["aead"] for suite in suites)
    assert {suite["kea"] for suite in suites} == {"kx-ecdhe", "kx-any"}
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert not context.options & ssl.OP_NO_TICKET


@pytest.mark.parametrize(
    ("min_version", "least"),
    [("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3)],
)
def test_the_least_version(write, min_version, least):
    tls = ServerTls.load([write("a", "a.example")], TlsRules(min_version))

    assert tls.context.minimum_version is least


def test_every_file_is_watched_once(write, tmp_path, authority):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    a, b = write("a", "a.example"), write("b", "b.example")

    tls = ServerTls.load([a, b, a], TlsRules(client_ca=tmp_path / "ca.pem"))

    assert [path.name for path in tls.watched] == ["a.crt", "a.key", "b.crt", "b.key", "ca.pem"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("a.example", "a.example"),
        ("A.Example.", "a.example"),
        ("x.b.example", "*.b.example"),
        ("c.b.example", "c.b.example"),
        ("b.example", "a.example"),
        ("y.x.b.example", "a.example"),
        ("*.b.example", "*.b.example"),
        ("nobody", "a.example"),
        (".", "a.example"),
        ("", "a.example"),
        (None, "a.example"),
    ],
)
def test_a_certificate_is_chosen_by_name(write, name, answer):
    tls = ServerTls.load(
        [write("a", "a.example"), write("b", "*.b.example"), write("c", "c.b.example")], TlsRules()
    )
    handshake = tls.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)

    tls._choose(handshake, name, tls.context)

    chosen = [
        each.certificate.names[0] for each in tls._loaded if each.context is handshake.context
    ]
    assert chosen == [answer]


def test_of_two_certificates_for_a_name_the_first_is_shown(write):
    tls = ServerTls.load([write("a", "a.example"), write("b", "a.example")], TlsRules())

    assert tls._for_name("a.example") is tls._loaded[0].context


def test_remarks_name_the_file(write):
    files = write("a", "a.example", until=datetime(2025, 12, 31, tzinfo=UTC))

    [remark] = ServerTls.load([write("b", "b.example"), files], TlsRules()).remarks(WALL)

    assert str(remark) == f"{files.certificate}: expired 1.0 days ago: no client trusts it"


def of_another(files, write):
    files.private_key.write_bytes(write("other", "a.example").private_key.read_bytes())


def of_another_kind(files, _write):
    key = rsa.generate_private_key(65537, 2048)
    files.private_key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def encrypted(files, _write):
    key = load_pem_private_key(files.private_key.read_bytes(), None)
    files.private_key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )


def half_a_key(files, _write):
    files.private_key.write_bytes(files.private_key.read_bytes()[:100])


def no_key(files, _write):
    files.private_key.unlink()


def half_a_certificate(files, _write):
    files.certificate.write_bytes(files.certificate.read_bytes()[:300])


def no_certificate(files, _write):
    files.certificate.unlink()


def pipe_for_a_key(files, _write):
    files.private_key.unlink()
    os.mkfifo(files.private_key, 0o600)


def endless_certificate(files, _write):
    files.certificate.unlink()
    files.certificate.symlink_to("/dev/zero")


def readable_key(files, _write):
    files.private_key.chmod(0o644)


def weak_pair(files, _write):
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak on purpose
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.private_key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (of_another, r"a\.key: is not the key of the certificate in .*a\.crt"),
        (of_another_kind, r"a\.key: is not the key of the certificate in .*a\.crt"),
        (encrypted, r"a\.key: is encrypted"),
        (half_a_key, r"a\.key: holds no private key"),
        (no_key, r"a\.key: cannot be read: no such file"),
        (half_a_certificate, r"a\.crt: ends in the middle"),
        (no_certificate, r"a\.crt: cannot be read: no such file"),
        (pipe_for_a_key, r"a\.key: cannot be read: it is a named pipe"),
        (endless_certificate, r"a\.crt: cannot be read: it is a device"),
        (readable_key, r"a\.key: may be opened by every user"),
        (weak_pair, r"a\.crt: is too weak"),
    ],
)
def test_a_spoiled_pair_is_refused_and_the_old_one_stays(write, spoil, fault):
    files = write("a", "a.example")
    tls = ServerTls.load([files], TlsRules())
    before = tls._for_name("a.example")
    spoil(files, write)

    with pytest.raises(ConfigurationError, match=fault):
        ServerTls.load([files], TlsRules())
    with pytest.raises(ConfigurationError, match=fault):
        tls.reload()
    assert tls._for_name("a.example") is before


def test_one_spoiled_pair_of_two_keeps_both_old_ones(write):
    a, b = write("a", "a.example"), write("b", "b.example")
    tls = ServerTls.load([a, b], TlsRules())
    before = tls._loaded
    write("a", "a.example")
    half_a_certificate(b, write)

    with pytest.raises(ConfigurationError):
        tls.reload()

    assert tls._loaded is before


def test_every_fault_is_told_once(write):
    a, b = write("a", "a.example"), write("b", "b.example")
    no_key(a, write)
    half_a_certificate(b, write)

    with pytest.raises(ConfigurationError) as raised:
        ServerTls.load([a, b, a], TlsRules())

    assert [fault.path for fault in raised.value.faults] == [
        str(a.private_key),
        str(b.certificate),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read"),
        (b"", "no PEM certificate"),
        (trustme.CA().cert_pem.bytes()[:200], "ends in the middle"),
    ],
    ids=["missing", "empty", "half"],
)
def test_a_spoiled_client_ca_is_refused(write, tmp_path, content, problem):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=f"ca.pem: .*{problem}"):
        ServerTls.load([write("a", "a.example")], TlsRules(client_ca=path))


def test_clients_cas_may_be_named_between_their_certificates(write, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes("# Főtanúsítvány\n".encode() + trustme.CA().cert_pem.bytes())

    ServerTls.load([write("a", "a.example")], TlsRules(client_ca=path))


def test_a_changed_name_is_served_after_reload(write):
    files = write("a", "a.example")
    tls = ServerTls.load([files], TlsRules())
    write("a", "b.example")

    tls.reload()

    assert [each.names for each in tls.certificates] == [("b.example",)]


def test_certificates_are_told_with_the_files_that_they_are_in(write):
    files = [write("first", "a.example"), write("second", "b.example")]
    tls = ServerTls.load(files, TlsRules())

    assert tls.paths == tuple(each.certificate for each in files)
    assert [each.names for each in tls.certificates] == [("a.example",), ("b.example",)]
