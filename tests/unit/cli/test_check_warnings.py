"""What ``pyproxy check`` warns of, end to end: one sentence each that says what to do."""

import json
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pyproxy.config.load import load
from pyproxy.identity.jwk_private import private_members
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.runtime.startup import prepare

PROJECT = Path(__file__).parents[3]
LISTENER = '[[listeners]]\nbind = "{bind}"\n{tls}\n'
TLS = 'certificate = "certs/copilot.crt"\nprivate_key = "certs/copilot.key"'
CONFIG = """
{server}
{listener}
[auth]
keys_file = "keys.txt"
{auth}
[auth.jwt]
signing_keys_file = "signing.json"
issuer = "me"
audience = "me"
{jwt}
{more}
[[routes]]
name = "main"
upstream = "http://127.0.0.1:1"
{route}
"""


def config(bind="0.0.0.0:5000", tls=TLS, **parts):
    """A sound configuration for production, with parts added."""
    parts = {"server": "", "auth": "", "jwt": "", "more": "", "route": ""} | parts
    return CONFIG.format(listener=LISTENER.format(bind=bind, tls=tls), **parts)


@pytest.fixture
def production(pyproxy, certificates, monkeypatch):
    """A folder that every user may enter, with what a sound configuration needs."""
    assert certificates
    pyproxy("keys", "new", "alice", "--file", "keys.txt")
    pyproxy("jwks", "new", "--file", "signing.json")
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(here, name, dirs_exist_ok=True))
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        yield folder
        monkeypatch.chdir(here)


