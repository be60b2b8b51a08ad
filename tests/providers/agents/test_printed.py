"""What ``pyproxy env`` prints is all that an agent needs, the key excepted."""

import json
import re
from pathlib import Path

import pytest

from tests.lab.gateway import run
from tests.programs import demand
from tests.providers.agents import agent, claude_code, codex, island
from tests.providers.agents.anthropic_play import (
    KEY as ANTHROPICS_KEY,
    QUOTED as ANTHROPICS,
    AnthropicPlay,
)
from tests.providers.agents.responses_play import (
    KEY as OPENAIS_KEY,
    QUOTED as OPENAIS,
    ResponsesPlay,
)
from tests.providers.agents.upstream import playing
from tests.providers.ledger import GATEWAY, Kind

OPEN = """
[[listeners]]
bind = "127.0.0.1:1"
[[routes]]
name = "{provider}"
provider = "{provider}"
auth = []
"""


@pytest.fixture(autouse=True)
def program():
    demand(claude_code.missing() or codex.missing())


@pytest.fixture(params=["sidecar", "office"])
def gateway(request):
    """Starts either kind of gateway."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def printed(tmp_path, ledger):
    """Variables, and lines of other files, for an agent that finds the gateway at a port."""

    def printed_(ground, provider, port):
        config = tmp_path / "open.toml"
        config.write_text(OPEN.format(provider=provider))
        if ground.ca:
            config = Path(ground.ca).parents[1] / "pyproxy.toml"
        url = f"{ground.scheme}://localhost:{port}"
        done = run(tmp_path, "env", "-c", str(config), "--url", url, "--format", "json")
        assert done.returncode == 0, done.stderr
        ledger.record(Kind.OUTPUT, GATEWAY, (done.stdout + done.stderr).encode())
        variables = json.loads(done.stdout.replace("YOUR_GATEWAY_KEY", ground.credential))
        lines = re.findall(rf"^{provider}: (  .*)$", done.stderr, re.MULTILINE)
        return variables, "\n".join(lines)

    return printed_


def test_claude_code_needs_nothing_else(gateway, printed, upstream_tls, tmp_path):
    with (
        playing(AnthropicPlay(), upstream_tls) as upstream,
        gateway(upstream, "anthropic", {"ANTHROPIC_API_KEY": ANTHROPICS_KEY}) as ground,
    ):
        port = island.free_port()
        variables, _ = printed(ground, "anthropic", port)
        command = ["node", claude_code.WRAPPER, "-p", "What?", "--allowedTools", "Bash"]
        ended = agent.run(command, tmp_path / "home", ground.hop, port, variables)

    assert (ended.code, ended.output.strip()) == (0, ANTHROPICS)


def test_codex_needs_nothing_else(gateway, printed, upstream_tls, tmp_path):
    home = tmp_path / "home"
    with (
        playing(ResponsesPlay(), upstream_tls) as upstream,
        gateway(upstream, "openai", {"OPENAI_API_KEY": OPENAIS_KEY}) as ground,
    ):
        port = island.free_port()
        variables, lines = printed(ground, "openai", port)
        (home / ".codex").mkdir(parents=True)
        (home / ".codex" / "config.toml").write_text(f'model = "gpt-5.5"\n{lines}\n')
        leave = ["--skip-git-repo-check", "--sandbox", "danger-full-access"]
        command = ["node", codex.PROGRAM, "exec", *leave, "What?"]
        ended = agent.run(command, home, ground.hop, port, variables)

    assert ended.code == 0, ended.output
    assert ended.output.rstrip().endswith(OPENAIS)
