"""A client that leaves in the middle of a stream stops the upstream's generation.

copilot-api itself goes on reading when its client leaves, so the demonstration
upstream, which counts, stands in for it here.
"""

import ssl
import threading

import anthropic
import openai
import pytest

from pyproxy.cli.demonstration import HOST, Demonstration, DemonstrationThread, Generations
from tests.lab.gateway import run, serving

LONG = [{"role": "user", "content": "count to 10000"}]
PATIENCE_S = 5.0
CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
[auth]
keys_file = "api_keys.txt"
[[routes]]
name = "demonstration"
provider = "copilot-api"
upstream = "http://{host}:{port}"
"""


class Watched(Generations):
    """Says when one is given up."""

    def __init__(self):
        self.has_stopped = threading.Event()
        super().__init__()

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "stopped" and value:
            self.has_stopped.set()


@pytest.fixture
def demonstration():
    upstream = Demonstration(pause_s=0.001)
    upstream.generations = Watched()
    thread = DemonstrationThread(upstream).start()
    yield upstream, thread.port
    thread.stop()


@pytest.fixture
def client(demonstration, tmp_path):
    """URL, key and TLS of a gateway in front of it."""
    text = CONFIG.format(host=HOST, port=demonstration[1])
    (tmp_path / "pyproxy.toml").write_text(text)
    key = run(tmp_path, "keys", "new", "alice").stdout.strip()
    assert run(tmp_path, "cert").returncode == 0
    tls = ssl.create_default_context(cafile=tmp_path / "certs" / "ca.crt")
    with serving(tmp_path) as (gateway, port):
        gateway.secrets.append(key)
        yield f"https://localhost:{port}", key, tls


def until_stopped(generations):
    generations.has_stopped.wait(PATIENCE_S)
    return generations.stopped


def test_openais_client_that_leaves_stops_the_generation(demonstration, client):
    url, key, tls = client
    with openai.OpenAI(
        base_url=f"{url}/v1", api_key=key, http_client=openai.DefaultHttpxClient(verify=tls)
    ) as sdk:
        stream = sdk.chat.completions.create(model="m", messages=LONG, stream=True)
        next(iter(stream))
        stream.close()

        assert until_stopped(demonstration[0].generations) == 1


def test_anthropics_client_that_leaves_stops_the_generation(demonstration, client):
    url, key, tls = client
    with anthropic.Anthropic(
        base_url=url, api_key=key, http_client=anthropic.DefaultHttpxClient(verify=tls)
    ) as sdk:
        with sdk.messages.stream(model="m", max_tokens=9, messages=LONG) as stream:
            next(iter(stream.text_stream))

        assert until_stopped(demonstration[0].generations) == 1
