"""``pyproxy env`` for a gateway with TLS by its own CA, and keys of its own."""

import pytest

from tests.lab.gateway import run
from tests.providers import anthropic_play, openai_play
from tests.providers.deployed import address, deployed, targets
from tests.providers.ledger import Role
from tests.providers.ways import VARIABLES, credentials

PORT = 5443
CONFIG = """
[[listeners]]
bind = "{address}:5443"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"
[auth]
keys_file = "keys"
[[routes]]
name = "openai"
path = "/openai"
provider = "openai"
[[routes]]
name = "claude"
path = "/claude"
provider = "anthropic"
"""
AGENT = """
import json
import anthropic, openai

hello = [{"role": "user", "content": "Hello"}]
chat = openai.OpenAI().chat.completions.create(model="gpt-5", messages=hello)
message = anthropic.Anthropic().messages.create(
    model="claude-sonnet-5", max_tokens=9, messages=hello
)
print(json.dumps([chat.choices[0].message.content, message.content[0].text]))
"""


@pytest.fixture(scope="module")
def office(plays, certificates, ledger, tmp_path_factory):
    """It, and a key that it lets in."""
    folder, where = tmp_path_factory.mktemp("office"), address()
    config = folder / "office.toml"
    config.write_text(CONFIG.format(address=where))
    key = ledger.adopt(
        run(folder, "keys", "new", "alice", "--file", "keys").stdout.strip(), Role.CLIENT
    )
    made = run(folder, "cert", "--host", where)
    assert made.returncode == 0, made.stderr
    keys = {VARIABLES[name]: plays[name].key for name in ("openai", "anthropic")}
    environ = {**targets(plays, certificates), **keys}
    with deployed(config, PORT, where, environ, ledger) as running:
        yield running, key


def test_sdks_need_nothing_but_what_it_prints_and_a_key(office, plays, tmp_path):
    running, key = office
    printed = running.command("env")
    before = {name: len(plays[name].asked) for name in ("openai", "anthropic")}

    answers = running.in_shell(printed.stdout.replace("YOUR_GATEWAY_KEY", key), AGENT, tmp_path)

    assert answers == [openai_play.TEXT, anthropic_play.TEXT]
    for name, count in before.items():
        (asked,) = plays[name].asked[count:]
        assert credentials(asked) == [plays[name].credential]


def test_clients_side_is_found_to_be_fine(office, tmp_path):
    running, key = office
    text = running.command("env", "--format", "dotenv").stdout.replace("YOUR_GATEWAY_KEY", key)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    environ = dict(line.split("=", 1) for line in lines)

    url = f"https://{running.address}:{PORT}"
    done = run(tmp_path, "check", "--client", url, **environ)

    assert (done.returncode, done.stdout) == (0, "client: fine\n"), done.stderr
