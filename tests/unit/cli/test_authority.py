from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pyproxy.cli.authority import (
    CA_DAYS,
    LEAF_DAYS,
    RENEW_DAYS,
    Identity,
    hosts_of,
    is_sound_authority,
    is_sound_leaf,
    make_authority,
    make_leaf,
)

HOSTS = ("localhost", "127.0.0.1", "::1", "*.example.test")


@pytest.fixture
def authority(now):
    return make_authority(now)


@pytest.fixture
def leaf(authority, now):
    return make_leaf(authority, HOSTS, now)


def test_leaf_is_for_names_and_addresses(leaf):
    assert set(hosts_of(leaf.certificate)) == set(HOSTS)


def test_leaf_is_signed_by_the_authority(authority, leaf):
    leaf.certificate.verify_directly_issued_by(authority.certificate)


def test_leaf_is_no_authority(leaf, now):
    assert not is_sound_authority(leaf, now)


def test_authority_has_no_hosts(authority):
    assert hosts_of(authority.certificate) == ()


def test_authority_signs_leaves_only(authority):
    extensions = authority.certificate.extensions

    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value

    assert constraints.critical
    assert constraints.value.path_length == 0
    assert usage.key_cert_sign
    assert not usage.digital_signature


@pytest.mark.parametrize(
    ("days", "is_sound"),
    [
        pytest.param(-1, False, id="not valid yet"),
        pytest.param(0, True, id="new"),
        pytest.param(CA_DAYS - RENEW_DAYS - 1, True, id="before renewal"),
        pytest.param(CA_DAYS - RENEW_DAYS, False, id="near its end"),
        pytest.param(CA_DAYS, False, id="over"),
    ],
)
def test_authority_is_sound_until_near_its_end(authority, now, days, is_sound):
    assert is_sound_authority(authority, now + timedelta(days=days)) is is_sound


def test_certificate_without_constraints_is_no_authority(authority, now):
    plain = (
        x509.CertificateBuilder()
        .subject_name(authority.certificate.subject)
        .issuer_name(authority.certificate.subject)
        .public_key(authority.key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=90))
        .sign(authority.key, authority.certificate.signature_hash_algorithm)
    )

    assert not is_sound_authority(Identity(plain, authority.key), now)


@pytest.mark.parametrize(
    ("hosts", "days", "is_sound"),
    [
        pytest.param(HOSTS, 0, True, id="all hosts"),
        pytest.param(("localhost",), 0, True, id="fewer hosts"),
        pytest.param(("other.test",), 0, False, id="another host"),
        pytest.param(HOSTS, LEAF_DAYS - RENEW_DAYS, False, id="near its end"),
    ],
)
def test_leaf_is_sound_until_near_its_end(now, hosts, days, is_sound):
    authority = make_authority(now)
    leaf = make_leaf(authority, HOSTS, now)

    assert is_sound_leaf(leaf, authority, hosts, now + timedelta(days=days)) is is_sound


def test_leaf_of_another_authority_is_not_sound(leaf, now):
    assert not is_sound_leaf(leaf, make_authority(now), HOSTS, now)


def test_long_host_names_fit(authority, now):
    host = f"{'a' * 60}.{'b' * 60}.test"

    assert hosts_of(make_leaf(authority, [host], now).certificate) == (host,)


def test_pair_reads_back(leaf):
    read = Identity.parse(leaf.certificate_pem().encode(), leaf.key_pem().encode())

    assert read.certificate == leaf.certificate


def test_key_of_another_certificate_is_refused(authority, leaf):
    with pytest.raises(ValueError, match="not the certificate's"):
        Identity.parse(leaf.certificate_pem().encode(), authority.key_pem().encode())


def test_key_of_another_kind_is_refused(leaf):
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    with pytest.raises(ValueError, match="not an EC key"):
        Identity.parse(leaf.certificate_pem().encode(), pem)
