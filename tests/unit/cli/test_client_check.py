import pytest

from pyproxy.cli.client_check import client_faults


def faults(url, environ=None):
    return [str(fault) for fault in client_faults(url, environ or {}, 5.0)]


def test_gateway_that_answers_is_fine(answering):
    assert faults(f"http://127.0.0.1:{answering()}/v1") == []


def test_providers_key_is_named_and_not_shown(answering):
    value = "sk-proj-" + "aB3dE5gH" * 6

    (fault,) = faults(f"http://127.0.0.1:{answering()}", {"OPENAI_API_KEY": value})

    assert fault.startswith("OPENAI_API_KEY: ")
    assert value not in fault


def test_certificate_that_is_not_trusted_is_said(answering, certificates):
    (fault,) = faults(f"https://localhost:{answering(tls=certificates[1])}")

    assert "SSL_CERT_FILE" in fault


def test_certificate_that_is_trusted_is_fine(answering, certificates, monkeypatch):
    files, tls = certificates
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca_certificate))

    assert faults(f"https://localhost:{answering(tls=tls)}") == []


def test_status_is_said(answering):
    (fault,) = faults(f"http://127.0.0.1:{answering(status=503)}")

    assert "503" in fault


def test_nobody_there_is_said(unused_port):
    (fault,) = faults(f"http://127.0.0.1:{unused_port}")

    assert "refused" in fault


@pytest.mark.parametrize(
    "url",
    [
        "localhost:5000",
        "ftp://x",
        "https://",
        "file:///etc/passwd",
        "http://x:99999",
        "http://x:y",
        "http://[::1",
        "http://a b:1",
    ],
)
def test_what_is_no_url_is_said(url):
    (fault,) = faults(url)

    assert "no URL" in fault


def test_password_in_the_url_is_not_repeated():
    (fault,) = faults("https://user:the-password@localhost:1")

    assert fault.startswith("--client: holds a user or password")
    assert "the-password" not in fault


@pytest.mark.parametrize("host", ["a" * 300, "a..b"])
def test_host_that_can_be_no_name_is_said(host):
    (fault,) = faults(f"http://{host}")

    assert "cannot be a name" in fault


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 abc\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 " + b"x" * 70000 + b"\r\n\r\n", id="endless line"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", id="too many fields"),
    ],
)
def test_answer_that_is_none_is_said(saying, answer):
    (fault,) = faults(f"http://127.0.0.1:{saying(answer)}")

    assert fault.endswith("does not answer in HTTP")


@pytest.mark.parametrize("place", ["http://[x", "file:///etc/passwd", "http://localhost/health"])
def test_redirect_is_not_followed(saying, place):
    answer = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
    (fault,) = faults(f"http://127.0.0.1:{saying(answer.encode())}")

    assert fault.endswith("its health endpoint answers 302")


def test_name_of_a_file_that_is_too_long_is_no_file(answering):
    (fault,) = faults(f"http://127.0.0.1:{answering()}", {"SSL_CERT_FILE": "x" * 5000})

    assert fault.startswith("SSL_CERT_FILE: there is no file")


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"])
def test_trust_in_a_missing_file_is_said(answering, here, name):
    (here / "there.crt").write_text("")
    url = f"http://127.0.0.1:{answering()}"

    (fault,) = faults(url, {name: "gone.crt"})

    assert fault.startswith(f"{name}: there is no file gone.crt")
    assert faults(url, {name: str(here / "there.crt")}) == []


@pytest.mark.parametrize("end", ["/v1", "/v1/"])
def test_doubled_version_is_said(answering, end):
    url = f"http://127.0.0.1:{answering()}"

    (fault,) = faults(url, {"ANTHROPIC_BASE_URL": url + end, "OPENAI_BASE_URL": url + end})

    assert fault.startswith("ANTHROPIC_BASE_URL: ends in /v1")


