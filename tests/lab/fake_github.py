"""A stand-in for GitHub's side of Copilot, so that the real ``copilot-api`` runs without the internet.

An HTTP CONNECT proxy on loopback. Whatever host a client asks to CONNECT to, it
terminates TLS itself, with a certificate signed by a throw-away CA, and answers
the few endpoints that copilot-api calls:

    GET  api.github.com/user
    GET  api.github.com/copilot_internal/v2/token
    GET  api.github.com/copilot_internal/user
    GET  api.githubcopilot.com/models
    POST api.githubcopilot.com/chat/completions     (stream and non-stream)
    POST api.githubcopilot.com/embeddings

Everything else gets 404. A request with another credential than the expected one
gets 401, so a stray credential shows. A prompt that says "count to N" is answered
with N words, so that a test has a stream long enough to leave.

    python fake_github.py --port 9443 --state DIR     # writes DIR/ca.pem, prints "ready 9443"

What arrives is written to DIR/capture.jsonl, one JSON object a line:

    {"event": "request", "method", "path", "headers", "body"}
    {"event": "finished", "path", "sent"}              a stream that went out whole
    {"event": "aborted", "path", "sent"}               a stream whose reader left

Needs ``cryptography`` and the standard library only.
"""

import argparse
import asyncio
import contextlib
import datetime
import ipaddress
import json
import pathlib
import re
import ssl
import time
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GITHUB_TOKEN = "ghu_lab_token"
COPILOT_TOKEN = "tid=lab;exp=9999999999;sku=lab:secret-copilot-token"
HOSTS = (
    "api.github.com",
    "github.com",
    "api.githubcopilot.com",
    "api.business.githubcopilot.com",
    "localhost",
)
MODELS = ("gpt-4.1", "gpt-4o", "claude-sonnet-4", "text-embedding-3-small")
WORDS = ("Hello", " from", " the", " lab", ".")
MAX_WORDS = 10_000


# --- certificates


def make_certificates(state: pathlib.Path) -> ssl.SSLContext:
    """Write a CA and one leaf for HOSTS under ``state``; return the server's TLS context."""
    ca_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, leaf_name = _name("copilot-lab CA"), _name("api.github.com")
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in HOSTS]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    authority = _certificate(
        ca_name, ca_key, ca_name, ca_key, x509.BasicConstraints(ca=True, path_length=None)
    )
    leaf = _certificate(leaf_name, leaf_key, ca_name, ca_key, x509.SubjectAlternativeName(names))
    pem = serialization.Encoding.PEM
    (state / "ca.pem").write_bytes(authority.public_bytes(pem))
    (state / "leaf.pem").write_bytes(leaf.public_bytes(pem) + authority.public_bytes(pem))
    (state / "leaf.key").write_bytes(
        leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state / "leaf.pem", state / "leaf.key")
    return context


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(signer, hashes.SHA256())
    )


# --- HTTP, as much as is needed


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, or None at its end."""
    line = await reader.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := await reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, target, headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def respond(status: int, payload: object) -> bytes:
    body = json.dumps(payload).encode()
    head = (
        f"HTTP/1.1 {status} Lab\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# --- what GitHub and Copilot answer


@dataclass
class Lab:
    """GitHub and Copilot, as far as copilot-api can see.

    Attributes:
        capture: File that what arrives is appended to.
        pace: Seconds between two streamed events.
    """

    capture: pathlib.Path
    pace: float = 0.02
    started: float = field(default_factory=time.time)

    def note(self, **event: object) -> None:
        with self.capture.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> None:
        body = request.body.decode("utf-8", "replace")
        self.note(
            event="request",
            method=request.method,
            path=request.target,
            headers=request.headers,
            body=body,
        )
        if request.path in {"/user", "/copilot_internal/v2/token", "/copilot_internal/user"}:
            writer.write(github(request, self.started))
        elif request.headers.get("authorization") != f"Bearer {COPILOT_TOKEN}":
            writer.write(respond(401, {"error": {"message": "unauthorized"}}))
        elif request.path == "/chat/completions" and json.loads(body).get("stream"):
            await self._stream(writer, request, json.loads(body))
        else:
            writer.write(copilot(request))
        await writer.drain()

    async def _stream(
        self, writer: asyncio.StreamWriter, request: Request, question: dict[str, object]
    ) -> None:
        """Send one chat completion as server-sent events, a word each ``pace`` seconds."""
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        sent = 0
        try:
            for event in chunks(question):
                data = f"data: {event}\n\n".encode()
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()
                sent += 1
                await asyncio.sleep(self.pace)
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        except ConnectionError:
            self.note(event="aborted", path=request.path, sent=sent)
            raise
        self.note(event="finished", path=request.path, sent=sent)


def github(request: Request, wall: float) -> bytes:
    """What api.github.com answers to the holder of the lab's GitHub token."""
    if request.headers.get("authorization") != f"token {GITHUB_TOKEN}":
        return respond(401, {"message": "Bad credentials"})
    if request.path == "/user":
        return respond(200, {"login": "lab"})
    if request.path == "/copilot_internal/user":
        return respond(200, {"copilot_plan": "lab", "quota_snapshots": {}})
    token = {"token": COPILOT_TOKEN, "expires_at": int(wall) + 18_000, "refresh_in": 15_000}
    return respond(200, token)