def self_signed(folder, days=365, key=None):
    """Put a certificate in place that is signed with its own key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certs/copilot.crt").write_bytes(made.public_bytes(pem))
    (folder / "certs/copilot.key").write_bytes(
        key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip


def ending(days):
    return lambda folder: self_signed(folder, days)


def readable(name):
    return lambda folder: (folder / name).chmod(0o644)


def holding(name, text):
    def hold(folder):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text)

    return hold


def weak_certificate(folder):
    """One that RSA of 1,024 bits signs."""
    self_signed(folder, key=rsa.generate_private_key(65537, 1024))  # noqa: S505


def weak_signing_keys(folder):
    """A set whose only key has 1,024 bits."""
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    holding("signing.json", json.dumps({"keys": [{"kid": "w", **private_members(key)}]}))(folder)


def nothing(_folder):
    """All is as it should be."""


@pytest.mark.usefixtures("production")
def test_a_sound_configuration_for_production_has_no_warning(pyproxy):
    Path("pyproxy.toml").write_text(config())

    code, _, err = pyproxy("check", "--strict")

    assert (code, err) == (0, [])


@pytest.mark.parametrize(
    ("spoil", "parts", "place", "advice"),
    [
        pytest.param(readable("keys.txt"), {}, "keys.txt", "chmod o-rwx", id="hashes readable"),
        pytest.param(
            readable("pyproxy.toml"),
            {"auth": 'keys = ["a-plain-key-of-somebody"]'},
            "pyproxy.toml",
            "chmod o-rwx",
            id="configuration with a secret readable",
        ),
        pytest.param(
            lambda folder: (holding(".env", "A=b")(folder), readable(".env")(folder)),
            {}, ".env", "chmod o-rwx", id="environment file readable",
        ),
        pytest.param(
            holding("keys.txt", "short\n"), {}, "keys.txt:1", "under 16 characters", id="short key"
        ),
        pytest.param(
            nothing, {"auth": 'keys = ["a-plain-key-of-somebody"]'}, "auth.keys[0]",
            "`pyproxy keys new` makes one", id="plain key",
        ),
        pytest.param(
            ending(300), {}, "headers.hsts", "use a CA's certificate", id="preload, self-signed"
        ),
        pytest.param(
            nothing, {"route": "auth = []"}, "routes[0].auth", "name a way in, or use allow_from",
            id="open route on a public address",
        ),
        pytest.param(
            nothing, {"tls": ""}, "listeners[0].bind", "add a certificate",
            id="plain HTTP on a public address",
        ),
        pytest.param(
            nothing, {"server": '[server]\ntrusted_proxies = ["0.0.0.0/1"]'},
            "server.trusted_proxies[0]", "name the proxies' own networks", id="half of all trusted",
        ),
        pytest.param(
            nothing, {"server": '[server]\ntrusted_proxies = ["2000::/3"]'},
            "server.trusted_proxies[0]", "name the proxies' own networks", id="all of IPv6 trusted",
        ),
        pytest.param(ending(-2), {}, "copilot.crt", "expired 2.0 days ago", id="expired"),
        pytest.param(ending(13), {}, "copilot.crt", "expires in 13.0 days", id="expires soon"),
        pytest.param(
            nothing,
            {"more": '[cors]\norigins = ["*"]', "route": 'auth = []\nallow_from = ["10.0.0.0/8"]'},
            "routes[0].auth", "name the origins, or ask for a key", id="any page, no credential",
        ),
        pytest.param(
            holding("public.json", json.dumps(generate_key_set("ES256"))),
            {"jwt": 'jwks_file = "public.json"'}, "public.json",
            "keep it in auth.jwt.signing_keys_file", id="private key among those that verify",
        ),
    ],
)  # fmt: skip
def test_each_danger_is_one_sentence_and_counts_when_strict(
    pyproxy, production, spoil, parts, place, advice
):
    (production / "pyproxy.toml").touch(mode=0o600)
    (production / "pyproxy.toml").write_text(config(**parts))
    spoil(production)

    code, _, err = pyproxy("check")

    [line] = [line for line in err if advice in line]
    assert code == 0, err
    assert line.startswith("warning: ")
    assert place in line
    assert pyproxy("check", "--strict")[0] == 1


def test_without_preload_a_self_signed_certificate_is_let_be(pyproxy, production):
    self_signed(production)
    (production / "pyproxy.toml").write_text(config(more='[headers]\nhsts = "max-age=60"'))

    assert pyproxy("check", "--strict")[0] == 0


@pytest.mark.parametrize(
    ("spoil", "parts", "place"),
    [
        pytest.param(readable("signing.json"), {}, "signing.json", id="signing key readable"),
        pytest.param(readable("certs/copilot.key"), {}, "copilot.key", id="TLS key readable"),
        pytest.param(
            holding("keys.txt", "a-plain-key-of-somebody\n"), {}, "keys.txt",
            id="plain keys readable",
        ),
        pytest.param(
            nothing, {"auth": 'keys = [""]'}, "auth.keys[0]", id="empty key",
        ),
        pytest.param(
            nothing, {"server": '[server]\ntrusted_proxies = ["0.0.0.0/0"]'},
            "server.trusted_proxies[0]", id="wildcard trust",
        ),
        pytest.param(weak_certificate, {}, "copilot.crt", id="weak certificate"),
        pytest.param(weak_signing_keys, {}, "signing.json", id="weak signing key"),
        pytest.param(
            holding("provider.key", ""),
            {"route": 'credential = { header = "X-Key", value = { file = "provider.key" } }'},
            "provider.key is empty", id="empty credential",
        ),
    ],
)  # fmt: skip
def test_what_must_not_be_served_is_refused(pyproxy, production, spoil, parts, place):
    (production / "pyproxy.toml").write_text(config(**parts))
    spoil(production)
    readable("keys.txt")(production)

    code, _, err = pyproxy("check")

    assert code == 2
    assert any(place in line for line in err), err


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        pytest.param("config.example.toml", {"API_KEY": "k" * 32}, id="example"),
        pytest.param(
            "deploy/sidecar.toml",
            {
                "OPENAI_API_KEY": "k" * 32,
                "ANTHROPIC_API_KEY": "k" * 32,
                "GEMINI_API_KEY": "k" * 32,
                "COPILOT_API_KEY": "k" * 32,
            },
            id="sidecar",
        ),
        pytest.param(
            "deploy/k8s-egress.toml",
            {
                "PROXY_SECRET": "s" * 64,
                "ALLOWED_CIDR": "10.0.0.0/8",
                "LISTEN_ADDRESS": "10.1.2.3",
            },
            id="egress of a cluster",
        ),
    ],
)
def test_what_is_shipped_has_no_warning(production, name, environ):
    (production / "deploy").mkdir()
    config_file = Path(shutil.copy(PROJECT / name, production / name))

    loaded = load(config_file, environ, production)

    assert prepare(loaded, datetime.now(UTC).timestamp()).remarks == ()
