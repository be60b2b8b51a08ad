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
from tests.providers.ledger import Kind, Ledger
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
        ledger: Told what it answers, and what programs on its configuration print.
    """

    address: str
    environ: dict
    config: Path
    process: Gateway
    ledger: Ledger

    def ask(self, port, method, path, fields=None, body=None):
        """Status, fields and body of one request."""
        connection = http.client.HTTPConnection(self.address, port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request(method, path, body, fields or {})
            answer = connection.getresponse()
            content = answer.read()
        self.ledger.record(Kind.ANSWER, self.config.name, bytes(answer.headers) + content)
        return answer.status, answer.headers, content

    def command(self, *arguments, **environ):
        """Run a command of pyproxy on the same configuration."""
        done = command(self.config, *arguments, **{**self.environ, **environ})
        self._printed(done)
        return done

    def in_shell(self, exports, program, folder):
        """Run a program in a shell that has nothing but what ``eval`` makes of the exports."""
        (folder / "agent.py").write_text(program)
        shell = ["env", "-i", "sh", "-euc", 'eval "$1"; exec "$2" agent.py', "sh"]
        done = subprocess.run(
            [*shell, exports, sys.executable],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=IMPORTS_S,
            check=False,
        )
        self._printed(done)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _printed(self, done):
        self.ledger.record(Kind.OUTPUT, self.config.name, (done.stdout + done.stderr).encode())


@contextmanager
def deployed(config, last_port, address, environ, ledger):
    """Serve a file while the block runs; what is seen goes into the ledger."""
    with ExitStack() as stack:
        process, _ = stack.enter_context(
            serving(config.parent, "--config", str(config), environ=environ)
        )
        stack.enter_context(
            ledger.watching(Kind.LOG, config.name, lambda: process.output().encode())
        )
        # Its last words are among them.
        stack.callback(process.stop)
        assert process.wait_for(f"{address}:{last_port}"), process.output()
        yield Deployed(address, environ, config, process, ledger)


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
