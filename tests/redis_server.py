"""Real Redis servers for tests: alone, in a cluster, behind sentinels; each ends with its test."""

import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.programs import demand

PATIENCE_S = 15.0


def demand_redis() -> None:
    """Go on if Redis is installed."""
    demand("" if shutil.which("redis-server") else "redis-server is not installed")


def free_port() -> int:
    """A port that nobody listens on, nor on the cluster's bus, 10000 higher.

    Both are below those that the kernel gives to whoever connects: a server that is
    started, killed and started again must find its port free each time.
    """
    while True:
        port = 11_000 + secrets.randbelow(11_000)
        try:
            for each in (port, port + 10_000):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port


class RedisServer:
    """A ``redis-server`` of its own that keeps nothing on disk.

    Attributes:
        port: On 127.0.0.1; the same after a restart.
        socket: Of a unix socket.
    """

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What the gateway is told."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        own = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))
        plain = ("--save", "", "--appendonly", "no", "--unixsocket", str(self.socket))
        self._run(*own, *plain, *self._options)

    def _run(self, *arguments: str) -> None:
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self.is_answering)

    def is_answering(self) -> bool:
        """Whether it answers anything at all over its unix socket."""
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(1.0)
                asking.connect(str(self.socket))
                asking.sendall(b"PING\r\n")
                return not asking.recv(64).startswith(b"-LOADING")
        except OSError:
            return False

    def ask(self, *words: str) -> str:
        """What ``redis-cli`` would be answered, as the server writes it."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE_S)
            asking.connect(str(self.socket))
            parts = [f"*{len(words)}\r\n", *(f"${len(w.encode())}\r\n{w}\r\n" for w in words)]
            asking.sendall("".join(parts).encode())
            return asking.recv(1 << 20).decode(errors="replace")

    def ask_as(self, password: str, *words: str) -> str:
        """As ``ask``, with a password before it."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE_S)
            asking.connect(str(self.socket))
            for line in (("AUTH", password), words):
                parts = [f"*{len(line)}\r\n", *(f"${len(w.encode())}\r\n{w}\r\n" for w in line)]
                asking.sendall("".join(parts).encode())
                answer = asking.recv(1 << 20).decode(errors="replace")
        return answer

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "redis.log").read_text(errors="replace")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None
            self.socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Stop it: its connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server while the block runs."""
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def redis_cluster(folder: Path, count: int = 3) -> Iterator[list[RedisServer]]:
    """A cluster of single nodes that have all slots between them."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    servers = [RedisServer(folder / f"node{i}", *options) for i in range(count)]
    try:
        for server in servers:
            server.start()
        for i, server in enumerate(servers):
            first, last = 16384 * i // count, 16384 * (i + 1) // count - 1
            assert server.ask("CLUSTER", "ADDSLOTSRANGE", str(first), str(last)) == "+OK\r\n"
            assert server.ask("CLUSTER", "SET-CONFIG-EPOCH", str(i + 1)) == "+OK\r\n"
        for server in servers[1:]:
            assert servers[0].ask("CLUSTER", "MEET", "127.0.0.1", str(server.port)) == "+OK\r\n"
        wait_until(lambda: all(_is_whole(server, count) for server in servers))
        yield servers
    finally:
        for server in servers:
            server.kill()


def _is_whole(server: RedisServer, count: int) -> bool:
    info = server.ask("CLUSTER", "INFO")
    return "cluster_state:ok" in info and f"cluster_known_nodes:{count}" in info


@contextmanager
def redis_sentinel(
    folder: Path, server: RedisServer, name: str = "mymaster"
) -> Iterator[RedisServer]:
    """A sentinel that watches a server, and makes its replica the master in half a second."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "sentinel.conf"
    config.write_text(
        f"sentinel monitor {name} 127.0.0.1 {server.port} 1\n"
        f"sentinel down-after-milliseconds {name} 500\n"
        f"sentinel failover-timeout {name} 3000\n"
    )
    sentinel = Sentinel(config, folder)
    sentinel.start()
    try:
        yield sentinel
    finally:
        sentinel.kill()


class Sentinel(RedisServer):
    """``redis-server --sentinel``."""

    def __init__(self, config: Path, folder: Path) -> None:
        super().__init__(folder)
        self._config = config

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run(
            str(self._config), "--sentinel", "--port", str(self.port), "--bind", "127.0.0.1",
            "--dir", str(self.folder), "--unixsocket", str(self.socket),
        )  # fmt: skip


def wait_until(is_so, patience_s: float = PATIENCE_S) -> None:
    """Look again and again."""
    end = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def flush(servers: Sequence[RedisServer], password: str = "") -> None:
    """Forget everything, scripts too."""
    for server in servers:
        for words in (("FLUSHALL",), ("SCRIPT", "FLUSH")):
            said = server.ask_as(password, *words) if password else server.ask(*words)
            assert said == "+OK\r\n"
