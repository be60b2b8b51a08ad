"""Whom a page's commands meet on the stage instead of the internet.

Each is a context manager that gets the ``Meeting``. Providers' keys are what pages write for
them: ``sk-...`` is the key that the played OpenAI takes.
"""

import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from pyproxy.cli.demonstration import Demonstration, DemonstrationThread
from tests.docs import abroad
from tests.lab import copilot
from tests.providers.agents import anthropic_play, responses_play
from tests.providers.agents.upstream import playing
from tests.providers.anthropic_play import AnthropicPlay
from tests.providers.copilot_play import CopilotPlay
from tests.providers.elevenlabs_play import ElevenLabsPlay
from tests.providers.gemini_play import GeminiPlay
from tests.providers.openai_play import OpenAIPlay
from tests.redis_server import RedisServer

HOST = "127.0.0.1"
COPILOT_PORT = 4141
REDIS_PORT = 6379
VERIFIER_PORT = 5002
KEYS = {
    OpenAIPlay: "sk-...",
    AnthropicPlay: "sk-ant-...",
    GeminiPlay: "AIza...",
    CopilotPlay: "ghu_...",
    ElevenLabsPlay: "sk_...",
}


@dataclass
class Meeting:
    """Where stand-ins and gateway meet.

    Attributes:
        folder: The page's.
        notes: The stage's own.
        environ: What the gateway must know of them; nobody else is told.
        heard: Each gives what it was asked.
    """

    folder: Path
    notes: Path
    environ: dict[str, str] = field(default_factory=dict)
    heard: list[Callable[[], list[dict[str, object]]]] = field(default_factory=list)

    def asked(self) -> list[dict[str, object]]:
        """Everything that any of them was asked."""
        return [each for listen in self.heard for each in listen()]

    def tls(self) -> ssl.SSLContext:
        """What a provider serves with, and let the gateway trust it."""
        authority = trustme.CA()
        path = self.notes / "providers.crt"
        authority.cert_pem.write_to_path(str(path), append=path.exists())
        self.environ["SSL_CERT_FILE"] = str(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*abroad.PUBLIC).configure_cert(context)
        return context


def _noted(name: str, requests: list[object]) -> list[dict[str, object]]:
    return [
        {
            "who": name,
            "method": each.method,
            "target": each.target,
            "fields": {key.lower(): value for key, value in each.fields},
        }
        for each in requests
    ]


@contextmanager
def providers(meeting: Meeting):
    """Every provider's API."""
    tls = meeting.tls()
    with ExitStack() as stack:
        for kind, key in KEYS.items():
            play = stack.enter_context(kind(key, tls))
            meeting.heard.append(partial(_noted, play.name, play.asked))
            abroad.serve(play.name, play.port)
        yield


@contextmanager
def agents(meeting: Meeting):
    """What Claude Code and Codex ask for, with a command that they are to run."""
    anthropic_play.KEY, responses_play.KEY = KEYS[AnthropicPlay], KEYS[OpenAIPlay]
    plays = {"anthropic": anthropic_play.AnthropicPlay(), "openai": responses_play.ResponsesPlay()}
    with ExitStack() as stack:
        for name, play in plays.items():
            upstream = stack.enter_context(playing(play, meeting.tls()))
            meeting.heard.append(partial(_noted, name, upstream.requests))
            abroad.serve(name, upstream.port)
        yield


@contextmanager
def demonstration(_: Meeting):
    """An API in copilot-api's place that knows one sentence."""
    thread = DemonstrationThread(Demonstration(pause_s=0.0), COPILOT_PORT).start()
    try:
        yield
    finally:
        thread.stop()


@contextmanager
def copilot_api(meeting: Meeting):
    """The real copilot-api, with a stand-in for GitHub behind it."""
    state = meeting.notes / "copilot-api"
    state.mkdir()
    with copilot.start(state, COPILOT_PORT):
        yield


@contextmanager
def redis(meeting: Meeting):
    """A Redis at its usual port."""
    server = RedisServer(meeting.notes / "redis", port=REDIS_PORT)
    server.start()
    try:
        yield
    finally:
        server.kill()


class _Echo(BaseHTTPRequestHandler):
    """Says what it was asked, and by whom."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        lines = [f"{self.command} {self.path}", *(f"{k}: {v}" for k, v in self.headers.items())]
        body = ("\n".join(lines) + "\n").encode()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - named by the method that it answers

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def echo(_: Meeting):
    """In copilot-api's place, says what it was asked."""
    with ThreadingHTTPServer((HOST, COPILOT_PORT), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


class _Verifier(BaseHTTPRequestHandler):
    """Knows the keys of the folder's ``known_keys``, and no other."""

    protocol_version = "HTTP/1.1"
    known: Path

    def do_GET(self) -> None:
        shown = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        is_known = bool(shown) and shown in self.known.read_text().split()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def verifier(meeting: Meeting):
    """The service that nginx asks."""
    _Verifier.known = meeting.notes / "known_keys"
    with ThreadingHTTPServer((HOST, VERIFIER_PORT), _Verifier) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


STAND_INS: dict[str, Callable[[Meeting], AbstractContextManager[None]]] = {
    "providers": providers,
    "agents": agents,
    "demonstration": demonstration,
    "copilot-api": copilot_api,
    "redis": redis,
    "echo": echo,
    "verifier": verifier,
}