@pytest.mark.parametrize(
    ("environ", "culprit"),
    [
        pytest.param({"HTTP_PROXY": "http://u:p@x"}, "HTTP_PROXY", id="proxy"),
        pytest.param(
            {"http_proxy": "http://u:p@x", "NO_PROXY": "a.test"}, "http_proxy", id="other"
        ),
        pytest.param({"ALL_PROXY": "socks5://x"}, "ALL_PROXY", id="every scheme"),
        pytest.param({"HTTPS_PROXY": "http://x"}, "", id="proxy of another scheme"),
        pytest.param({"HTTP_PROXY": "http://x", "NO_PROXY": "a.test, localhost"}, "", id="spared"),
        pytest.param({"HTTP_PROXY": "http://x", "no_proxy": "*"}, "", id="all are spared"),
        pytest.param(
            {"HTTP_PROXY": "http://x", "NO_PROXY": "localhost:1"}, "HTTP_PROXY", id="other port"
        ),
        pytest.param(
            {"HTTP_PROXY": "http://x", "NO_PROXY": "a b,<local>,localhost"}, "", id="odd entries"
        ),
    ],
)
def test_detour_is_said(answering, environ, culprit):
    found = faults(f"http://localhost:{answering()}", environ)

    assert [fault.partition(":")[0] for fault in found] == ([culprit] if culprit else [])
    assert not any("u:p" in fault for fault in found)


def test_port_spares_itself(answering):
    port = answering()
    environ = {"HTTP_PROXY": "http://x", "NO_PROXY": f"localhost:{port}"}

    assert faults(f"http://localhost:{port}", environ) == []


def test_domain_spares_its_hosts(unused_port):
    environ = {"HTTPS_PROXY": "http://x", "NO_PROXY": ".gateway.invalid"}

    (fault,) = faults(f"https://llm.gateway.invalid:{unused_port}", environ)

    assert "reached" in fault


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("OPENAI_BASE_URL", "https://api.openai.com/v1", id="the provider's own"),
        pytest.param("ANTHROPIC_BASE_URL", "http://u:p4ss@elsewhere.test:1", id="with a password"),
        pytest.param("GOOGLE_GEMINI_BASE_URL", "https://elsewhere.test", id="Gemini"),
        pytest.param("COPILOT_PROVIDER_BASE_URL", "http://elsewhere.test", id="Copilot"),
        pytest.param("ELEVENLABS_BASE_URL", "http://elsewhere.test", id="ElevenLabs"),
    ],
)
def test_client_that_is_led_elsewhere_is_said(answering, name, value):
    (fault,) = faults(f"http://127.0.0.1:{answering()}", {name: value})

    assert fault.startswith(f"{name}: leads to ")
    assert "not to the gateway" in fault
    assert "p4ss" not in fault


@pytest.mark.parametrize("value", ["127.0.0.1:5000", "http://x:port", "http://[::1"])
def test_base_url_that_is_none_is_said(answering, value):
    (fault,) = faults(f"http://127.0.0.1:{answering()}", {"OPENAI_BASE_URL": value})

    assert fault.startswith("OPENAI_BASE_URL: is no URL")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_client_of_another_listener_is_fine(answering, host):
    environ = {
        "OPENAI_BASE_URL": f"http://{host}:{answering()}/v1",
        "OPENAI_API_KEY": "placeholder-token-for-credential-isolation",
    }

    assert faults(f"http://127.0.0.1:{answering()}", environ) == []


def test_listener_that_does_not_answer_is_named_by_all_whom_it_serves(answering, unused_port):
    there = f"http://127.0.0.1:{unused_port}"
    environ = {"OPENAI_BASE_URL": f"{there}/v1", "ANTHROPIC_BASE_URL": there}

    found = faults(f"http://127.0.0.1:{answering()}", environ)

    assert [fault.partition(":")[0] for fault in found] == list(environ)
    assert all("refused" in fault for fault in found)


def test_default_port_is_the_same_written_out(unused_port):
    assert unused_port
    found = faults("http://gateway.invalid", {"OPENAI_BASE_URL": "http://gateway.invalid:80/v1"})

    assert len(found) == 1
    assert found[0].startswith("http://gateway.invalid: cannot be reached")


