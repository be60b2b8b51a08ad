"""What a PEM certificate says."""

from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.certificates import read_certificate

DAY_S = 86400.0
MADE = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2026, 4, 1, tzinfo=UTC)


def make(*extensions, signed_by=None, issuer="gateway"):
    """A certificate of a key of its own, signed by it unless ``signed_by`` is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(MADE)
        .not_valid_after(ENDS)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signed_by or key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_the_facts_of_a_certificate():
    names = x509.SubjectAlternativeName([x509.DNSName("API.example"), x509.DNSName("*.b.example")])

    found = read_certificate(make(names), "tls.crt")

    assert found.subject == "CN=gateway"
    assert found.names == ("api.example", "*.b.example")
    assert found.not_before == MADE.timestamp()
    assert found.not_after == ENDS.timestamp()
    assert found.is_self_signed
    assert found.chain_length == 1


def test_an_address_is_a_name():
    pem = trustme.CA().issue_cert("127.0.0.1", "::1").cert_chain_pems[0].bytes()

    assert read_certificate(pem, "tls.crt").names == ("127.0.0.1", "::1")


def test_the_first_certificate_counts_and_the_chain_is_counted():
    root = trustme.CA()
    middle = root.create_child_ca()
    pems = middle.issue_cert("a.example").cert_chain_pems

    found = read_certificate(b"".join(pem.bytes() for pem in pems), "tls.crt")

    assert found.names == ("a.example",)
    assert found.chain_length == 2
    assert not found.is_self_signed


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(make(signed_by=ec.generate_private_key(ec.SECP256R1())), id="same name"),
        pytest.param(make(issuer="authority"), id="same key"),
    ],
)
def test_a_certificate_of_somebody_else_is_not_self_signed(pem):
    assert not read_certificate(pem, "tls.crt").is_self_signed


CHAIN = b"".join(
    pem.bytes() for pem in trustme.CA().create_child_ca().issue_cert("a.example").cert_chain_pems
)


@pytest.mark.parametrize(
    ("pem", "problem"),
    [
        pytest.param(b"", "no PEM certificate", id="truncated to nothing"),
        pytest.param(b"\x30\x82\x01\x0a", "no PEM certificate", id="DER"),
        pytest.param(CHAIN[:300], "ends in the middle", id="cut in the first"),
        pytest.param(CHAIN[:-100], "ends in the middle", id="cut in the last"),
        pytest.param(CHAIN.replace(b"M", b"!", 3), "broken", id="not base64"),
        pytest.param(CHAIN.replace(b"\nMII", b"\nAAA", 1), "broken", id="not ASN.1"),
    ],
)
def test_a_broken_file_is_named(pem, problem):
    with pytest.raises(ConfigurationError, match=f"^tls.crt: .*{problem}"):
        read_certificate(pem, "tls.crt")


@pytest.mark.parametrize(
    ("wall", "oddities"),
    [
        pytest.param(ENDS - timedelta(days=30), [], id="fine"),
        pytest.param(ENDS - timedelta(days=13), ["expires in 13.0 days"], id="renewal is late"),
        pytest.param(ENDS, ["expired 0.0 days ago: no client trusts it"], id="at its end"),
        pytest.param(ENDS + timedelta(days=2), ["expired 2.0 days ago: no client trusts it"],
                     id="expired"),
        pytest.param(MADE - timedelta(days=1),
                     ["is not valid yet: is this machine's clock right?"], id="too early"),
    ],
)  # fmt: skip
def test_oddities(wall, oddities):
    pem = make(x509.SubjectAlternativeName([x509.DNSName("a.example")]))

    assert list(read_certificate(pem, "tls.crt").oddities(wall.timestamp())) == oddities


def test_a_certificate_without_names_is_odd():
    found = read_certificate(make(), "tls.crt")

    assert found.names == ()
    assert found.oddities(MADE.timestamp()) == (
        "names no host in subjectAltName: no client trusts it",
    )
