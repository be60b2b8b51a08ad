"""deploy/k8s-egress.toml: pods with keys of their own, a shared secret, and nobody else."""

import json

import pytest

from tests.providers.deployed import K8S_EGRESS, address, command, deployed, targets
from tests.providers.elevenlabs_play import MP3
from tests.providers.ledger import Role
from tests.providers.ways import credentials

PORT = 8080
PROVIDERS = ("elevenlabs", "openai", "anthropic")
AGENT = """
import json
import anthropic, openai

hello = [{"role": "user", "content": "Hello"}]
chat = openai.OpenAI().chat.completions.create(model="gpt-5", messages=hello)
message = anthropic.Anthropic().messages.create(
    model="claude-sonnet-5", max_tokens=9, messages=hello
)
print(json.dumps([len(chat.choices), len(message.content)]))
"""


@pytest.fixture(scope="module")
def secret(ledger):
    return ledger.make(Role.SHARED)


@pytest.fixture(scope="module")
def start(plays, certificates, ledger, secret, tmp_path_factory):
    """Serves the file, its one provider that no variable leads elsewhere led to its play."""

    def start_(networks):
        where = address()
        text = K8S_EGRESS.read_text(encoding="utf-8")
        led = 'provider = "elevenlabs"\n'
        assert text.count(led) == 1
        config = tmp_path_factory.mktemp("egress") / K8S_EGRESS.name
        config.write_text(text.replace(led, f'{led}upstream = "{plays["elevenlabs"].url}"\n'))
        environ = {
            **targets(plays, certificates),
            "LISTEN_ADDRESS": where,
            "PROXY_SECRET": secret,
            "ALLOWED_CIDR": networks,
        }
        return deployed(config, PORT, where, environ, ledger)

    return start_


@pytest.fixture(scope="module")
def egress(start):
    """The cluster is on loopback."""
    with start("10.0.0.0/8,127.0.0.0/8") as running:
        yield running


@pytest.mark.parametrize("name", PROVIDERS)
def test_prefix_and_secret_are_taken_off_and_the_pods_own_key_passes(egress, plays, secret, name):
    play = plays[name]
    field, value = play.credential
    fields = {"X-Proxy-Token": secret, field: value, "anthropic-version": "2023-06-01"}
    path = "/v1/voices" if name == "elevenlabs" else "/v1/models"

    status, _, _ = egress.ask(PORT, "GET", f"/{name}{path}?page=2", fields)

    asked = play.asked[-1]
    assert status == 200
    assert asked.target == f"{path}?page=2"
    assert credentials(asked) == [play.credential]
    assert asked.value("x-proxy-token") is None
    assert secret.encode() not in play.received


def test_speech_arrives_byte_for_byte(egress, plays, secret):
    fields = {
        "X-Proxy-Token": secret,
        "xi-api-key": plays["elevenlabs"].key,
        "Content-Type": "application/json",
    }
    path = "/elevenlabs/v1/text-to-speech/a-voice"

    status, head, body = egress.ask(PORT, "POST", path, fields, b'{"text": "Hello"}')

    assert (status, head["Content-Type"]) == (200, "audio/mpeg")
    assert body == MP3


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("shown", [{}, {"X-Proxy-Token": "wrong"}, {"X-Proxy-Token": ""}])
def test_wrong_or_missing_secret_is_refused_in_the_old_words(egress, plays, name, shown):
    before = len(plays[name].asked)
    field, value = plays[name].credential

    status, _, body = egress.ask(PORT, "GET", f"/{name}/v1/models", {field: value, **shown})

    assert (status, json.loads(body)) == (403, {"error": "invalid_token"})
    assert len(plays[name].asked) == before


@pytest.mark.parametrize("name", PROVIDERS)
def test_other_network_is_refused_in_the_old_words(start, secret, name):
    with start("10.0.0.0/8") as elsewhere:
        status, _, body = elsewhere.ask(
            PORT, "GET", f"/{name}/v1/models", {"X-Proxy-Token": secret}
        )

    assert (status, json.loads(body)) == (403, {"error": "ip_not_allowed"})


def test_health_needs_no_secret(egress):
    assert egress.ask(PORT, "GET", "/health")[0] == 200


def test_nothing_else_is_served(egress, secret):
    status, _, body = egress.ask(PORT, "GET", "/gemini/v1beta/models", {"X-Proxy-Token": secret})

    assert (status, json.loads(body)) == (404, {"error": "not_found"})


def test_pod_needs_nothing_but_what_env_prints_and_its_secrets(egress, plays, secret, tmp_path):
    printed = egress.command("env")
    filled = printed.stdout.replace("YOUR_PROXY_SECRET", secret)
    for name in PROVIDERS:
        filled = filled.replace(f"YOUR_{name.upper()}_KEY", plays[name].key)

    assert secret not in printed.stdout + printed.stderr
    assert egress.in_shell(filled, AGENT, tmp_path) == [1, 1]
    for name in ("openai", "anthropic"):
        # Where Anthropic's SDK has it depends on its version.
        ((_, value),) = credentials(plays[name].asked[-1])
        assert value.removeprefix("Bearer ") == plays[name].key


SECRET = "0123456789abcdef" * 4


def test_nothing_is_wrong_with_it():
    environ = {"PROXY_SECRET": SECRET, "ALLOWED_CIDR": "10.0.0.0/8", "LISTEN_ADDRESS": "10.0.1.50"}
    done = command(K8S_EGRESS, "check", "--strict", **environ)

    assert (done.returncode, done.stderr) == (0, "")
    assert "from         10.0.0.0/8" in done.stdout


def test_plain_http_on_every_address_is_warned_of():
    done = command(K8S_EGRESS, "check", PROXY_SECRET=SECRET)

    (warning,) = done.stderr.splitlines()
    assert done.returncode == 0
    assert "is plain HTTP on a public address" in warning


def test_it_does_not_start_without_a_secret():
    done = command(K8S_EGRESS, "check")

    assert done.returncode == 2
    assert done.stderr.count("set PROXY_SECRET") == len(PROVIDERS)


def test_secret_may_be_in_a_file(tmp_path):
    (tmp_path / "secret").write_text(SECRET)

    done = command(K8S_EGRESS, "check", PROXY_SECRET_FILE=str(tmp_path / "secret"))

    assert done.returncode == 0, done.stderr
