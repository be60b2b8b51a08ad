"""Uses an installed pyproxy as a person does who has just installed it."""

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from release.workshop import ROOT, Clean, Failed, clean_environ, run

_PATIENCE_S = 30
_EXAMPLE = ROOT / "deploy" / "sidecar.toml"
_ANSWER = b"hello from upstream"
_OK, _STRANGER = 200, 401
_CONFIG = """\
[server]
admin = ""

[[listeners]]
bind = "127.0.0.1:0"
certificate = "certs/copilot.crt"
private_key = "certs/copilot.key"

[[routes]]
name = "trial"
upstream = "http://127.0.0.1:{port}"
"""


def demand_use(installed: Clean, version: str, scratch: Path) -> None:
    """Ask it its version, let it check an example, serve and send it requests.

    Raises:
        Failed: It does not do what it should.
    """
    pyproxy = installed.program("pyproxy")
    said = run([pyproxy, "version"], scratch)
    if version not in said.split():
        raise Failed(f"pyproxy version says {said.strip()!r}, and {version} was built")
    shutil.copyfile(_EXAMPLE, scratch / _EXAMPLE.name)
    run([pyproxy, "check", "-c", _EXAMPLE.name], scratch)
    with _upstream() as port:
        (scratch / "pyproxy.toml").write_text(_CONFIG.format(port=port))
        _serve_and_ask(pyproxy, scratch)


def _serve_and_ask(pyproxy: Path, scratch: Path) -> None:
    with subprocess.Popen(
        [pyproxy, "serve", "--dev"],
        cwd=scratch,
        env=clean_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        alarm = threading.Timer(_PATIENCE_S, process.kill)
        alarm.start()
        try:
            port = _port_when_ready(process)
            _demand_answers(port, scratch / "certs")
        finally:
            process.terminate()
            process.communicate()
            alarm.cancel()
    if process.returncode:
        raise Failed(f"serve ended with {process.returncode} after SIGTERM")


def _port_when_ready(process: subprocess.Popen[str]) -> int:
    said: list[str] = []
    for line in process.stdout or ():
        said.append(line)
        if line.startswith("{") and json.loads(line)["event"] == "listener.ready":
            return int(json.loads(line)["port"])
    raise Failed(f"serve --dev did not start:\n{''.join(said)}")


def _demand_answers(port: int, certs: Path) -> None:
    trust = ssl.create_default_context(cafile=certs / "ca.crt")
    key = (certs / "dev.key").read_text().strip()
    with closing(HTTPSConnection("localhost", port, timeout=_PATIENCE_S, context=trust)) as client:
        for path, bearer, status, part in (
            ("/health", "", _OK, b""),
            ("/hello", "pyp_somebody-elses", _STRANGER, b""),
            ("/hello", key, _OK, _ANSWER),
        ):
            client.request("GET", path, headers={"Authorization": f"Bearer {bearer}"})
            answer = client.getresponse()
            if part not in answer.read() or answer.status != status:
                raise Failed(f"GET {path} was answered {answer.status}, not {status}")


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(_OK)
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def _upstream() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
