"""A client's pre-flight against a gateway in a process of its own.

The upstream counts what reaches it: asking must not cost anything there.
"""

import http.server
import threading

import pytest

from tests.lab.gateway import run, serving

SHARED = "a-shared-secret-of-the-cluster"
KEY = "a-plain-key-of-somebody"
OWN = "sk-proj-" + "aB3dE5gH" * 6
CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys = ["{key}"]
{routes}
[[routes]]
name = "brought"
path = "/brought"
provider = "openai"
upstream = "{upstream}"
auth = ["token"]
token = {{ secret = "{shared}" }}
credential_from = ["X-Proxy-Token"]
[[routes]]
name = "far"
path = "/far"
provider = "openai"
upstream = "{upstream}"
allow_from = ["192.0.2.0/24"]
credential = {{ value = "upstreams-own" }}
"""
ROUTE = """
[[routes]]
name = "{provider}"
path = "/{provider}"
provider = "{provider}"
upstream = "{upstream}"
credential = {{ value = "upstreams-own" }}
"""
TLS_CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
"""
PROVIDERS = ("openai", "anthropic", "gemini", "copilot", "azure-openai", "elevenlabs")


class Refusing(http.server.BaseHTTPRequestHandler):
    """An API that takes no GET: its own 401, which says nothing of the gateway's keys."""

    def do_GET(self):
        self.server.asked.append(self.path)
        body = b'{"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}'
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def upstream():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    url = f"http://127.0.0.1:{upstream.server_port}"
    routes = "".join(ROUTE.format(provider=each, upstream=url) for each in PROVIDERS)
    text = CONFIG.format(key=KEY, routes=routes, upstream=url, shared=SHARED)
    (folder / "pyproxy.toml").write_text(text)
    with serving(folder) as (process, port):
        process.secrets += [KEY, SHARED, OWN]
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def check(gateway, upstream, tmp_path):
    upstream.asked.clear()

    def ask(**environ):
        filled = {name: value.replace("URL", gateway) for name, value in environ.items()}
        done = run(tmp_path, "check", "--client", gateway, **filled)
        assert not any(value in done.stderr for value in (KEY, SHARED, OWN, "wrong-key"))
        return done.returncode, done.stdout.strip(), done.stderr.strip()

    return ask


CLIENTS = [
    pytest.param("OPENAI_BASE_URL", "URL/openai/v1", "OPENAI_API_KEY", id="OpenAI"),
    pytest.param("ANTHROPIC_BASE_URL", "URL/anthropic", "ANTHROPIC_AUTH_TOKEN", id="Anthropic"),
    pytest.param("GOOGLE_GEMINI_BASE_URL", "URL/gemini", "GEMINI_API_KEY", id="Gemini"),
    pytest.param("GEMINI_API_BASE_URL", "URL/gemini/", "GOOGLE_API_KEY", id="Gemini, other names"),
    pytest.param("AZURE_OPENAI_ENDPOINT", "URL/azure-openai", "AZURE_OPENAI_API_KEY", id="Azure"),
    pytest.param("ELEVENLABS_BASE_URL", "URL/elevenlabs", "ELEVENLABS_API_KEY", id="ElevenLabs"),
    pytest.param("COPILOT_API_URL", "URL/copilot", "COPILOT_GITHUB_TOKEN", id="Copilot"),
    pytest.param(
        "COPILOT_PROVIDER_BASE_URL", "URL/copilot", "COPILOT_PROVIDER_API_KEY", id="Copilot CLI"
    ),
]


@pytest.mark.parametrize(("base", "url", "key"), CLIENTS)
def test_client_with_a_good_key_is_fine_and_nothing_reaches_the_provider(
    check, upstream, base, url, key
):
    assert check(**{base: url, key: KEY}) == (0, "client: fine", "")
    assert upstream.asked == []


@pytest.mark.parametrize(("base", "url", "key"), CLIENTS)
def test_client_with_a_wrong_key_is_told(check, base, url, key):
    code, _, said = check(**{base: url, key: "a-wrong-key"})

    assert code == 1
    assert said == (
        f"pyproxy: {base}: the gateway answers 401 invalid_token to whoever shows {key}"
    )


@pytest.mark.parametrize(("base", "url", "key"), CLIENTS)
def test_client_with_a_path_that_no_route_takes_is_told(check, base, url, key):
    code, _, said = check(**{base: url.replace("URL/", "URL/no-"), key: KEY})

    assert code == 1
    assert said.startswith(f"pyproxy: {base}: leads to a path that no route takes")


def test_client_without_a_key_is_told(check):
    code, _, said = check(OPENAI_BASE_URL="URL/openai/v1")

    assert code == 1
    assert said.endswith("answers 401 missing_token to whoever shows no OPENAI_API_KEY")


def test_address_that_is_not_let_in_is_told(check):
    _, _, said = check(OPENAI_BASE_URL="URL/far/v1", OPENAI_API_KEY=KEY)

    assert "answers 403 ip_not_allowed" in said


def test_client_that_brings_its_own_key_is_fine(check, upstream):
    found = check(
        OPENAI_BASE_URL="URL/brought/v1",
        OPENAI_API_KEY=OWN,
        OPENAI_CUSTOM_HEADERS=f"X-Proxy-Token: {SHARED}",
    )

    assert found == (0, "client: fine", "")
    assert upstream.asked == ["/v1/realtime/client_secrets"]


def test_client_with_a_wrong_secret_beside_its_own_key_is_told(check, upstream):
    code, _, said = check(
        OPENAI_BASE_URL="URL/brought/v1",
        OPENAI_API_KEY=OWN,
        OPENAI_CUSTOM_HEADERS="X-Proxy-Token: a-wrong-key",
    )

    assert code == 1
    assert "403 invalid_token to whoever shows OPENAI_API_KEY and OPENAI_CUSTOM_HEADERS" in said
    assert upstream.asked == []


def test_client_whose_field_may_be_in_its_code_is_let_be(check):
    found = check(ELEVENLABS_BASE_URL="URL/brought", ELEVENLABS_API_KEY="an-own-key")

    assert found == (0, "client: fine", "")


def test_key_that_no_field_may_hold_is_told(check):
    _, _, said = check(OPENAI_BASE_URL="URL/openai/v1", OPENAI_API_KEY=f"{KEY}\n")

    assert said.endswith("OPENAI_API_KEY holds a character that no header field may have")


@pytest.fixture(scope="module")
def with_tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    assert run(folder, "cert").returncode == 0
    (folder / "pyproxy.toml").write_text(TLS_CONFIG)
    with serving(folder, environ={"API_KEY": KEY}) as (_, port):
        yield f"localhost:{port}", folder / "certs" / "ca.crt"


def test_port_with_tls_is_asked_for_it(with_tls, tmp_path):
    place, ca = with_tls

    wrong = run(tmp_path, "check", "--client", f"http://{place}")
    right = run(tmp_path, "check", "--client", f"https://{place}", SSL_CERT_FILE=str(ca))

    assert wrong.stderr.strip() == f"pyproxy: http://{place}: it speaks TLS: write https://"
    assert right.stdout.strip() == "client: fine"


def test_port_without_tls_is_not_asked_for_it(gateway, tmp_path):
    done = run(tmp_path, "check", "--client", gateway.replace("http:", "https:"))

    assert done.stderr.strip().endswith("it speaks plain HTTP: write http://")
