"""Python's share of a request: the whole way through the gateway, without sockets and TLS.

    python -m bench.hot_path [--profile] [--count 20000] [--traces URL]

Both transports are fakes that answer at once, so that what is left is parsing, identity, limit,
shaping, relaying and the access line; with ``--traces`` also the spans, which another thread makes
and sends meanwhile. Prints microseconds per request, the best of several runs: the figure that a
change to the hot path is judged by, on a machine that is never quite idle.
"""

import argparse
import asyncio
import cProfile
import pstats
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import NoReturn, cast

import uvloop

from pyproxy.assembly.build import assemble
from pyproxy.assembly.listeners import group_listeners
from pyproxy.assembly.resources import Resources
from pyproxy.config.load import load
from pyproxy.downstream.connection import ClientConnection
from pyproxy.downstream.peer import Peer
from pyproxy.downstream.port import Port
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.handler import Handler
from pyproxy.identity.hashing import BcryptGate
from pyproxy.runtime.desk import new_ids
from pyproxy.telemetry.access import AccessLog
from pyproxy.telemetry.audit import AuditLog

KEY = "sk-bench-plain-0123456789abcdef"
_BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}'
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1033\r\n\r\n"
    + b"x" * 1033
)
_JSON = ("Content-Type: application/json",)
_BIND = "127.0.0.1:0"
_CONFIGURATION = f"""
[[listeners]]
bind = "{_BIND}"
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


def request_for(path: str, key: str, lines: Sequence[str] = _JSON) -> bytes:
    """A small completion request; ``lines`` are its other fields."""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1:5010",
        f"Authorization: Bearer {key}",
        *lines,
        f"Content-Length: {len(_BODY)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + _BODY


@dataclass(frozen=True, slots=True)
class Course:
    """What is sent through what.

    Attributes:
        configuration: TOML.
        requests: Sent in turn, over and over; a single one is a head that a client repeats.
        addresses: Clients that take turns; empty: a single one.
        must_send: What the upstream must be sent, or the measurement is of something else.
        environment: That the configuration is completed from.
    """

    configuration: str = _CONFIGURATION
    requests: Sequence[bytes] = (request_for("/v1/chat/completions", KEY),)
    addresses: Sequence[str] = ()
    must_send: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict)


class FakeTransport:
    """Passes what is written to ``on_write``.

    Args:
        on_write: Called at once.
        sock: Is asked whether anything came; nothing ever does.
    """

    def __init__(self, on_write: Callable[[bytes], object], sock: socket.socket) -> None:
        self._on_write = on_write
        self._socket = sock

    def write(self, data: bytes) -> None:
        """Hand on at once."""
        self._on_write(data)

    def get_extra_info(self, name: str) -> object:
        """Where the peer is, and the socket; there is no TLS."""
        return {"peername": ("127.0.0.1", 40000), "socket": self._socket}.get(name)

    def set_write_buffer_limits(self, high: int) -> None:
        """Nothing is ever pending."""

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Do nothing."""

    abort = pause_reading = resume_reading = close


