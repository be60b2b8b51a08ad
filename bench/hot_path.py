"""Python's share of a request: the whole way through the gateway, without sockets and TLS.

    python bench/hot_path.py [--profile] [--count 20000]

Both transports are fakes that answer at once, so that what is left is parsing, identity, limit,
shaping, relaying and the access line. Prints microseconds per request, the best of several runs:
the figure that a change to the hot path is judged by, on a machine that is never quite idle.
"""

import argparse
import asyncio
import cProfile
import pstats
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path

import uvloop

from pyproxy.assembly.build import assemble
from pyproxy.assembly.listeners import group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import load
from pyproxy.downstream.connection import ClientConnection, Port
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.handler import Handler
from pyproxy.identity.hashing import BcryptGate
from pyproxy.runtime.worker import new_ids
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog

KEY = "sk-bench-plain-0123456789abcdef"
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:5010\r\nAuthorization: Bearer %b\r\n"
    b"Content-Type: application/json\r\nContent-Length: 61\r\n\r\n"
    b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}' % KEY.encode()
)[:-1] + b"}"
REQUEST = REQUEST.replace(
    b"Content-Length: 61", b"Content-Length: %d" % len(REQUEST.partition(b"\r\n\r\n")[2])
)
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1033\r\n\r\n"
    + b"x" * 1033
)
CONFIG = f"""
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys = ["{KEY}"]
[rate_limits.api]
rate = "1000000r/s"
burst = 1000000
[[routes]]
name = "origin"
path = "/"
upstream = "http://127.0.0.1:9000"
"""


class FakeTransport:
    """Passes what is written to ``on_write``."""

    def __init__(self, on_write: Callable[[bytes], object]) -> None:
        self._on_write = on_write

    def write(self, data: bytes) -> None:
        self._on_write(data)

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 40000) if name == "peername" else None

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...

    abort = pause_reading = resume_reading = close


def open_desk(folder: Path) -> tuple[Desk, Resources]:
    loop = asyncio.get_running_loop()
    file = folder / "bench.toml"
    file.write_text(CONFIG)
    settings = load(file, {}, folder).settings
    resources = Resources(loop, b"k" * 32, BcryptGate())
    gateway = assemble(settings, group_listeners(settings.listeners), resources)
    lines: list[str] = []

    def put(line: str) -> None:
        lines[:] = [line]

    desk = Desk(
        gateway=gateway, loop=loop, now=time.monotonic, wall=time.time, new_id=new_ids(),
        audit=AuditLog(put), access=AccessLog(put), report=lambda exc, _: (_ for _ in ()).throw(exc),
    )  # fmt: skip
    return desk, resources


async def measure(count: int, rounds: int, folder: Path) -> float:
    """Microseconds per request, best of ``rounds``."""
    desk, resources = open_desk(folder)
    loop = desk.loop
    endpoint = next(iter(resources.endpoints.values()))
    upstream = endpoint._protocol()  # noqa: SLF001 - a connection without a socket
    upstream.connection_made(
        FakeTransport(lambda _: loop.call_soon(upstream.data_received, RESPONSE))
    )  # type: ignore[arg-type]
    endpoint._keep(upstream)  # noqa: SLF001
    tasks: list[asyncio.Task[None]] = []

    def spawn(work: Coroutine[object, object, None], name: str) -> "asyncio.Task[None]":
        tasks.append(loop.create_task(work, name=name))
        return tasks[-1]

    handler = Handler(desk, 0)
    port = Port(handler.serve, handler.reject, spawn, 10.0, 75.0, 16384)
    client = ClientConnection(port, loop.time(), loop, lambda: None)
    left = 0
    done = loop.create_future()

    def answered(data: bytes) -> None:
        nonlocal left
        assert data.startswith(b"HTTP/1.1 200")
        left -= 1
        if left:
            loop.call_soon(client.data_received, REQUEST)
        else:
            done.set_result(None)

    client.connection_made(FakeTransport(answered))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    best = float("inf")
    for _ in range(rounds):
        left, done = count, loop.create_future()
        started = time.perf_counter()
        client.data_received(REQUEST)
        await done
        best = min(best, (time.perf_counter() - started) / count * 1e6)
    tasks[0].cancel()
    await resources.close()
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        work: Callable[[], Awaitable[float]] = partial(
            measure, options.count, options.rounds, Path(folder)
        )
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        best = uvloop.run(work())  # type: ignore[arg-type]
        profile.disable()
        print(f"{best:.1f} us per request")
        if options.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
