"""The real copilot-api behind the gateway, the real SDKs in front of it."""

import http.client
import json
import ssl
from contextlib import closing
from urllib.parse import urlsplit

import anthropic
import openai
import pytest

from tests.lab import copilot
from tests.lab.gateway import run, serving
from tests.programs import demand

HELLO = [{"role": "user", "content": "Hello"}]
ANSWER = "Hello from the lab."
CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"

[auth]
keys_file = "api_keys.txt"

[auth.jwt]
signing_keys_file = "signing_keys.json"
audience = "copilot-api"
issuer = "pyproxy-test"

[rate_limits.api]
rate = "1000r/s"
burst = 1000

[[routes]]
name = "copilot"
provider = "copilot-api"
upstream = "{upstream}"
"""


class Client:
    """Somebody with a key, in front of the gateway."""

    def __init__(self, port, key, ca):
        self.url, self.port, self.key = f"https://localhost:{port}", port, key
        self.tls = ssl.create_default_context(cafile=ca)

    def ask(self, path, *, method="GET", headers=None):
        """Status, header and body of one request, its path sent as it is."""
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.tls)
        with closing(connection):
            fields = {"Authorization": f"Bearer {self.key}"} | (headers or {})
            connection.request(method, path, headers=fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def token(self):
        """A fresh JWT for the key."""
        status, _, body = self.ask("/token", method="POST")
        assert status == 200, body
        return json.loads(body)["token"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    demand(copilot.missing())
    with copilot.start(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "pyproxy.toml").write_text(CONFIG.format(upstream=lab.url))
    key = run(folder, "keys", "new", "alice").stdout.strip()
    for arguments in (["jwks", "new"], ["cert"]):
        made = run(folder, *arguments)
        assert made.returncode == 0, made.stderr
    with serving(folder) as (process, port):
        process.secrets.append(key)
        yield process, Client(port, key, folder / "certs" / "ca.crt")


@pytest.fixture
def client(gateway):
    return gateway[1]


@pytest.fixture(params=["key", "jwt"])
def credential(request, client, gateway):
    shown = client.key if request.param == "key" else client.token()
    gateway[0].secrets.append(shown)
    return shown


@pytest.fixture
def openai_client(client, credential):
    with openai.OpenAI(
        base_url=f"{client.url}/v1",
        api_key=credential,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(verify=client.tls),
    ) as made:
        yield made


@pytest.fixture
def anthropic_client(client, credential):
    with anthropic.Anthropic(
        base_url=client.url,
        api_key=credential,
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(verify=client.tls),
    ) as made:
        yield made


def test_openai_chats(openai_client):
    answer = openai_client.chat.completions.create(model="gpt-4.1", messages=HELLO)

    assert answer.choices[0].message.content == ANSWER


def test_openai_streams(openai_client):
    stream = openai_client.chat.completions.create(model="gpt-4.1", messages=HELLO, stream=True)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == ANSWER


def test_openai_embeds_and_lists_models(openai_client):
    answer = openai_client.embeddings.create(
        model="text-embedding-3-small", input="text", encoding_format="float"
    )
    models = openai_client.models.list()

    assert answer.data[0].embedding == [0.0, 0.5, 1.0]
    assert "gpt-4.1" in [model.id for model in models.data]


def test_anthropic_chats(anthropic_client):
    answer = anthropic_client.messages.create(
        model="claude-sonnet-4", max_tokens=100, messages=HELLO
    )

    assert answer.content[0].text == ANSWER


def test_anthropic_streams(anthropic_client):
    with anthropic_client.messages.stream(
        model="claude-sonnet-4", max_tokens=100, messages=HELLO
    ) as stream:
        text = "".join(stream.text_stream)

    assert text == ANSWER


@pytest.mark.parametrize(
    "path",
    [
        "/token",
        "/token/",
        "/TOKEN",
        "/%74oken",
        "/usage",
        "/usage/",
        "/Usage",
        "/%75sage",
        "/token?x=1",
        "/usage?x=1",
        "/token/x",
        "//token",
        "/x/../token",
        "/x/%2e%2e/usage",
        "/token;x",
        "/token%00",
        "/./token",
        "/\\token",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_copilots_own_token_never_gets_out(lab, client, path, method):
    before = len(lab.events("request"))

    status, headers, body = client.ask(path, method=method)

    assert 400 <= status < 500
    assert "secret-copilot-token" not in body + str(headers)
    assert len(lab.events("request")) == before


def test_copilots_own_token_is_there_to_be_taken(lab):
    connection = http.client.HTTPConnection(urlsplit(lab.url).netloc)
    with closing(connection):
        connection.request("GET", "/token")
        assert copilot.COPILOT_TOKEN in connection.getresponse().read().decode()


def test_clients_credential_never_travels_on(lab, client, openai_client, credential):
    openai_client.chat.completions.create(model="gpt-4.1", messages=HELLO)

    assert credential not in lab.received()
    assert client.key not in lab.received()


def test_clients_credential_is_in_no_log(gateway, openai_client, credential):
    process, _ = gateway

    openai_client.chat.completions.create(model="gpt-4.1", messages=HELLO)

    assert credential not in process.output()


@pytest.mark.parametrize("wrong", ["pyp_wrong", "e30.e30.e30", "ghu_lab_token"])
def test_wrong_credential_gets_nowhere(lab, client, wrong):
    before = len(lab.events("request"))

    with (
        openai.OpenAI(
            base_url=f"{client.url}/v1",
            api_key=wrong,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(verify=client.tls),
        ) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.chat.completions.create(model="gpt-4.1", messages=HELLO)

    assert len(lab.events("request")) == before


def test_anthropic_understands_a_refusal(client):
    with (
        anthropic.Anthropic(
            base_url=client.url,
            api_key="pyp_wrong",
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(verify=client.tls),
        ) as stranger,
        pytest.raises(anthropic.AuthenticationError),
    ):
        stranger.messages.create(model="claude-sonnet-4", max_tokens=100, messages=HELLO)


def test_web_pages_of_others_may_not_read(client):
    status, headers, _ = client.ask("/v1/models", headers={"Origin": "https://evil.example"})

    assert status == 200
    assert not [name for name in headers if name.lower().startswith("access-control-")]