@pytest.mark.parametrize(
    ("key", "base"),
    [
        ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"),
        ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
        ("COPILOT_TOKEN", "COPILOT_API_URL"),
        ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"),
    ],
)
def test_client_that_goes_straight_to_its_provider_is_said(answering, key, base):
    url = f"http://127.0.0.1:{answering()}"

    (fault,) = faults(url, {key: "pyp_a-key-of-the-gateways"})

    assert fault.startswith(f"{base}: is not set, though {key} is")
    assert faults(url, {key: "pyp_a-key-of-the-gateways", base: url}) == []


def test_client_that_is_told_its_url_in_code_is_let_be(answering):
    environ = {"ELEVENLABS_API_KEY": "pyp_a-key-of-the-gateways"}

    assert faults(f"http://127.0.0.1:{answering()}", environ) == []


# --- Who answers


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'"ok"', b'{"status":"no"}', b'{"ok":true}', b"[" * 9999],
    ids=["nothing", "a page", "a text", "no", "something else", "deep"],
)
def test_another_server_is_none(answering, body):
    (fault,) = faults(f"http://127.0.0.1:{answering(body=body)}")

    assert "another server answers there" in fault


def test_tls_that_is_asked_without_is_said(answering, certificates):
    (fault,) = faults(f"http://localhost:{answering(tls=certificates[1])}")

    assert fault.endswith("it speaks TLS: write https://")


def test_plain_http_that_is_asked_with_tls_is_said(answering):
    (fault,) = faults(f"https://localhost:{answering()}")

    assert fault.endswith("it speaks plain HTTP: write http://")


def test_scheme_of_a_base_url_is_judged_too(answering):
    port = answering()

    (fault,) = faults(f"http://127.0.0.1:{port}", {"OPENAI_BASE_URL": f"https://127.0.0.1:{port}"})

    assert fault == "OPENAI_BASE_URL: it speaks plain HTTP: write http://"


# --- Keys

OWN = "sk-proj-" + "aB3dE5gH" * 6


def test_own_key_is_right_where_the_gateways_travels_beside_it(answering):
    url = f"http://127.0.0.1:{answering()}"
    environ = {
        "OPENAI_BASE_URL": f"{url}/openai/v1",
        "OPENAI_API_KEY": OWN,
        "OPENAI_CUSTOM_HEADERS": "X-Proxy-Token: pyp_a-key-of-the-gateways",
        "ANTHROPIC_BASE_URL": f"{url}/anthropic",
        "ANTHROPIC_API_KEY": "sk-ant-api03-" + "aB3dE5gH" * 6,
        "ANTHROPIC_CUSTOM_HEADERS": "X-Proxy-Token: pyp_a-key-of-the-gateways",
    }

    assert faults(url, environ) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"OPENAI_CUSTOM_HEADERS": ""}, id="nothing beside it"),
        pytest.param({"OPENAI_CUSTOM_HEADERS": "X-Proxy-Token:"}, id="nothing in the field"),
        pytest.param({"OPENAI_BASE_URL": "https://api.openai.com/v1"}, id="elsewhere"),
        pytest.param({"OPENAI_BASE_URL": ""}, id="straight to the provider"),
    ],
)
def test_own_key_is_wrong_otherwise(answering, changes):
    url = f"http://127.0.0.1:{answering()}"
    environ = {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": OWN,
        "OPENAI_CUSTOM_HEADERS": "X-Proxy-Token: pyp_a-key-of-the-gateways",
    }

    assert any(fault.startswith("OPENAI_API_KEY: ") for fault in faults(url, environ | changes))


def test_blank_is_one_fault_and_not_sent(answering):
    url = f"http://127.0.0.1:{answering()}"
    environ = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "YOUR_GATEWAY_KEY"}

    (fault,) = faults(url, environ)

    assert fault.startswith("OPENAI_API_KEY: still says YOUR_GATEWAY_KEY")
