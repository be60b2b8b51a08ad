"""Claude Code without a person: ``claude -p``."""

from collections.abc import Mapping
from pathlib import Path

from tests.providers.agents import agent
from tests.providers.agents.hop import Hop

PACKAGE = "@anthropic-ai/claude-code"
# What npm runs after installing would put the program where its name leads;
# the package's own wrapper finds it without.
WRAPPER = agent.MODULES / PACKAGE / "cli-wrapper.cjs"
PORT = 10_001


def missing() -> str:
    """What keeps it from running here, as a sentence; empty if nothing does."""
    return agent.missing(PACKAGE)


def ask(prompt: str, home: Path, hop: Hop, scheme: str, environ: Mapping[str, str]) -> agent.Ended:
    """Have it answer, with leave to run commands of a shell."""
    command = ["node", WRAPPER, "-p", prompt, "--allowedTools", "Bash"]
    base = {"ANTHROPIC_BASE_URL": f"{scheme}://localhost:{PORT}"}
    return agent.run(command, home, hop, PORT, {**base, **environ})
