from datetime import timedelta

import pytest
import trustme

from pyproxy.cli.authority import LEAF_DAYS, Identity, hosts_of
from pyproxy.cli.certificate_files import LOCAL_HOSTS, CertificateFiles, ensure_certificate
from pyproxy.errors.fault import ConfigurationError


@pytest.fixture
def files(tmp_path):
    return CertificateFiles.under(tmp_path / "certs")


def leaf(files):
    return Identity.parse(files.certificate.read_bytes(), files.key.read_bytes())


def test_everything_is_made(files, now):
    assert ensure_certificate(files, LOCAL_HOSTS, now)
    assert set(hosts_of(leaf(files).certificate)) == set(LOCAL_HOSTS)


def test_chain_ends_in_the_authority(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)

    assert files.certificate.read_text().endswith(files.ca_certificate.read_text())


def test_keys_are_the_owners_alone(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)

    assert files.ca_key.stat().st_mode & 0o777 == 0o600
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert files.ca_certificate.stat().st_mode & 0o777 == 0o644


def test_what_is_sound_is_left_alone(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)
    before = files.certificate.read_bytes(), files.ca_certificate.read_bytes()

    assert not ensure_certificate(files, LOCAL_HOSTS, now)
    assert before == (files.certificate.read_bytes(), files.ca_certificate.read_bytes())


def test_leaf_near_its_end_is_renewed_by_the_same_authority(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)
    authority = files.ca_certificate.read_bytes()

    assert ensure_certificate(files, LOCAL_HOSTS, now + timedelta(days=LEAF_DAYS))
    assert files.ca_certificate.read_bytes() == authority


def test_leaf_without_a_host_is_renewed(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)

    assert ensure_certificate(files, (*LOCAL_HOSTS, "gateway.test"), now)
    assert "gateway.test" in hosts_of(leaf(files).certificate)


def test_authority_past_its_time_is_replaced(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)
    authority = files.ca_certificate.read_bytes()

    assert ensure_certificate(files, LOCAL_HOSTS, now + timedelta(days=5000))
    assert files.ca_certificate.read_bytes() != authority


def test_certificate_of_another_authority_is_not_replaced(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)
    theirs = trustme.CA().issue_cert("localhost")
    theirs.private_key_pem.write_to_path(files.key)
    theirs.cert_chain_pems[0].write_to_path(files.certificate)

    with pytest.raises(ConfigurationError, match="not from this CA"):
        ensure_certificate(files, LOCAL_HOSTS, now)

    assert files.certificate.read_bytes() == theirs.cert_chain_pems[0].bytes()


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "copilot.crt", "copilot.key"])
def test_half_of_a_pair_is_not_replaced(files, tmp_path, now, name):
    ensure_certificate(files, LOCAL_HOSTS, now)
    (tmp_path / "certs" / name).unlink()

    with pytest.raises(ConfigurationError, match="move both away"):
        ensure_certificate(files, LOCAL_HOSTS, now)


def test_broken_certificate_is_not_replaced(files, now):
    ensure_certificate(files, LOCAL_HOSTS, now)
    files.certificate.write_text("not PEM")

    with pytest.raises(ConfigurationError, match="move both away"):
        ensure_certificate(files, LOCAL_HOSTS, now)
