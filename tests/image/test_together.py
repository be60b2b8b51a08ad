"""The gateway's image in front of copilot-api's, both as compose.yaml runs them."""

import http.client
import json
import ssl
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.image.conftest import GITHUB_TOKEN, ROOT
from tests.image.container import Container
from tests.lab.copilot import COPILOT_TOKEN

PORT = 5000


@pytest.fixture(scope="module")
def github(network, folders):  # noqa: ARG001
    """The stand-in for GitHub; gives the address of its proxy, and its folder."""
    state = folders()
    command = [sys.executable, ROOT / "tests/lab/fake_github.py", "--port", "0", "--state", state]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = process.stdout.readline().split()[1]
    (state / "ca.pem").chmod(0o444)
    yield f"http://127.0.0.1:{port}", state
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def copilot_container(copilot_image, github, volume, hosts, folders):
    proxy, state = github
    secret = folders() / "github_token"
    secret.write_text(GITHUB_TOKEN + "\n")
    binds = [
        (secret, "/run/secrets/github_token", False),
        (volume("login"), "/home/nonroot/.local/share/copilot-api", True),
        (state / "ca.pem", "/ca.pem", False),
        (hosts, "/etc/hosts", False),
    ]
    environment = {"HTTPS_PROXY": proxy, "NODE_EXTRA_CA_CERTS": "/ca.pem"}
    return Container(copilot_image, binds, environment)


@pytest.fixture(scope="module")
def copilot_api(copilot_container):
    """One for all; that it is healthy while it serves, and ends when asked to, is seen here."""
    with copilot_container.running() as running:
        running.wait_for("Listening on")
        healthy = copilot_container.run("health")
        assert (healthy.returncode, healthy.stderr) == (0, "")
        yield running
        code = running.stop()
        gone = copilot_container.run("health")
        assert (code, gone.returncode) == (0, 1)


@pytest.fixture
def gateway(network, compose):  # noqa: ARG001
    made = compose.setup()
    assert made.returncode == 0, made.stderr
    container = compose.gateway()
    with container.running() as running:
        running.wait_for("listener.ready")
        running.container = container
        running.authority = compose.certs / "ca.crt"
        with ExitStack() as running.opened:
            yield running


@pytest.fixture
def key(gateway):
    done = gateway.container.run("keys", "new", "alice")
    assert done.returncode == 0, done.stderr
    gateway.wait_for("key.reloaded")
    return done.stdout.strip()


def _ask(gateway, method, path, key="", body=None):
    tls = ssl.create_default_context(cafile=gateway.authority)
    connection = http.client.HTTPSConnection("localhost", PORT, context=tls, timeout=20)
    gateway.opened.callback(connection.close)
    fields = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request(method, path, body and json.dumps(body), fields if key else {})
    answer = connection.getresponse()
    gateway.opened.callback(answer.close)
    return answer


def _question(stream=False):
    asked = [{"role": "user", "content": "count to 20"}]
    return {"model": "gpt-4.1", "stream": stream, "messages": asked}


def test_the_health_check_tells_whether_it_serves(gateway):
    healthy = gateway.container.run("health")
    code = gateway.stop()
    gone = gateway.container.run("health")

    assert (healthy.returncode, healthy.stdout) == (0, "ok\n")
    assert code == 0
    assert gone.returncode == 1


def test_nobody_gets_in_without_a_key(gateway):
    assert _ask(gateway, "GET", "/v1/models").status == 401


@pytest.mark.usefixtures("copilot_api")
def test_a_request_and_a_stream_go_all_the_way(gateway, key):
    answer = _ask(gateway, "POST", "/v1/chat/completions", key, _question())
    streamed = _ask(gateway, "POST", "/v1/chat/completions", key, _question(stream=True))
    events = streamed.read()

    assert answer.status == 200
    assert json.loads(answer.read())["choices"]
    assert streamed.headers["Content-Type"].startswith("text/event-stream")
    assert events.count(b"data: ") >= 20
    assert events.rstrip().endswith(b"data: [DONE]")


@pytest.mark.usefixtures("copilot_api")
def test_a_key_is_exchanged_for_a_token(gateway, key):
    token = json.loads(_ask(gateway, "POST", "/token", key).read())["token"]

    assert _ask(gateway, "GET", "/v1/models", token).status == 200


@pytest.mark.usefixtures("copilot_api")
def test_a_stop_waits_for_the_stream_that_is_open(gateway, key):
    streamed = _ask(gateway, "POST", "/v1/chat/completions", key, _question(stream=True))
    first = streamed.read(1)
    code = gateway.stop()
    events = first + streamed.read()

    assert code == 0
    assert events.rstrip().endswith(b"data: [DONE]")


def test_no_token_is_in_a_log_or_in_a_list_of_processes(gateway, copilot_api, key):
    _ask(gateway, "POST", "/v1/chat/completions", key, _question()).read()
    listed = subprocess.run(
        ["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True
    )

    for secret in (GITHUB_TOKEN, COPILOT_TOKEN):
        assert secret not in copilot_api.text + gateway.text
        assert secret not in listed.stdout
    assert key not in gateway.text


@pytest.mark.usefixtures("copilot_api")
def test_copilot_apis_token_is_not_to_be_had_through_the_gateway(gateway, key):
    answer = _ask(gateway, "GET", "/token", key)

    assert answer.status in (403, 404, 405)
    assert COPILOT_TOKEN.encode() not in answer.read()


def test_copilot_api_does_not_show_its_token_when_asked_to(copilot_image):
    done = Container(copilot_image).run("start", "--show-token")

    assert done.returncode == 2
    assert "log" in done.stderr
