"""A key server that misbehaves, and a thousand tokens that name keys nobody has."""

import asyncio
import contextlib
import http.server
import json
import math
import random
import secrets
import ssl
import subprocess
import sys
import time
from pathlib import Path

import jwt
import uvloop

from pyproxy.identity.base64url import encode_base64url
from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.signing_keys import generate_signing_key
from tests.endurance.figure import Figure
from tests.endurance.origin import HOST
from tests.endurance.stage import ROOT, Gateway, OriginProcess, Watched, config, wait_until
from tests.endurance.wire import quantile
from tests.process.served import put

# As many clients as tokens a second: who waits a second for the key server is in time again.
TOKENS, SECONDS, CLIENTS = 1000, 10.0, 100
GOOD_PACE_S = 0.02
# A wait ends after a second of the loop's clock; on a busy machine the answer takes its time.
MAX_FETCHES, MAX_WAIT_MS, MAX_GOOD_MS, MAX_RISE_MIB = 2, 1500.0, 250.0, 16
HUGE, PIECE = 100_000_000, bytes(64 * 1024)
DRIP_S = 0.1
KIND, FETCHES, PRIVATE = "key-server.kind", "key-server.fetches", "key-server.json"
KINDS = (
    "sound", "down", "slow", "silent", "huge", "endless", "deep", "no JSON", "redirecting",
)  # fmt: skip
_PATIENCE_S = 15.0
_OK = b"HTTP/1.1 200 OK\r\n"


class KeyServer:
    """Serves a key set over TLS, or worse, in a process of its own: it is not to slow the clients.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, folder):
        self._folder = folder
        self.kind = "sound"
        (folder / FETCHES).write_text("")

    @property
    def fetches(self):
        """Requests so far."""
        return len((self._folder / FETCHES).read_text())

    @property
    def kind(self):
        """How it answers from now on."""
        return (self._folder / KIND).read_text()

    @kind.setter
    def kind(self, kind):
        put(self._folder / KIND, kind)

    def __enter__(self):
        command = [sys.executable, "-m", "tests.endurance.jwks", str(self._folder)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder):
        super().__init__((HOST, 0), _Answer)
        self.folder = folder
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_):
        """Who is told too much leaves."""


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with (self.server.folder / FETCHES).open("a") as fetches:
            fetches.write("x")
        kind = (self.server.folder / KIND).read_text()
        with contextlib.suppress(OSError):
            getattr(self, f"_{kind.replace(' ', '_').lower()}")()
        self.close_connection = True

    def _say(self, body, head=b""):
        self.wfile.write(_OK + head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def _sound(self):
        self._say(self._set())

    def _set(self):
        private = json.loads((self.server.folder / PRIVATE).read_text())
        return json.dumps({"keys": [without_private(private)]}).encode()

    def _down(self):
        """Not a word."""

    def _silent(self):
        time.sleep(_PATIENCE_S)

    def _slow(self):
        whole = self._set()
        self.wfile.write(_OK + b"Content-Length: %d\r\n\r\n" % len(whole))
        for at in range(len(whole)):
            self.wfile.write(whole[at : at + 1])
            time.sleep(DRIP_S)

    def _huge(self):
        self.wfile.write(_OK + b"Content-Length: %d\r\n\r\n" % HUGE)
        for _ in range(HUGE // len(PIECE)):
            self.wfile.write(PIECE)

    def _endless(self):
        self.wfile.write(_OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))

    def _deep(self):
        self._say(b'{"keys":' + b"[" * 100_000)

    def _no_json(self):
        self._say(b"<html>\xff\x00</html>")

    def _redirecting(self):
        to = b"http://127.0.0.1:%d/elsewhere" % self.server.server_port
        self.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % to)

    def log_message(self, *_):
        pass


def good_token(signing):
    """One of the set's key."""
    now = int(time.time())
    claims = {"sub": "alice", "iss": "us", "aud": "them", "iat": now, "exp": now + 600}
    key = jwt.PyJWK(signing)
    return jwt.encode(claims, key.key, "ES256", headers={"kid": signing["kid"]})


def stray_token(good):
    """The same, by a key whose name is made up."""
    _, claims, signature = good.split(".")
    header = json.dumps({"alg": "ES256", "typ": "JWT", "kid": secrets.token_hex(8)}).encode()
    return f"{encode_base64url(header)}.{claims}.{signature}"


