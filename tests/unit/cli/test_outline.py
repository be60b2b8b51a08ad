import pytest

from pyproxy.cli.certificate_files import CertificateFiles, ensure_certificate
from pyproxy.cli.outline import outline
from pyproxy.config.load import load
from pyproxy.providers.catalogue import CATALOGUE

WALL = 1_800_000_000.0  # in January 2027
CONFIG = """
[[listeners]]
bind = "127.0.0.1:5000"
certificate = "copilot.crt"
private_key = "copilot.key"
client_ca = "ca.crt"
[[listeners]]
bind = "unix:x.sock"
routes = ["open"]
proxy_protocol = true
[auth]
keys = ["a-plain-key-of-somebody", { env = "MY_KEY" }]
keys_file = "keys.txt"
[auth.jwt]
jwks_url = "https://issuer.test/jwks.json"
issuer = "https://issuer.test"
signing_keys_file = "signing.json"
[endpoints]
verify = ""
[egress]
allow = ["*.example.test", "127.0.0.1"]
proxy = { env = "MY_PROXY" }
no_proxy = ["10.0.0.0/8"]
allow_private = true
[[routes]]
name = "copilot"
path = "/copilot"
provider = "copilot-api"
allow_from = ["10.0.0.0/8"]
users = ["alice"]
deny_paths = ["/internal/*"]
max_concurrent = 3
max_body = "1MB"
[[routes]]
name = "open"
upstream = ["http://127.0.0.1:1", "https://api.example.test/v1"]
auth = []
methods = ["POST"]
hosts = ["api.example.test"]
rate_limits = []
credential = { header = "Authorization", value = "Bearer very-secret-value" }
[[routes]]
name = "query"
path = "/query"
upstream = "http://127.0.0.1:2"
credential = { query = "key", value = { env = "MY_KEY" } }
[[routes]]
name = "gemini"
path = "/gemini"
provider = "gemini"
models = ["gemini-3*", "gemma-*"]
heartbeat = "15s"
"""

ENVIRON = {"MY_KEY": "another-secret-key", "MY_PROXY": "http://alice:proxys-secret@p.test:3128"}


@pytest.fixture
def text(tmp_path, now):
    ensure_certificate(CertificateFiles.under(tmp_path), ["localhost"], now)
    (tmp_path / "pyproxy.toml").write_text(CONFIG)
    (tmp_path / "keys.txt").write_text(
        "first-key-of-somebody expires=2026-12-31\nsecond-key-of-somebody expires=2028-12-31\n"
    )
    loaded = load(tmp_path / "pyproxy.toml", ENVIRON, tmp_path)
    return "\n".join(outline(loaded.settings, WALL))


def test_secrets_are_left_out(text):
    assert "very-secret-value" not in text
    assert "a-plain-key" not in text
    assert "another-secret" not in text
    assert "proxys-secret" not in text


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("listener 127.0.0.1:5000", id="listener"),
        pytest.param("https://localhost:5000", id="url"),
        pytest.param("localhost; until 20", id="certificate"),
        pytest.param("need a certificate from", id="client CA"),
        pytest.param("introduced   by a PROXY header", id="PROXY protocol"),
        pytest.param("hosts        *.example.test, 127.0.0.1", id="hosts"),
        pytest.param("proxy        http://***@p.test:3128 (env MY_PROXY), for TLS", id="proxy"),
        pytest.param("directly     10.0.0.0/8", id="what the proxy is not for"),
        pytest.param("private      any name may resolve to a private", id="private addresses"),
        pytest.param("verify       off", id="endpoint turned off"),
        pytest.param("/token", id="endpoint"),
        pytest.param("2 in plain (literal, env MY_KEY)", id="where keys are from"),
        pytest.param("keys.txt: 2 keys, 1 expired", id="keys file"),
        pytest.param("https://issuer.test/jwks.json", id="key set"),
        pytest.param("issuer https://issuer.test, any audience", id="token rules"),
        pytest.param("signing.json, for 1h", id="minting"),
        pytest.param("15m, after 20 failures in 10m from one address", id="bans"),
        pytest.param("/copilot (any method, any host)", id="what a route takes"),
        pytest.param("/ (POST, api.example.test)", id="what another takes"),
        pytest.param("http://127.0.0.1:4141 (copilot-api)", id="provider's upstream"),
        pytest.param("http://127.0.0.1:1, https://api.example.test/v1 (generic)", id="upstreams"),
        pytest.param("an API key or a JWT", id="who"),
        pytest.param("anybody", id="open"),
        pytest.param("10.0.0.0/8", id="networks"),
        pytest.param("alice", id="users"),
        pytest.param("/usage", id="denied by the provider"),
        pytest.param("/internal/*", id="denied by the route"),
        pytest.param("api 10r/s burst 20 per ip; 3 at a time", id="limits"),
        pytest.param("up to 1MB", id="body"),
        pytest.param("up to 100MB", id="body by default"),
        pytest.param("Authorization (literal)", id="injected header"),
        pytest.param("?key= (env MY_KEY)", id="injected parameter"),
        pytest.param("injects      nothing yet: GEMINI_API_KEY is not set", id="missing key"),
        pytest.param("models       gemini-3*, gemma-*", id="models"),
        pytest.param("heartbeat    after 15s", id="heartbeat"),
    ],
)
def test_outline_says(text, words):
    assert words in text


