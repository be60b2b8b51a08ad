"""A gateway in front of stand-ins for three APIs, watched by Prometheus."""

import asyncio
import hashlib
import json
import secrets
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import trustme
from aiohttp import web

from bench.stage import Stage, free_port
from pyproxy.identity.signing_keys import generate_key_set

USERS: Final = ("alice", "bob", "carol", "dave")
_CHANCE: Final = secrets.SystemRandom()
_CONFIGURATION: Final = """
[server]
workers = 2
admin = "127.0.0.1:{admin}"
[server.log]
audit = "audit.log"
[[listeners]]
bind = "127.0.0.1:{port}"
certificate = "certs/gateway.crt"
private_key = "certs/gateway.key"
[auth]
keys_file = "keys/api.txt"
[auth.ban]
after = 8
[auth.jwt]
signing_keys_file = "keys/signing.json"
[rate_limits.auth]
rate = "60r/m"
burst = 30
[rate_limits.team]
rate = "20r/s"
burst = 30
per = "user"
[[routes]]
name = "openai"
path = "/openai"
provider = "openai"
upstream = "http://127.0.0.1:{openai}"
rate_limits = ["api", "team"]
[[routes]]
name = "claude"
path = "/claude"
provider = "anthropic"
upstream = "http://127.0.0.1:{claude}"
[[routes]]
name = "copilot"
path = "/"
upstream = ["http://127.0.0.1:{first}", "http://127.0.0.1:{second}"]
health = {{ path = "/health", interval = "1s", timeout = "2s", unhealthy_after = 1 }}
"""
_PROMETHEUS: Final = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: pyproxy
    static_configs:
      - targets: ["127.0.0.1:{admin}"]
"""


class StandIn:
    """An API that thinks for a while, and streams where it is asked to.

    Args:
        port: Where it listens on loopback.
        median_s: How long half of its answers take to begin, at most.
        faulty: The share of requests that it answers 500.
    """

    def __init__(self, port: int, median_s: float, faulty: float) -> None:
        self._port, self._median_s, self._faulty = port, median_s, faulty
        app = web.Application()
        app.router.add_get("/health", _health)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._app = app

    async def begin(self) -> None:
        """Listen."""
        self._runner = web.AppRunner(self._app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, shutdown_timeout=0.1).start()

    async def end(self) -> None:
        """Be gone."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        await asyncio.sleep(self._median_s * _CHANCE.lognormvariate(0, 0.5))
        if _CHANCE.random() < self._faulty:
            return web.json_response({"error": "made up"}, status=500)
        if "stream" not in request.path:
            return web.json_response({"text": "x" * _CHANCE.randrange(200, 4000)})
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for _ in range(_CHANCE.randrange(20, 60)):
            await answer.write(b"data: a few words more\n\n")
            await asyncio.sleep(0.05)
        return answer


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok")


class Scene:
    """All of it, for as long as the block lasts.

    Attributes:
        url: The gateway's, for clients.
        admin: Its admin listener's origin.
        prometheus: Port of Prometheus.
        keys: A good key of each user.
        trust: What makes clients trust the gateway.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ports = {
            name: free_port()
            for name in ("port", "admin", "openai", "claude", "first", "second", "prometheus")
        }
        self.url = f"https://localhost:{self._ports['port']}"
        self.admin = f"http://127.0.0.1:{self._ports['admin']}"
        self.prometheus = self._ports["prometheus"]
        self.keys = {user: f"pyp_{secrets.token_urlsafe(32)}" for user in USERS}
        self.trust = ssl.create_default_context()
        self._second = StandIn(self._ports["second"], 0.09, 0.0)
        self._stand_ins = (
            StandIn(self._ports["openai"], 0.2, 0.004),
            StandIn(self._ports["claude"], 0.35, 0.002),
            StandIn(self._ports["first"], 0.07, 0.0),
            self._second,
        )

    async def __aenter__(self) -> Self:
        """Start everything."""
        for each in self._stand_ins:
            await each.begin()
        await asyncio.to_thread(self._start, self._stage.folder)
        return self

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        """End the stand-ins; the stage ends the rest."""
        for each in self._stand_ins:
            await each.end()

    async def stumble(self, after_s: float, for_s: float) -> None:
        """Let one of the upstreams be away for a while."""
        await asyncio.sleep(after_s)
        await self._second.end()
        await asyncio.sleep(for_s)
        await self._second.begin()

    def _start(self, folder: Path) -> None:
        authority = trustme.CA()
        authority.configure_trust(self.trust)
        end = datetime.now(UTC) + timedelta(days=61.5)
        issued = authority.issue_cert("llm.example.org", "localhost", not_after=end)
        _keep(folder / "certs/gateway.key", issued.private_key_pem.bytes())
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        _keep(folder / "certs/gateway.crt", chain)
        signing = json.dumps(generate_key_set("ES256"))
        _keep(folder / "keys/signing.json", signing.encode())
        lines = (f"{user}:sha256:{_digest(key)}\n" for user, key in self.keys.items())
        _keep(folder / "keys/api.txt", "".join(lines).encode())
        _keep(folder / "pyproxy.toml", _CONFIGURATION.format(**self._ports).encode())
        _keep(folder / "prometheus.yml", _PROMETHEUS.format(**self._ports).encode())
        every = self._stage.all_cpus
        serve = (sys.executable, "-m", "pyproxy", "serve", "-c", f"{folder}/pyproxy.toml")
        provider_keys = {"OPENAI_API_KEY": "sk-stand-in", "ANTHROPIC_API_KEY": "sk-stand-in"}
        self._stage.start("gateway", serve, self._ports["port"], every, provider_keys)
        watch = (
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/metrics",
            f"--web.listen-address=127.0.0.1:{self.prometheus}",
        )
        self._stage.start("prometheus", watch, self.prometheus, every)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