class Asking:
    """Clients with made-up keys' names, one with a good token, and how long each waited."""

    def __init__(self, port, trust, signing):
        self._port, self._trust, self._good = port, trust, good_token(signing)
        self.strays, self.good, self.wrong = [], [], []
        self._is_over = False

    async def run(self, tokens, seconds):
        """So many made-up names, evenly over so many seconds."""
        gap_s = CLIENTS * seconds / tokens
        async with contextlib.AsyncExitStack() as stack:
            # All are connected before the first asks: their handshakes are no part of it.
            enter = stack.enter_async_context
            pairs = [await enter(self._connection()) for _ in range(CLIENTS)]
            known = asyncio.create_task(self._known(await enter(self._connection())))
            count = tokens // CLIENTS
            await asyncio.gather(*(self._stray(pair, count, gap_s) for pair in pairs))
            self._is_over = True
            await known

    async def _stray(self, pair, count, gap_s):
        await asyncio.sleep(gap_s * random.random())  # noqa: S311 - spread over the second
        for _ in range(count):
            began = time.monotonic()
            await self._ask(pair, stray_token(self._good), 401, self.strays)
            await asyncio.sleep(max(0.0, gap_s - (time.monotonic() - began)))

    async def _known(self, pair):
        while not (self._is_over and self.good):
            await self._ask(pair, self._good, 200, self.good)
            await asyncio.sleep(GOOD_PACE_S)

    @contextlib.asynccontextmanager
    async def _connection(self):
        reader, writer = await asyncio.open_connection(
            HOST, self._port, ssl=self._trust, server_hostname="localhost"
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _ask(self, pair, token, status, took):
        reader, writer = pair
        began = time.monotonic()
        lines = ["GET /small HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "", ""]
        writer.write("\r\n".join(lines).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.monotonic() - began)
        if head.split(b" ", 2)[1] != str(status).encode():
            self.wrong.append(head)


EXTRA = """
[auth]
keys_file = "keys.txt"
[auth.jwt]
jwks_url = "https://localhost:{port}/jwks"
issuer = "us"
audience = "them"
[auth.ban]
after = 0
[rate_limits.auth]
rate = "100000r/s"
burst = 100000
"""


def with_key_server(text, port):
    """A configuration whose tokens are of that server alone."""
    before, _, rest = text.partition("[auth]\n")
    after = rest.partition("[rate_limits.api]")[2]
    return before + EXTRA.format(port=port) + "[rate_limits.api]" + after


def measure(folder, scale, kinds=KINDS):
    """A gateway that has the keys, and what a server does to it that goes wrong afterwards."""
    signing = new_key(folder)
    environ = trusting(folder)
    for kind in kinds:
        with OriginProcess() as origin, KeyServer(folder.path) as server:
            text = with_key_server(config({"/": origin.url}), server.port)
            with Gateway(folder.path, text, environ) as gateway:
                assert wait_until(lambda: gateway.lines("jwks.reloaded"))
                server.kind = kind
                asking = Asking(gateway.port, folder.trust, signing)
                yield from _case(gateway, asking, server, scale)


def new_key(folder):
    """Make the key whose public half the server shows."""
    signing = generate_signing_key("ES256")
    put(folder.path / PRIVATE, json.dumps(signing))
    return signing


def trusting(folder):
    """The environment of a gateway that believes the server's certificate."""
    return {"SSL_CERT_FILE": str(folder.path / "ca.crt")}


def _case(gateway, asking, server, scale):
    watched = Watched(*gateway.workers)
    began = time.monotonic()
    uvloop.run(asking.run(TOKENS // scale, SECONDS / scale))
    seconds = time.monotonic() - began
    assert asking.good
    what = f"{len(asking.strays)} made-up key names, the key server {server.kind}"
    # A server that fails is asked again after 1, 2, 4 s, whoever sends tokens or none; one that
    # hangs up twice each time (aiohttp tries a GET once more).
    again = 0 if server.kind == "sound" else int(math.log2(seconds + 1))
    tries = 1 + (MAX_FETCHES - 1 + again) * (2 if server.kind == "down" else 1)
    yield Figure(f"{what}: fetches, the first included", server.fetches, "", tries)
    yield Figure(f"{what}: wrong answers", len(asking.wrong), "", 0)
    yield Figure(f"{what}: longest wait", quantile(asking.strays, 1), "ms", MAX_WAIT_MS)
    yield Figure(f"{what}: of a good token, p99", quantile(asking.good, 0.99), "ms", MAX_GOOD_MS)
    yield Figure(f"{what}: memory", watched.risen_mib, "MiB", MAX_RISE_MIB)


def main(folder):
    """Serve, and say where."""
    with _Server(Path(folder)) as server:
        print(server.server_port, flush=True)  # noqa: T201 - read by who started this
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
