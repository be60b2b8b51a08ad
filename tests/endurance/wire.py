"""Blocking clients and an upstream in a thread, for what is measured byte by byte."""

import contextlib
import socket
import struct
import threading
import time

from tests.endurance.origin import HOST
from tests.process.served import KEY

PATIENCE_S = 120.0
BLOCK = bytes(256 * 1024)
_RESET = struct.pack("ii", 1, 0)


def head(method, path, *lines, key=KEY):
    """A request as ordinary clients send it."""
    fields = ["Host: localhost", f"Authorization: Bearer {key}", *lines]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode()


def connect(port, trust=None):
    """A new connection."""
    sock = socket.create_connection((HOST, port), PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock if trust is None else trust.wrap_socket(sock, server_hostname="localhost")


def read_head(sock):
    """A message's head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError("cut in a head")
        data += piece
    at = data.index(b"\r\n\r\n") + 4
    return data[:at], data[at:]


def read_answer(sock):
    """Head and body of an answer of known length."""
    text, body = read_head(sock)
    length = int(text.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError("cut in a body")
        body += piece
    return text, body[:length]


def ask(sock, path="/small", key=KEY):
    """One request; how many seconds it took."""
    started = time.perf_counter()
    sock.sendall(head("GET", path, key=key))
    text, _ = read_answer(sock)
    assert text.startswith(b"HTTP/1.1 200"), text
    return time.perf_counter() - started


def reset(sock):
    """End a connection with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


class Counted:
    """Sends or reads so many bytes in a thread, silent for a while in their middle.

    Attributes:
        moved: Bytes so far.
        error: What ended it early.
    """

    def __init__(self, sock, total, *, sends, pause_at=None, pause_s=0.0, moved=0):
        self._sock, self._total, self._sends = sock, total, sends
        self._pause_at, self._pause_s = pause_at, pause_s
        self.moved = moved
        self.is_paused = threading.Event()
        self.error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while self.moved < self._total:
                self._pause()
                left = self._total - self.moved
                if self._sends:
                    self.moved += self._sock.send(BLOCK[: min(left, len(BLOCK))])
                else:
                    piece = self._sock.recv(min(left, len(BLOCK)))
                    if not piece:
                        raise ConnectionError("cut")
                    self.moved += len(piece)
        except OSError as exc:
            self.error = exc

    def _pause(self):
        if self._pause_at is not None and self.moved >= self._pause_at:
            self._pause_at = None
            self.is_paused.set()
            time.sleep(self._pause_s)

    def is_done(self):
        """All of it, or as much as there will be."""
        return not self._thread.is_alive()


class Server:
    """An upstream that hands each connection to the test."""

    def __init__(self):
        self._listening = socket.create_server((HOST, 0))
        self._listening.settimeout(PATIENCE_S)
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}"

    def asked(self):
        """The next connection, its request's head, and what came behind it."""
        sock, _ = self._listening.accept()
        sock.settimeout(PATIENCE_S)
        return sock, *read_head(sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listening.close()


class GoodClient:
    """Asks at an even pace over one connection, in a thread.

    Attributes:
        took: Seconds of each request.
        failed: What went wrong.
    """

    def __init__(self, port, trust, pace_s, key=KEY):
        self._port, self._trust, self._pace_s, self._key = port, trust, pace_s, key
        self.took, self.failed = [], []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            with contextlib.closing(connect(self._port, self._trust)) as sock:
                while not self._is_over.wait(self._pace_s):
                    self.took.append(ask(sock, key=self._key))
        except (OSError, AssertionError) as exc:
            self.failed.append(exc)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


def quantile(values, part):
    """Of seconds, in ms."""
    return 1000 * sorted(values)[min(len(values) - 1, int(part * len(values)))]
