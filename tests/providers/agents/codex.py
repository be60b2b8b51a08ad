"""Codex without a person: ``codex exec``."""

from collections.abc import Mapping
from pathlib import Path

from tests.providers.agents import agent, island
from tests.providers.agents.hop import Hop

PACKAGE = "@openai/codex"
PROGRAM = agent.MODULES / PACKAGE / "bin" / "codex.js"
# It asks nobody but its provider then: no update, no catalogue of plugins, no statistics.
QUIET = """
model = "gpt-5.5"
check_for_update_on_startup = false

[analytics]
enabled = false

[features]
plugins = false
apps = false
"""
PROVIDER = """
model_provider = "gateway"

[model_providers.gateway]
name = "Gateway"
base_url = "{url}"
env_key = "GATEWAY_KEY"
wire_api = "responses"
supports_websockets = {websockets}
request_max_retries = {retries}
stream_max_retries = {retries}
"""


def missing() -> str:
    """What keeps it from running here, as a sentence; empty if nothing does."""
    return agent.missing(PACKAGE)


def provider(scheme: str, *, websockets: bool = False, retries: int = 0) -> str:
    """A configuration that names the gateway as a provider of one's own.

    By itself Codex repeats what failed for minutes, whatever it was.
    """
    url = f"{scheme}://localhost:PORT/v1"
    text = PROVIDER.format(url=url, websockets=str(websockets).lower(), retries=retries)
    first, _, rest = text.partition("[")
    return first + QUIET + "[" + rest


def built_in(scheme: str) -> str:
    """A configuration that puts the gateway into OpenAI's place."""
    return f'openai_base_url = "{scheme}://localhost:PORT/v1"\n{QUIET}'


def ask(prompt: str, home: Path, hop: Hop, config: str, environ: Mapping[str, str]) -> agent.Ended:
    """Have it answer, with leave to run commands of a shell; PORT is filled in."""
    port = island.free_port()
    (home / ".codex").mkdir(parents=True)
    (home / ".codex" / "config.toml").write_text(config.replace("PORT", str(port)))
    leave = ["--skip-git-repo-check", "--sandbox", "danger-full-access"]
    command = ["node", PROGRAM, "exec", *leave, prompt]
    return agent.run(command, home, hop, port, environ)