@pytest.mark.parametrize(
    ("content", "words"),
    [pytest.param(None, "no such file", id="missing"), pytest.param("x", "no PEM", id="broken")],
)
def test_certificate_that_cannot_be_read_is_named(tmp_path, content, words):
    if content is not None:
        (tmp_path / "certs").mkdir()
        (tmp_path / "certs" / "copilot.crt").write_text(content)
    loaded = load(None, {"API_KEY": "a-plain-key-of-somebody"}, tmp_path)

    lines = [line for line in outline(loaded.settings, WALL) if "copilot.crt" in line]

    assert words in lines[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "keys.txt: 0 keys", id="none"),
        pytest.param("a-plain-key-of-somebody\n", "keys.txt: 1 key", id="one"),
        pytest.param("a:b\n", "keys.txt:1: ", id="malformed"),
    ],
)
def test_keys_are_counted(tmp_path, content, words):
    (tmp_path / "keys.txt").write_text(content)
    loaded = load(None, {"API_KEYS_FILE": "keys.txt"}, tmp_path)

    (line,) = [line for line in outline(loaded.settings, WALL) if "keys file" in line]

    assert words in line
    assert "expired" not in line


PROVIDERS = """
[[routes]]
name = "plain"
provider = "openai"
auth = []
[[routes]]
name = "more"
path = "/more"
provider = "anthropic"
auth = []
deny_paths = ["/v1/files", "/v1/skills"]
"""


@pytest.fixture
def of_providers(tmp_path):
    (tmp_path / "pyproxy.toml").write_text(PROVIDERS)

    def lines(**environ):
        loaded = load(tmp_path / "pyproxy.toml", environ, tmp_path)
        return list(outline(loaded.settings, WALL, loaded.filled))

    return lines


def test_bans_that_are_off_are_not_shown(tmp_path):
    (tmp_path / "off.toml").write_text("[auth.ban]\nafter = 0\n")
    loaded = load(tmp_path / "off.toml", {"API_KEY": "a-plain-key-of-somebody"}, tmp_path)

    assert not any(line.startswith("  bans") for line in outline(loaded.settings, WALL))


def test_there_is_no_heading_above_nothing(of_providers):
    assert "credentials" not in of_providers()
    assert "credentials" in of_providers(API_KEY="a-plain-key-of-somebody")


def test_many_patterns_of_a_provider_are_counted(of_providers):
    keys = {"OPENAI_API_KEY": "sk-a", "ANTHROPIC_API_KEY": "sk-b"}
    counts = [len(CATALOGUE[name].credential_paths) for name in ("openai", "anthropic")]

    assert [line for line in of_providers(**keys) if "denied" in line] == [
        f"  denied       {counts[0]} patterns of the provider's",
        f"  denied       {counts[1]} patterns of the provider's, and yours: /v1/files, /v1/skills",
    ]
    assert [line for line in of_providers() if "denied" in line] == [
        "  denied       /v1/files, /v1/skills"
    ]


def test_variable_that_an_upstream_is_from_is_named(of_providers):
    found = of_providers(OPENAI_API_TARGET="openai.test")

    assert "  upstream     https://openai.test (openai, OPENAI_API_TARGET)" in found
    assert "  upstream     https://api.anthropic.com (anthropic)" in found


@pytest.mark.parametrize(
    ("server", "lines"),
    [
        ('admin = ""', ["admin", "  listener     off"]),
        ("", ["admin", "  listener     127.0.0.1:9100", "  callers      whoever reaches it"]),
        (
            'admin = "[::1]:1"\nadmin_token = "a-secret-of-operators"',
            ["admin", "  listener     [::1]:1", "  callers      the admin token (literal)"],
        ),
    ],
    ids=["off", "default", "token"],
)
def test_who_may_ask_the_admin_listener_is_told(tmp_path, server, lines):
    path = tmp_path / "pyproxy.toml"
    path.write_text(f"[server]\n{server}\n")
    told = list(outline(load(path, {"API_KEY": "k" * 20}, tmp_path).settings, WALL))

    at = told.index("admin")
    assert told[at : told.index("own endpoints")] == lines
