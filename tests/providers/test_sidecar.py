"""deploy/sidecar.toml: a port for each provider, and no key in the agent."""

import json
import re

import pytest

from tests.providers import anthropic_play, gemini_play, openai_play
from tests.providers.deployed import SIDECAR, address, command, deployed, targets
from tests.providers.upstream import of_json
from tests.providers.ways import CREDENTIALS, VARIABLES, credentials

PLACEHOLDER = "placeholder-token-for-credential-isolation"
PORTS = {"openai": 10000, "anthropic": 10001, "copilot": 10002, "gemini": 10003}
# The SDKs are told nothing: all that they know they read from their environment.
AGENT = """
import json
import anthropic, openai
from google import genai

hello = [{"role": "user", "content": "Hello"}]
chat = openai.OpenAI().chat.completions.create(model="gpt-5", messages=hello)
message = anthropic.Anthropic().messages.create(
    model="claude-sonnet-5", max_tokens=9, messages=hello
)
client = genai.Client()
content = client.models.generate_content(model="gemini-3", contents="Hello")
print(json.dumps([chat.choices[0].message.content, message.content[0].text, content.text]))
"""


@pytest.fixture(scope="module")
def sidecar(plays, certificates, ledger):
    """One with every key."""
    where = address()
    keys = {VARIABLES[name]: plays[name].key for name in PORTS}
    environ = {**targets(plays, certificates), **keys, "SIDECAR_ADDRESS": where}
    with deployed(SIDECAR, 10003, where, environ, ledger) as running:
        yield running


@pytest.fixture(scope="module")
def poor(plays, certificates, ledger):
    """One with none."""
    where = address()
    environ = {**targets(plays, certificates), "SIDECAR_ADDRESS": where}
    with deployed(SIDECAR, 10003, where, environ, ledger) as running:
        yield running


@pytest.mark.parametrize("name", PORTS)
def test_port_takes_off_what_a_client_shows_and_puts_on_its_providers_key(sidecar, plays, name):
    shown = dict.fromkeys(CREDENTIALS, f"Bearer {PLACEHOLDER}")
    more = {"Proxy-Authorization": "Basic eDp5", "X-Forwarded-For": "192.0.2.1", "Cookie": "a=b"}
    plays[name].says(of_json({"is": "fine"}))

    status, _, body = sidecar.ask(PORTS[name], "POST", "/v1/x", {**shown, **more}, b"{}")

    asked = plays[name].asked[-1]
    assert (status, json.loads(body)) == (200, {"is": "fine"})
    assert credentials(asked) == [plays[name].credential]
    assert PLACEHOLDER.encode() not in asked.head
    assert not {field.lower() for field in more} & {field for field, _ in asked.fields}


@pytest.mark.parametrize("name", PORTS)
def test_port_without_a_key_says_which_variable_is_missing(poor, plays, name):
    before = len(plays[name].asked)

    status, fields, body = poor.ask(PORTS[name], "POST", "/v1/x", {"x-api-key": PLACEHOLDER}, b"{}")

    assert (status, fields["x-should-retry"]) == (503, "false")
    assert f"must set {VARIABLES[name]}" in body.decode()
    assert len(plays[name].asked) == before


def test_body_of_more_than_ten_megabytes_is_refused(sidecar):
    fields = {"Content-Length": "10000001", "Expect": "100-continue"}

    assert sidecar.ask(10000, "POST", "/v1/responses", fields)[0] == 413


@pytest.mark.parametrize("port", PORTS.values())
def test_every_port_says_that_it_serves(poor, port):
    status, _, body = poor.ask(port, "GET", "/health")

    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_health_check_of_a_container_finds_it(poor):
    done = poor.command("health")

    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_agent_needs_nothing_but_what_env_prints(sidecar, tmp_path):
    printed = sidecar.command("env")

    assert printed.returncode == 0, printed.stderr
    assert sidecar.in_shell(printed.stdout, AGENT, tmp_path) == [
        openai_play.TEXT,
        anthropic_play.TEXT,
        gemini_play.TEXT,
    ]


def test_env_prints_no_key(sidecar, plays):
    printed = sidecar.command("env", "--format", "json")

    assert not any(plays[name].key in printed.stdout + printed.stderr for name in PORTS)
    assert {
        value for name, value in json.loads(printed.stdout).items() if re.search("KEY|TOKEN", name)
    } == {PLACEHOLDER}


def test_agents_side_is_found_to_be_fine(sidecar):
    variables = json.loads(sidecar.command("env", "--format", "json").stdout)

    done = command(SIDECAR, "check", "--client", f"http://{sidecar.address}:10000", **variables)

    assert (done.returncode, done.stdout) == (0, "client: fine\n"), done.stderr


def test_agent_with_a_key_and_past_the_sidecar_is_found(sidecar, plays):
    environ = {"OPENAI_API_KEY": plays["openai"].key, "ANTHROPIC_AUTH_TOKEN": PLACEHOLDER}

    done = command(SIDECAR, "check", "--client", f"http://{sidecar.address}:10000", **environ)

    assert done.returncode == 1
    assert "OPENAI_API_KEY: looks like a provider's own key" in done.stderr
    assert "ANTHROPIC_BASE_URL: is not set, though ANTHROPIC_AUTH_TOKEN is" in done.stderr
    assert plays["openai"].key not in done.stderr


def test_it_reaches_every_provider(sidecar):
    done = sidecar.command("check", "--connect", "--strict")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("reached ") == len(PORTS)


KEYS = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"), "a-key-of-theirs")


def test_nothing_is_wrong_with_it():
    done = command(SIDECAR, "check", "--strict", **KEYS, COPILOT_API_KEY="a-key-of-theirs")

    assert (done.returncode, done.stderr) == (0, "")
    for name in PORTS:
        assert f"route {name}\n" in done.stdout


def test_missing_key_and_an_address_for_everybody_are_warned_of():
    done = command(SIDECAR, "check", **KEYS, SIDECAR_ADDRESS="0.0.0.0")

    warnings = done.stderr.splitlines()
    assert done.returncode == 0
    assert [line for line in warnings if "COPILOT_GITHUB_TOKEN or COPILOT_API_KEY" in line]
    assert sum("is plain HTTP on a public address" in line for line in warnings) == 4
    assert sum("is open to everybody on a public address" in line for line in warnings) == 4
    assert len(warnings) == 9


def test_host_that_nobody_allowed_is_refused_before_it_starts():
    done = command(SIDECAR, "check", OPENAI_API_TARGET="https://router.test")

    assert done.returncode == 2
    assert 'add "router.test" there' in done.stderr
