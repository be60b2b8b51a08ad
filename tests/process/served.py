"""``pyproxy serve`` in a process of its own, an upstream in this one, and what both said."""

import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyproxy
from tests.audit_lines import judge

# Longer than anything here takes.
PATIENCE_S = 15.0
COMMAND = [sys.executable, "-m", "pyproxy", "serve"]
# Whatever the machine's own environment says must not reach the gateway under test.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")
KEY = "pyp_the-key-of-alice-2bd806c97f15ae34"
BEARER = {"Authorization": f"Bearer {KEY}"}


def hashed(name: str, key: str, options: str = "") -> str:
    """A line of the keys file."""
    return f"{name}:sha256:{hashlib.sha256(key.encode()).hexdigest()} {options}\n"


def put(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    """Put a file in place at once, as a careful program does."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(text.encode() if isinstance(text, str) else text)
    fresh.chmod(mode)
    return fresh.replace(path)


# --- The upstream


class Upstream(ThreadingHTTPServer):
    """Answers with the fields it got; ``/stream`` begins an answer and waits to be released.

    Attributes:
        begun: A stream was asked for.
        released: Set by the test, to let the streams end.
        received: The head of every request; no client's key may be in one.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.begun = threading.Event()
        self.released = threading.Event()
        self.received = bytearray()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        super().__exit__()
        assert KEY.encode() not in self.received

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        self.server.received += self.raw_requestline + bytes(self.headers)
        if self.path == "/stream":
            self._stream()
            return
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"one")
        self.server.begun.set()
        self.server.released.wait(PATIENCE_S)
        self.wfile.write(b"two")

    def log_message(self, *_args: object) -> None:
        """Nothing."""


# --- The gateway


class Served:
    """A running ``pyproxy serve``.

    Attributes:
        process: The process.
        port: Of its first listener; set once it is ready.
        trust: TLS of its clients; ``None`` where it speaks plain HTTP.
        secrets: What must be in no line that it writes; tests add their own.
        written: All that it wrote.
        answered: What ``ask`` was answered.
    """

    def __init__(self, process: "subprocess.Popen[str]", trust: ssl.SSLContext | None) -> None:
        self.process = process
        self.port = 0
        self.trust = trust
        self.secrets = [KEY]
        self.written = ""
        self.answered = bytearray()
        self._lines: list[dict[str, object]] = []
        self._news = threading.Condition()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            line = json.loads(text) if text.startswith("{") else {"event": "", "text": text}
            with self._news:
                self.written += text
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def said(self, event: str, **values: object) -> list[dict[str, object]]:
        """The lines of an event so far that have these values."""
        wanted = {"event": event, **values}
        return [line for line in self._lines if wanted.items() <= line.items()]

    def wait_for(self, event: str, count: int = 1, **values: object) -> dict[str, object]:
        """The so-manyeth such line."""
        with self._news:
            has_come = self._news.wait_for(
                lambda: len(self.said(event, **values)) >= count or self._has_ended, PATIENCE_S
            )
        found = self.said(event, **values)
        if not has_come or len(found) < count:
            raise AssertionError(f"no {event} {values} in {self._lines}")
        return found[count - 1]

    def connect(self, host: str = "127.0.0.1") -> http.client.HTTPConnection:
        """A new connection."""
        if self.trust is None:
            connection = http.client.HTTPConnection(host, self.port, timeout=PATIENCE_S)
        else:
            connection = http.client.HTTPSConnection(
                "localhost", self.port, timeout=PATIENCE_S, context=self.trust
            )
        connection.connect()
        return connection

    def ask(
        self, path: str = "/", method: str = "GET", headers: Mapping[str, str] = BEARER
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, fields and body of an answer, over a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.answered += bytes(answer.headers) + body
        return answer.status, answer.headers, body

    def status(self, key: str = KEY, path: str = "/") -> int:
        """Of a request with a key or token, which is a secret from then on."""
        self.secrets += [key] if key else []
        return self.ask(path, headers={"Authorization": f"Bearer {key}"})[0]

    def token(self) -> str:
        """A minted one."""
        status, _, body = self.ask("/token", "POST")
        assert status == 200, body
        token = str(json.loads(body)["token"])
        self.secrets.append(token)
        return token

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to drain, unless it ended already; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Its exit code, once it has one."""
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self._reader.join()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which this very pyproxy is found, and little else."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    source = str(Path(pyproxy.__file__).resolve().parents[1])
    return {**kept, "PYTHONPATH": source, **(extra or {})}


@contextmanager
def serving(
    folder: Path,
    config: str,
    trust: ssl.SSLContext | None = None,
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Iterator[Served]:
    """Serve a configuration while the block runs; no secret may be in what it wrote then."""
    (folder / "pyproxy.toml").write_text(config)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        served = Served(process, trust)
        try:
            served.port = int(str(served.wait_for("listener.ready")["port"] or 0))
            yield served
        finally:
            served.stop(signal.SIGKILL)
    assert not [secret for secret in served.secrets if secret in served.written]
    judge(line for line in served.written.splitlines() if line.startswith("{"))


def refused(
    folder: Path, config: str, environ: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Exit code and words of a gateway that is not to start."""
    (folder / "pyproxy.toml").write_text(config)
    ran = subprocess.run(
        COMMAND,
        cwd=folder,
        env=environment(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.stdout == ""
    assert KEY not in ran.stderr
    return ran.returncode, ran.stderr.splitlines()


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
