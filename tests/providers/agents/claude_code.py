"""Claude Code without a person: ``claude -p``."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.providers.agents import agent, island
from tests.providers.agents.hop import Hop

PACKAGE = "@anthropic-ai/claude-code"
# What npm runs after installing would put the program where its name leads;
# the package's own wrapper finds it without.
WRAPPER = agent.MODULES / PACKAGE / "cli-wrapper.cjs"


def missing() -> str:
    """What keeps it from running here, as a sentence; empty if nothing does."""
    return agent.missing(PACKAGE)


def ask(prompt: str, home: Path, hop: Hop, scheme: str, environ: Mapping[str, str]) -> agent.Ended:
    """Have it answer, with leave to run commands of a shell."""
    port = island.free_port()
    command = ["node", WRAPPER, "-p", prompt, "--allowedTools", "Bash"]
    base = {"ANTHROPIC_BASE_URL": f"{scheme}://localhost:{port}"}
    return agent.run(command, home, hop, port, {**base, **environ})


def use_helper(home: Path, key: str) -> None:
    """Have it ask a program for its credential, as its settings may say."""
    (home / ".claude").mkdir()
    settings = {"apiKeyHelper": f"printf '%s' {key}"}
    (home / ".claude" / "settings.json").write_text(json.dumps(settings))