def copilot(request: Request) -> bytes:
    """What api.githubcopilot.com answers, streams aside."""
    if request.path == "/models":
        return respond(200, {"object": "list", "data": [model(name) for name in MODELS]})
    if request.path == "/chat/completions" and request.method == "POST":
        return respond(200, completion(json.loads(request.body)))
    if request.path == "/embeddings" and request.method == "POST":
        vector = {"object": "embedding", "index": 0, "embedding": [0.0, 0.5, 1.0]}
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return respond(
            200, {"object": "list", "data": [vector], "model": "lab", "usage": usage}
        )
    return respond(404, {"error": {"message": f"no {request.method} {request.path} in the lab"}})


def model(name: str) -> dict[str, object]:
    return {
        "id": name,
        "object": "model",
        "name": name,
        "vendor": "lab",
        "version": name,
        "preview": False,
        "model_picker_enabled": True,
        "capabilities": {
            "family": name,
            "object": "model_capabilities",
            "type": "chat",
            "tokenizer": "o200k_base",
            "limits": {"max_output_tokens": 4096},
            "supports": {},
        },
    }


def answer_words(question: dict[str, object]) -> list[str]:
    """The words of the answer: as many as the prompt asks to count to, else a greeting."""
    counted = re.search(r"count to (\d+)", json.dumps(question.get("messages", [])))
    if counted is None:
        return list(WORDS)
    return [f"{number} " for number in range(1, min(int(counted[1]), MAX_WORDS) + 1)]


def completion(question: dict[str, object]) -> dict[str, object]:
    message = {"role": "assistant", "content": "".join(answer_words(question))}
    return {
        "id": "chatcmpl-lab",
        "object": "chat.completion",
        "created": 0,
        "model": question.get("model"),
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
    }


def chunks(question: dict[str, object]) -> list[str]:
    """The events' data of a streamed completion, ``[DONE]`` last."""
    base = {
        "id": "chatcmpl-lab",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": question.get("model"),
    }
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word} for word in answer_words(question)]
    events: list[dict[str, object]] = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    events.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    events.append({**base, "choices": [], "usage": usage})
    return [*map(json.dumps, events), "[DONE]"]


# --- the CONNECT proxy in front


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(port: int, state: pathlib.Path, pace: float) -> None:
    state.mkdir(parents=True, exist_ok=True)
    lab = Lab(state / "capture.jsonl", pace)

    async def github_side(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                await lab.answer(writer, request)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    tls = make_certificates(state)
    backend = await asyncio.start_server(github_side, "127.0.0.1", 0, ssl=tls)
    backend_port = backend.sockets[0].getsockname()[1]

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request is None or request.method != "CONNECT":
            writer.write(respond(405, {"message": "this is a CONNECT proxy"}))
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", backend_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    front = await asyncio.start_server(connect, "127.0.0.1", port)
    print("ready", front.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=9443, help="0: any free one")
    parser.add_argument("--state", type=pathlib.Path, required=True, help="CA and capture go there")
    parser.add_argument("--pace", type=float, default=0.02, help="seconds between streamed events")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.state, options.pace))


if __name__ == "__main__":
    main()
