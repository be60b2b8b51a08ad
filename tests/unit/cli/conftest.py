import http.server
import os
import socket
import ssl
import threading
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from pyproxy.cli.certificate_files import LOCAL_HOSTS, CertificateFiles, ensure_certificate
from pyproxy.cli.main import run
from tests.desk import Desk

READ_BY_US = (
    "API_", "JWT_", "JWKS_", "PYPROXY_", "RATE_LIMIT_", "PROXY_SECRET", "ALLOWED_CIDR",
    "ADMIN_TOKEN", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
)  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, and an environment that says nothing of pyproxy."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(READ_BY_US):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def pyproxy(here, capsys):
    """Run a command: its exit code, and the lines it wrote to both outputs."""

    assert here.exists()

    def command(*arguments):
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return command


@pytest.fixture
def now():
    return datetime(2027, 1, 1, tzinfo=UTC)


OK = b'{"status":"ok"}'


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers every GET with the status, fields and body that its server was made with."""

    def do_GET(self):
        self.send_response(self.server.status)
        for name, value in self.server.fields:
            self.send_header(name.decode(), value.decode("latin-1"))
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


class AnsweringServer(http.server.ThreadingHTTPServer):
    """Ten lines of HTTP on a thread, on TCP or a unix socket, with TLS or without."""

    def server_bind(self):
        self.socket.bind(self.server_address)

    def handle_error(self, *_):
        """Clients that leave in the middle of a handshake are part of the tests."""


@pytest.fixture
def answering():
    """Start servers; each gives its port, 0 for a unix socket."""
    with ExitStack() as stack:

        def start(address=("127.0.0.1", 0), *, status=200, fields=(), body=OK, tls=None):
            server = AnsweringServer(address, Answering, bind_and_activate=False)
            if isinstance(address, str):
                server.socket.close()
                server.socket = socket.socket(socket.AF_UNIX)
            server.status, server.fields, server.body = status, fields, body
            server.server_bind()
            server.server_activate()
            name = server.socket.getsockname()
            if tls is not None:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(server.server_close)
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return 0 if isinstance(name, str) else name[1]

        yield start


@pytest.fixture
def desk():
    """A gateway's admin listener."""
    desk = Desk()
    yield desk
    desk.leave()


@pytest.fixture
def saying():
    """Start a server that says the same to whoever asks, once; gives its port."""
    with ExitStack() as stack:

        def start(answer):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=_say, args=(listening, answer))
            thread.start()
            stack.callback(thread.join)
            return listening.getsockname()[1]

        yield start


def _say(listening, answer):
    asking, _ = listening.accept()
    with asking:
        asking.recv(65536)
        asking.sendall(answer)


@pytest.fixture
def certificates(here):
    """A development certificate under ``certs/``, valid today, and TLS that shows it."""
    files = CertificateFiles.under(here / "certs")
    ensure_certificate(files, LOCAL_HOSTS, datetime.now(UTC))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    return files, tls


@pytest.fixture
def unused_port():
    """A port on which nobody listens, and nobody can while the test runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
