"""An admin listener that says what a test tells it to, and shows the page in its own policy."""

import json
import socket
import threading
from contextlib import suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from pyproxy.admin.page import load_page

NOW = 1_790_000_000.0
NOTHING = {"p50": None, "p90": None, "p99": None}
QUIET = {
    "version": "0.1.0",
    "python": "3.11.7",
    "now": NOW,
    "started_at": NOW - 12.0,
    "uptime_s": 12.0,
    "draining": False,
    "ready": True,
    "reasons": [],
    "workers": [{"slot": 0, "pid": 4242, "uptime_s": 11.0, "connections": 0, "is_answering": True}],
    "window_s": 60,
    "requests": {
        "total": 0,
        "per_second": 0,
        "errors_per_second": 0,
        "in_flight": 0,
        "streams": 0,
        "connections": 0,
        "by_status": {},
        "latency_ms": NOTHING,
        "first_byte_ms": NOTHING,
        "bytes_in": 0,
        "bytes_out": 0,
    },
    "history": {
        "step_s": 1,
        "per_second": [0] * 60,
        "errors_per_second": [0] * 60,
        "p50_ms": [None] * 60,
        "p99_ms": [None] * 60,
    },
    "refusals": {},
    "refusals_last_minute": {},
    "routes": [],
    "limits": [],
    "bans": {"in_force": 0, "begun": 0, "after": 20, "within_s": 600, "lasting_s": 900},
    "store": {"kind": "memory", "is_up": True, "on_failure": "local", "failures": 0},
    "listeners": [{"bind": "127.0.0.1:5000", "tls": False}],
    "certificates": [],
    "key_sets": [],
    "reload": {"at": NOW - 12.0, "result": "none", "faults": []},
    "files_refused": [],
    "logs": {"lost": 0},
}
"""What a gateway says that has just begun."""


def route(name, *upstreams, **values):
    """A route's part of the status."""
    return {
        "name": name,
        "path": "/",
        "provider": "generic",
        "requests": 1000,
        "per_second": 12.0,
        "errors": 0,
        "latency_ms": {"p50": 1.25, "p90": 3.0, "p99": 9.1},
        "limits": ["api"],
        "upstreams": [
            {"name": each, "state": state, "in_flight": 1, "idle": 4} for each, state in upstreams
        ],
    } | values


def status(**values):
    """The quiet gateway's status, with some of it otherwise."""
    return deepcopy(QUIET) | values


class Desk(ThreadingHTTPServer):
    """Answers like the admin listener.

    Attributes:
        status: What is said next.
        bans: Address to seconds left.
        code: The HTTP status with which it is said.
        token: What must be shown; empty: nothing.
        refused: How many requests showed no token, or a wrong one.
        lifted: Addresses whose ban was lifted, in their order.
    """

    daemon_threads = True

    def __init__(self, address=("127.0.0.1", 0)):
        self.address_family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        super().__init__(address, _Answer)
        self.page = load_page()
        self.status, self.code = status(), 200
        self.bans, self.token, self.refused, self.lifted = {}, "", 0, []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def server_bind(self):
        """Without asking what this machine is called."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = 0 if isinstance(self.server_address, str) else self.server_address[1]

    @property
    def url(self):
        """What a person types."""
        return f"http://127.0.0.1:{self.server_port}/"

    def leave(self):
        """Answer nobody any more."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def get_request(self):
        """A connection; a peer on a unix socket has no address, where one is expected."""
        connection, peer = self.socket.accept()
        return connection, peer or ("", 0)

    def handle_error(self, *_):
        """A page that is closed in the middle of an answer is no fault."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/":
            self._send(200, self.server.page.content, "text/html; charset=utf-8")
        elif not self._may():
            self.server.refused += 1
            self._say(401, {"error": "missing_token"})
        elif path == "/status":
            self._say(self.server.code, self.server.status)
        elif path == "/bans":
            bans = [{"address": a, "seconds_left": s} for a, s in self.server.bans.items()]
            self._say(200, {"bans": bans})
        else:
            self._say(404, {"error": "not_found"})

    def do_DELETE(self):
        address = parse_qs(urlsplit(self.path).query).get("address", [""])[0]
        if not self._may():
            self._say(401, {"error": "missing_token"})
        elif self.server.bans.pop(address, None) is None:
            self._say(404, {"error": "not_found"})
        else:
            self.server.lifted.append(address)
            self._say(200, {"lifted": True})

    def _may(self):
        shown = self.headers.get("Authorization", "")
        return not self.server.token or shown == f"Bearer {self.server.token}"

    def _say(self, code, content):
        self._send(code, json.dumps(content).encode(), "application/json")

    def _send(self, code, content, kind):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", self.server.page.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *_):
        pass
