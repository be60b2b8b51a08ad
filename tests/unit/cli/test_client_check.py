import pytest

from pyproxy.cli.client_check import client_faults


def faults(url, environ=None):
    return [str(fault) for fault in client_faults(url, environ or {}, 5.0)]


def test_gateway_that_answers_is_fine(answering):
    assert faults(f"http://127.0.0.1:{answering()}/v1") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("OPENAI_API_KEY", "sk-proj-abc", id="OpenAI"),
        pytest.param("ANTHROPIC_API_KEY", "sk-ant-abc", id="Anthropic"),
        pytest.param("GEMINI_API_KEY", "AIzaabc", id="Google"),
        pytest.param("GITHUB_TOKEN", "ghp_abc", id="GitHub"),
    ],
)
def test_providers_key_is_named_and_not_shown(answering, name, value):
    (fault,) = faults(f"http://127.0.0.1:{answering()}", {name: value})

    assert fault.startswith(name)
    assert value not in fault


def test_gateways_key_is_fine(answering):
    assert faults(f"http://127.0.0.1:{answering()}", {"OPENAI_API_KEY": "pyp_abc"}) == []


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


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://x", "https://", "file:///etc/passwd"])
def test_what_is_no_url_is_said(url):
    (fault,) = faults(url)

    assert "no URL" in fault
