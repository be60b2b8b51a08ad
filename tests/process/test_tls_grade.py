"""What scanners of TLS think of a listener as it is by default, with its own CA trusted.

testssl.sh 3.0 of Debian gives no grade; its later versions do, by the SSL Labs Server Rating
Guide. What the guide wants for A+ is asked here one by one: TLS 1.2 and 1.3 alone, forward
secrecy and AEAD alone, a chain that is trusted, no known weakness, and HSTS for half a year.
"""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pyproxy.cli.certificate_files import CertificateFiles, ensure_certificate
from tests.process.served import hashed, put, serving
from tests.programs import demand

TESTSSL = next(filter(shutil.which, ("testssl", "testssl.sh")), "")
SSLYZE = "sslyze"
SCAN_S = 170
# On a busy machine the scanner says of some of its own connections that they failed.
LOOKS = 3
PEM = serialization.Encoding.PEM
CONFIG = """
[server]
admin = ""
[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/{name}.crt"
private_key = "certs/{name}.key"
{listener}
[auth]
keys_file = "keys.txt"
[[routes]]
name = "all"
upstream = "http://127.0.0.1:9"
"""
# What it may find: nobody revokes for a local CA or speaks for the name in DNS, and the key
# exchanges that a quantum computer cannot break come with OpenSSL 3.5.
EXPECTED = {"cert_revocation", "DNS_CAArecord", "engine_problem", "FS_KEMs"}


@pytest.fixture
def certified(folder):
    """The development CA with a certificate of each kind of key."""
    put(folder / "keys.txt", hashed("alice", "pyp_nobody-asks-with-this-key-0123456789"))
    files = CertificateFiles.under(folder / "certs")
    ensure_certificate(files, ("localhost", "127.0.0.1"), datetime.now(UTC))
    _issue_rsa(folder / "certs")
    return folder


def _issue_rsa(certs):
    """The same certificate with an RSA key."""
    authority = x509.load_pem_x509_certificate((certs / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((certs / "ca.key").read_bytes(), None)
    old = x509.load_pem_x509_certificate((certs / "copilot.crt").read_bytes())
    key = rsa.generate_private_key(65537, 2048)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=89))
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    issued = builder.sign(signer, hashes.SHA256())
    put(certs / "rsa.crt", issued.public_bytes(PEM))
    private = serialization.PrivateFormat.PKCS8
    put(certs / "rsa.key", key.private_bytes(PEM, private, serialization.NoEncryption()))


def scanned(folder, port, *sections):
    """What testssl.sh found, by its id: severity and words."""
    found = folder / "found.json"
    command = [
        TESTSSL, "--quiet", "--color", "0", "--warnings", "off", "--ip", "one",
        "--add-ca", str(folder / "certs/ca.crt"), "--jsonfile", str(found), *sections,
        f"https://localhost:{port}",
    ]  # fmt: skip
    for _ in range(LOOKS):
        found.unlink(missing_ok=True)
        subprocess.run(
            command, check=False, capture_output=True, timeout=SCAN_S, stdin=subprocess.DEVNULL
        )
        seen = {
            each["id"]: (each["severity"], each["finding"])
            for each in json.loads(found.read_text())
        }
        if not any("connect problem" in words for _, words in seen.values()):
            break
    return seen


def bad(findings):
    return {
        name: (severity, words)
        for name, (severity, words) in findings.items()
        if severity not in {"OK", "INFO"} and name not in EXPECTED
    }


@pytest.mark.timeout(SCAN_S + 10)
def test_protocols_chain_and_fields_are_worth_the_best_grade(certified):
    demand("" if TESTSSL else "testssl.sh is not installed")

    with serving(certified, CONFIG.format(name="copilot", listener="")) as gateway:
        found = scanned(certified, gateway.port, "-p", "-f", "-S", "-h")

    assert bad(found) == {}
    words = {name: words for name, (_, words) in found.items()}
    for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert words[name] == "not offered"
    assert words["TLS1_2"] == "offered"
    assert words["TLS1_3"].startswith("offered")
    assert words["cert_chain_of_trust"] == "passed."
    assert words["cert_trust"].startswith("Ok via SAN")
    assert "730 days" in words["HSTS_time"]
    assert "includes subdomains" in words["HSTS_subdomains"]


@pytest.mark.timeout(SCAN_S + 10)
def test_no_known_weakness_is_found_with_an_rsa_key(certified):
    demand("" if TESTSSL else "testssl.sh is not installed")

    with serving(certified, CONFIG.format(name="rsa", listener="")) as gateway:
        found = scanned(certified, gateway.port, "-U")

    assert bad(found) == {}
    assert {"heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "CRIME_TLS"} <= set(found)


@pytest.mark.parametrize(
    ("name", "listener", "profile"),
    [
        pytest.param("copilot", "", "intermediate", id="ECDSA"),
        pytest.param("rsa", "", "intermediate", id="RSA"),
        pytest.param("copilot", 'min_version = "1.3"', "modern", id="TLS 1.3 alone"),
    ],
)
def test_it_is_as_mozilla_recommends(certified, name, listener, profile):
    demand("" if shutil.which(SSLYZE) else "sslyze is not installed")

    with serving(certified, CONFIG.format(name=name, listener=listener)) as gateway:
        ran = subprocess.run(
            [SSLYZE, "--certinfo_ca_file", str(certified / "certs/ca.crt"),
             "--mozilla_config", profile, f"localhost:{gateway.port}"],
            capture_output=True, text=True, timeout=SCAN_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    _, _, verdict = ran.stdout.partition("COMPLIANCE AGAINST TLS CONFIGURATION")
    complaints = [line.strip() for line in verdict.splitlines() if line.strip().startswith("*")]
    if profile == "modern":  # it wants certificates renewed every 90 days; these last a year
        complaints = [each for each in complaints if "maximum_certificate_lifespan" not in each]
        assert "days, should be less than 90" in verdict
    else:
        assert "OK - Compliant" in verdict
    assert complaints == []