class Track:
    """A gateway with one client and one kept connection to its upstream."""

    def __init__(self, course: Course, desk: Desk, resources: Resources) -> None:
        self._desk = desk
        self._resources = resources
        self._requests = cycle(course.requests)
        self._peers = cycle([Peer(address, False, "") for address in course.addresses])
        self._has_peers = bool(course.addresses)
        self._must_send = course.must_send
        self._is_told = not course.must_send
        self._left = 0
        self._done: asyncio.Future[None] = desk.loop.create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._keep_upstream()
        self._client = self._connect()

    @classmethod
    def open(cls, course: Course, folder: Path) -> "Track":
        """Assemble the gateway as the worker does; lines of logs are made and dropped."""
        loop = asyncio.get_running_loop()
        file = folder / "bench.toml"
        file.write_text(course.configuration)
        settings = load(file, course.environment, folder).settings
        resources = Resources(loop, b"k" * 32, BcryptGate())
        desk = Desk(
            gateway=assemble(settings, group_listeners(settings.listeners), resources),
            loop=loop,
            now=time.monotonic,
            wall=time.time,
            new_id=new_ids(),
            audit=AuditLog(_drop),
            access=AccessLog(_drop),
            report=_raise,
        )
        return cls(course, desk, resources)

    async def lap(self, count: int) -> float:
        """Microseconds per request, of ``count`` one after the other.

        Raises:
            RuntimeError: A request was refused, or the upstream was not sent what it must be.
        """
        self._left, self._done = count, self._desk.loop.create_future()
        started = time.perf_counter()
        self._send()
        await self._done
        return (time.perf_counter() - started) / count * 1e6

    async def close(self) -> None:
        """End what runs."""
        for task in self._tasks:
            task.cancel()
        await self._resources.close()
        self._quiet.close()

    def _send(self) -> None:
        if self._has_peers:
            self._client.peer = next(self._peers)
        self._client.data_received(next(self._requests))

    def _answered(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200"):
            self._fail(f"refused: {data!r}")
            return
        self._left -= 1
        if self._done.done():
            return
        if self._left:
            self._desk.loop.call_soon(self._send)
        else:
            self._done.set_result(None)

    def _keep_upstream(self) -> None:
        """Put a connection to nobody into the pool."""
        loop = self._desk.loop
        endpoint = next(iter(self._resources.endpoints.values()))
        upstream = endpoint._protocol()  # noqa: SLF001 - connect() would open a socket

        def on_write(data: bytes) -> None:
            if not self._is_told:
                self._look(data)
            loop.call_soon(upstream.data_received, _RESPONSE)

        transport = FakeTransport(on_write, self._quiet)
        upstream.connection_made(cast(asyncio.Transport, transport))
        endpoint._keep(upstream)  # noqa: SLF001 - likewise

    def _look(self, data: bytes) -> None:
        """See once, at the first request, that the upstream is sent what it must be."""
        self._is_told = True
        if self._must_send not in data or KEY.encode() in data:
            self._fail(f"not what the upstream must be sent: {data!r}")

    def _fail(self, reason: str) -> None:
        """End the lap; an exception would end in the event loop, or as a refusal."""
        if not self._done.done():
            self._done.set_exception(RuntimeError(reason))

    def _connect(self) -> ClientConnection:
        loop = self._desk.loop
        handler = Handler(self._desk, _BIND)
        port = Port(handler.serve, handler.reject, self._spawn, 10.0, 75.0, 16384)
        client = ClientConnection(port, loop.time(), loop, lambda: None)
        transport = FakeTransport(self._answered, self._quiet)
        client.connection_made(cast(asyncio.Transport, transport))
        return client

    def _spawn(self, work: Coroutine[object, object, None], name: str) -> "asyncio.Task[None]":
        self._tasks.append(self._desk.loop.create_task(work, name=name))
        return self._tasks[-1]


async def measure(course: Course, count: int, rounds: int) -> float:
    """Microseconds per request, the best of ``rounds`` of ``count``, after one to warm up."""
    (best,) = await measure_in_turn([course], count, rounds)
    return best


async def measure_in_turn(courses: Sequence[Course], count: int, rounds: int) -> list[float]:
    """Likewise for several courses, of which each has its turn in every round.

    So a busy moment of the machine is not taken for a difference between them.
    """
    async with AsyncExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        tracks = [Track.open(course, folder) for course in courses]
        for track in tracks:
            ending.push_async_callback(track.close)
        await asyncio.sleep(0)
        for track in tracks:
            await track.lap(count)
        laps = [[await track.lap(count) for track in tracks] for _ in range(rounds)]
        return [min(of_one) for of_one in zip(*laps, strict=True)]


def _course(options: argparse.Namespace) -> Course:
    if not options.traces:
        return Course()
    traces = f'[traces]\nendpoint = "{options.traces}"\nsample = {options.sample}\n'
    return Course(_CONFIGURATION + traces)


def _drop(_: str) -> None:
    """Take a line of a log."""


def _raise(exc: BaseException, _: str) -> NoReturn:
    raise exc


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    parser.add_argument("--traces", metavar="URL", help="where spans go; left out: none are made")
    parser.add_argument("--sample", type=float, default=1.0, help="share of recorded traces")
    options = parser.parse_args()
    profile = cProfile.Profile()
    if options.profile:
        profile.enable()
    best = uvloop.run(measure(_course(options), options.count, options.rounds))
    profile.disable()
    print(f"{best:.1f} us per request")
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
