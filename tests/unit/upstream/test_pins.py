"""A pinned key narrows what certificate verification lets through."""

import base64
import ssl
import subprocess

import pytest
import trustme

from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.upstream.pins import Pins, pin_of

OTHER = base64.b64encode(bytes(32)).decode()


def der(certificate: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())


CERTIFICATE = der(trustme.CA().issue_cert("a.example"))


def openssl_pin(certificate: bytes) -> str:
    """The recipe that RFC 7469 gives in its appendix A."""
    public = subprocess.run(
        ["openssl", "x509", "-inform", "der", "-pubkey", "-noout"],
        input=certificate, capture_output=True, check=True,
    )  # fmt: skip
    key = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"],
        input=public.stdout, capture_output=True, check=True,
    )  # fmt: skip
    digest = subprocess.run(
        ["openssl", "dgst", "-sha256", "-binary"], input=key.stdout, capture_output=True, check=True
    )
    return base64.b64encode(digest.stdout).decode()


@pytest.mark.parametrize("kind", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
def test_a_pin_is_what_openssl_says(kind):
    certificate = der(trustme.CA().issue_cert("a.example", key_type=kind))

    assert pin_of(certificate) == openssl_pin(certificate)


@pytest.mark.parametrize(
    "pins",
    [
        pytest.param([], id="nothing pinned"),
        pytest.param([pin_of(CERTIFICATE)], id="its key"),
        pytest.param([OTHER, pin_of(CERTIFICATE)], id="its key is the next one"),
    ],
)
def test_a_pinned_key_passes(pins):
    Pins.of(pins).check(CERTIFICATE)


@pytest.mark.parametrize(
    ("certificate", "shown"),
    [
        pytest.param(CERTIFICATE, pin_of(CERTIFICATE), id="other key"),
        pytest.param(None, "none", id="no certificate"),
        pytest.param(b"\x30\x00", "none", id="broken certificate"),
    ],
)
def test_another_key_is_refused_and_shown_to_the_operator(certificate, shown):
    with pytest.raises(UpstreamUnreachable) as raised:
        Pins.of([OTHER]).check(certificate)

    assert raised.value.detail == f"pin mismatch: the upstream's key is {shown}"


def test_what_is_no_base64_is_nobodys_pin():
    with pytest.raises(ValueError, match="base64"):
        Pins.of(["A" * 43 + "!"])


def test_pins_are_true_when_there_are_any():
    assert Pins.of([OTHER])
    assert not Pins.of([])


def test_a_broken_certificate_has_no_pin():
    with pytest.raises(UpstreamUnreachable, match="cannot be read"):
        pin_of(b"")
