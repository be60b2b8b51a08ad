from datetime import UTC, datetime

import pytest

from pyproxy.cli.authority import Identity, make_authority, make_leaf
from pyproxy.cli.trust import authority_of, trust_lines


@pytest.fixture
def folder(here, certificates):
    """Certificates of ``pyproxy cert``."""
    assert certificates
    return here / "certs"


def test_lines_hold_in_every_folder(here):
    assert trust_lines(here.joinpath("ca.crt").relative_to(here)) == [
        f"export SSL_CERT_FILE={here}/ca.crt",
        f"export NODE_EXTRA_CA_CERTS={here}/ca.crt",
        f"export REQUESTS_CA_BUNDLE={here}/ca.crt",
    ]


def test_ca_beside_the_certificate_that_it_signed_is_found(folder):
    assert authority_of(folder / "copilot.crt") == folder / "ca.crt"


def test_certificate_that_signed_itself_is_its_own_authority(folder):
    assert authority_of(folder / "ca.crt") == folder / "ca.crt"


def test_ca_that_signed_another_certificate_is_none(folder):
    (folder / "ca.crt").write_text(make_authority(datetime.now(UTC)).certificate_pem())

    assert authority_of(folder / "copilot.crt") is None


def test_intermediate_of_a_chain_is_none(folder):
    now = datetime.now(UTC)
    between = make_leaf(make_authority(now), ["between"], now)
    leaf = make_leaf(Identity(between.certificate, between.key), ["localhost"], now)
    (folder / "ca.crt").write_text(between.certificate_pem())
    (folder / "copilot.crt").write_text(leaf.certificate_pem())

    assert authority_of(folder / "copilot.crt") is None


@pytest.mark.parametrize("name", ["ca.crt", "copilot.crt"])
@pytest.mark.parametrize("text", [None, "", "no certificate"])
def test_what_cannot_be_read_says_nothing(folder, name, text):
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)

    assert authority_of(folder / "copilot.crt") is None
