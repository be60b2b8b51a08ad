"""How any agent is run: on an island, in an empty environment, with a home of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import copilot
from tests.providers.agents import island
from tests.providers.agents.hop import Hop

MODULES = copilot.HERE / "node_modules"
# An agent that waits for what does not come is ended; each takes about a second.
PATIENCE_S = 40.0


@dataclass(frozen=True)
class Ended:
    """What became of an agent.

    Attributes:
        output: What it wrote to both outputs.
    """

    code: int
    output: str


def missing(package: str) -> str:
    """What keeps an agent from running here, as a sentence; empty if nothing does."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (MODULES / package).exists():
        return f"{package} is not installed: run `make test`, or `npm ci` in tests/lab"
    return ""


def run(
    command: Sequence[str | Path], home: Path, hop: Hop, port: int, environ: Mapping[str, str]
) -> Ended:
    """Run an agent to its end.

    Args:
        command: The agent's own; it works in a folder ``work`` of its home.
        home: Its home folder.
        hop: Its way to the gateway; what it writes is kept there.
        port: Of loopback, where it finds the hop.
        environ: All that is in its environment beside PATH and HOME.
    """
    work = home / "work"
    work.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, island.__file__, str(port), hop.path, *command]
    process = subprocess.Popen(
        [*island.aboard(), *words],
        cwd=work,
        env={"PATH": os.environ["PATH"], "HOME": str(home), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    hop.printed += output.encode()
    return Ended(process.returncode, output)
