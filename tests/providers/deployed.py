"""The files of deploy/, served as they are."""

import http.client
import itertools
import json
import os
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.gateway import COMMAND, Gateway, environment, serving
from tests.providers.ledger import GATEWAY, Kind
from tests.providers.upstream import PATIENCE_S

DEPLOY = Path(__file__).parents[2] / "deploy"
SIDECAR = DEPLOY / "sidecar.toml"
K8S_EGRESS = DEPLOY / "k8s-egress.toml"
# Importing three SDKs takes a busy machine half of it.
IMPORTS_S = 40.0
_NUMBERS = itertools.count(1)


def address():
    """An address of loopback where nobody else listens, so that ports may be what they are."""
    pid = os.getpid()
    return f"127.{1 + pid // 250 % 250}.{1 + pid % 250}.{next(_NUMBERS) % 250}"


def targets(plays, certificates):
    """What leads a gateway's providers to the plays."""
    variables = {
        "openai": "OPENAI_API_TARGET",
        "anthropic": "ANTHROPIC_API_TARGET",
        "copilot": "COPILOT_API_TARGET",
        "gemini": "GEMINI_API_TARGET",
    }
    found = {variable: plays[name].url for name, variable in variables.items()}
    return {**found, "EGRESS_ALLOW": "localhost", "SSL_CERT_FILE": str(certificates[0])}


@dataclass(frozen=True)
class Deployed:
    """A gateway that is served.

    Attributes:
        address: All its ports are on it.
        environ: Its environment.
        config: Its file.
        process: Itself.
    """

    address: str
    environ: dict
    config: Path
    process: Gateway

    def ask(self, port, method, path, fields=None, body=None):
        """Status, fields and body of one request."""
        connection = http.client.HTTPConnection(self.address, port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request(method, path, body, fields or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def command(self, *arguments, **environ):
        """Run a command of pyproxy on the same configuration."""
        return command(self.config, *arguments, **{**self.environ, **environ})


@contextmanager
def deployed(config, last_port, address, environ, ledger):
    """Serve a file while the block runs; what is logged goes into the ledger."""
    with ExitStack() as stack:
        process, _ = stack.enter_context(
            serving(config.parent, "--config", str(config), environ=environ)
        )
        stack.enter_context(ledger.watching(Kind.LOG, GATEWAY, lambda: process.output().encode()))
        assert process.wait_for(f"{address}:{last_port}"), process.output()
        yield Deployed(address, environ, config, process)


def command(config, *arguments, **environ):
    """Run a command of pyproxy on a configuration to its end."""
    name, *options = arguments
    return subprocess.run(
        [*COMMAND, name, "--config", str(config), *options],
        env=environment(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def in_shell(exports, program, folder):
    """Run a program in a shell that has nothing but what ``eval`` makes of the exports."""
    (folder / "agent.py").write_text(program)
    done = subprocess.run(
        ["env", "-i", "sh", "-euc", 'eval "$1"; exec "$2" agent.py', "sh", exports, sys.executable],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=IMPORTS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
