"""A model API on loopback that speaks its provider's wire format, and keeps every byte it gets."""

import json
import socket
import ssl
import threading
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from tests.functional.scripted import Message

# Longer than anything here takes.
PATIENCE_S = 20.0
HOST = "127.0.0.1"
MANY_BYTES = 65536


class Gone(Exception):
    """The other end has nothing more to say."""


@dataclass
class Asked(Message):
    """A request as it arrived.

    Attributes:
        messages: What the client said over the WebSocket that it opened.
        is_over: Set when that WebSocket has ended.
    """

    messages: list = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def method(self):
        """In capitals."""
        return self.start.split(b" ")[0].decode()

    @property
    def target(self):
        """Path and query, as they came."""
        return self.start.split(b" ")[1].decode()

    @property
    def path(self):
        """The target's."""
        return urlsplit(self.target).path

    @property
    def query(self):
        """Names and values, in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def said(self):
        """The messages as JSON."""
        return [json.loads(message) for message in self.messages]

    @property
    def fields(self):
        """Names in lower case and values, in order."""
        pairs = [line.decode("latin-1").partition(":") for line in self.lines]
        return [(name.lower(), value.strip()) for name, _, value in pairs]


@dataclass
class Answer:
    """What a play says.

    Attributes:
        status: Of HTTP.
        fields: Names and values.
        body: Bytes that are sent with their length, or pieces, each a chunk.
    """

    status: int = 200
    fields: tuple = ()
    body: object = b""


def of_json(content, *fields, status=200):
    """An answer in JSON."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Answer(status, (("Content-Type", "application/json"), *fields), body)


def of_events(events, *fields):
    """An answer of server-sent events, as pairs of a name, if it has one, and its data."""
    pieces = [
        (f"event: {name}\n" if name else "").encode() + b"data: " + _data(content) + b"\n\n"
        for name, content in events
    ]
    return Answer(200, (("Content-Type", "text/event-stream; charset=utf-8"), *fields), pieces)


def _data(content):
    return content if isinstance(content, bytes) else json.dumps(content).encode()


class Wire:
    """A connection as the play sees it.

    Attributes:
        received: What it got is added here.
    """

    def __init__(self, sock, received):
        self._sock, self.received = sock, received
        self._ahead = b""

    def some(self):
        """At least one byte.

        Raises:
            Gone: There is none.
        """
        if self._ahead:
            data, self._ahead = self._ahead, b""
            return data
        data = self._sock.recv(MANY_BYTES)
        self.received += data
        if not data:
            raise Gone
        return data

    def until(self, mark):
        """Everything up to and including ``mark``."""
        data = b""
        while mark not in data:
            data += self.some()
        whole, _, self._ahead = data.partition(mark)
        return whole + mark

    def exactly(self, count):
        """So many bytes."""
        data = b""
        while len(data) < count:
            data += self.some()
        self._ahead = data[count:]
        return data[:count]

    def send(self, data):
        """Send all of it."""
        self._sock.sendall(data)

    def request(self):
        """The next request, whole."""
        asked = Asked(self.until(b"\r\n\r\n"))
        if asked.value("transfer-encoding"):
            while size := int(self.until(b"\r\n"), 16):
                asked.body += self.exactly(size)
                self.until(b"\r\n")
            self.until(b"\r\n")
        else:
            asked.body = self.exactly(int(asked.value("content-length") or 0))
        return asked

    def answer(self, answer, method, pace):
        """Send an answer; piece after piece, if it comes in pieces."""
        is_whole = isinstance(answer.body, bytes)
        framing = (
            ("Content-Length", len(answer.body)) if is_whole else ("Transfer-Encoding", "chunked")
        )
        lines = [f"{name}: {value}" for name, value in (*answer.fields, framing)]
        self.send("\r\n".join([f"HTTP/1.1 {answer.status} Said", *lines, "", ""]).encode())
        if method == "HEAD":
            return
        if is_whole:
            self.send(answer.body)
            return
        for piece in answer.body:
            pace.wait()
            self.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.send(b"0\r\n\r\n")


class Pace:
    """How fast pieces go out: as they come, or each when it is allowed to."""

    def __init__(self, *, is_slow=False):
        self._allowed = threading.Semaphore(0) if is_slow else None

    def allow(self):
        """Let one more go."""
        self._allowed.release()

    def wait(self):
        """Wait for that."""
        if self._allowed is not None and not self._allowed.acquire(timeout=PATIENCE_S):
            raise Gone


class Play:
    """An API of one provider.

    Attributes:
        name: The provider's.
        credential_field: The field, in lower case, in which it wants its key.
        scheme: What it wants before the key.
        key: The only credential that it accepts.
        asked: Requests so far.
        received: Every byte so far, without the encryption.
    """

    name = ""
    credential_field = "authorization"
    scheme = ""

    def __init__(self, key, tls):
        self.key = key
        self.asked = []
        self.received = bytearray()
        self._pace = Pace()
        self._scripted = deque()
        self._tls = tls
        self._socks = set()
        self._threads = []
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"https://localhost:{self.port}"

    @property
    def credential(self):
        """The field that lets a request in."""
        return self.credential_field, f"{self.scheme}{self.key}"

    # --- What a provider fills in

    def is_let_in(self, asked):
        """Whether the request has the right credential, and has it once."""
        name, value = self.credential
        return asked.values(name) == [value]

    def refusal(self):
        """The answer to those that have not."""
        raise NotImplementedError

    def answer(self, asked):
        """The answer to everybody else."""
        raise NotImplementedError

    def talk(self, asked, wire):
        """Open a WebSocket and hold the conversation; ``None`` where there is none."""
        raise NotImplementedError

    # --- What tests do

    def says(self, *answers):
        """Give these answers to the next requests, if their credential is right."""
        self._scripted.extend(answers)

    @contextmanager
    def slow(self):
        """Send a piece of a stream only when the ``Pace`` that is given allows it."""
        self._pace = Pace(is_slow=True)
        try:
            yield self._pace
        finally:
            self._pace = Pace()

    # --- Serving

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for sock in list(self._socks):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, plain):
        self._socks.add(plain)
        with plain, suppress(Gone, ssl.SSLError, OSError):
            plain.settimeout(PATIENCE_S)
            with self._tls.wrap_socket(plain, server_side=True) as sock:
                self._socks.add(sock)
                # A kept connection may be silent for as long as it likes.
                sock.settimeout(None)
                wire = Wire(sock, self.received)
                while self._exchange(wire):
                    pass

    def _exchange(self, wire):
        """Serve one request; whether the connection is still HTTP's."""
        asked = wire.request()
        self.asked.append(asked)
        if not self.is_let_in(asked):
            answer = self.refusal()
        elif self._scripted:
            answer = self._scripted.popleft()
        elif asked.value("upgrade"):
            try:
                self.talk(asked, wire)
            finally:
                asked.is_over.set()
            return False
        else:
            answer = self.answer(asked)
        wire.answer(answer, asked.method, self._pace)
        return True
