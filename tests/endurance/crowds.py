"""Many connections at once: event streams that are mostly silent, and idle ones."""

import asyncio
import time

import uvloop

from pyproxy.runtime.loop import name_of_loop
from tests.endurance.figure import Figure
from tests.endurance.origin import EVENT, HOST
from tests.endurance.stage import OriginProcess, Watched, config
from tests.endurance.wire import head

STREAMS, IDLE = 5000, 2000
AT_ONCE = 50
SILENCE_S = 15
MAX_KIB_OF_IDLE = 64


class Waiting(asyncio.Protocol):
    """A connection that counts what arrives."""

    def __init__(self):
        self.received, self.tail = 0, b""
        loop = asyncio.get_running_loop()
        self.answered, self.ended = loop.create_future(), loop.create_future()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data.count(EVENT)
        self.tail = (self.tail + data)[-5:]
        if not self.answered.done():
            self.answered.set_result(data)
        if self.tail == b"0\r\n\r\n" and not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, exc):
        for each in (self.answered, self.ended):
            if not each.done():
                each.set_exception(exc or ConnectionError("closed"))
                each.exception()


async def _open(count, port, trust, request=b""):
    """So many connections; with a request, each is answered."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one():
        async with gate:
            _, protocol = await loop.create_connection(Waiting, HOST, port, ssl=trust)
            if request:
                protocol.transport.write(request)
                await protocol.answered
            return protocol

    return await asyncio.gather(*(one() for _ in range(count)))


def measure_streams(folder, scale):
    """Streams that say something, are silent, say something again and end."""
    count = STREAMS // scale
    silence_s = SILENCE_S if scale == 1 else 4
    with OriginProcess() as origin, folder.gateway(config({"/": origin.url})) as gateway:
        yield from uvloop.run(_streams(folder, gateway, count, silence_s))


async def _streams(folder, gateway, count, silence_s):
    watched = Watched(*gateway.workers)
    started = time.perf_counter()
    request = head("GET", f"/sse/2/{silence_s * 1000}")
    streams = await _open(count, gateway.port, folder.trust, request)
    opened_s = time.perf_counter() - started
    opening_cpu_s = watched.cpu_s
    idle = Watched(*gateway.workers)
    # Nothing is said before the first stream goes on.
    idle_s = max(1.0, silence_s - opened_s - 1.0)
    await asyncio.sleep(idle_s)
    rise, idle_cpu = watched.risen_mib, idle.cpu_s
    ends = await asyncio.gather(*(each.ended for each in streams), return_exceptions=True)
    whole = sum(each.received == 2 for each in streams)
    for each in streams:
        each.transport.abort()
    broken = sum(isinstance(end, Exception) for end in ends)
    what = f"{count} silent event streams on {name_of_loop()}"
    return [
        Figure(f"{what}: not whole", count - whole + broken, "", 0),
        Figure(f"{what}: memory", rise, "MiB"),
        Figure(f"{what}: memory of each", 1024 * rise / count, "KiB"),
        Figure(f"{what}: CPU while silent", 100 * idle_cpu / idle_s, "%"),
        Figure(f"{what}: CPU to open one, request included", 1e3 * opening_cpu_s / count, "ms"),
    ]


def measure_idle(folder, scale):
    """Connections that do nothing."""
    count = IDLE // scale
    for what, request in (
        ("after the handshake", b""),
        ("after a request each", head("GET", "/small")),
    ):
        with OriginProcess() as origin, folder.gateway(config({"/": origin.url})) as gateway:
            rise = uvloop.run(_idle(folder, gateway, count, request))
            yield Figure(
                f"{count} idle TLS connections, {what}: memory of each",
                1024 * rise / count, "KiB", MAX_KIB_OF_IDLE,
            )  # fmt: skip


async def _idle(folder, gateway, count, request):
    held = await _open(10, gateway.port, folder.trust, request)  # what is made once is made
    watched = Watched(*gateway.workers)
    held += await _open(count, gateway.port, folder.trust, request)
    await asyncio.sleep(0.5)
    rise = watched.risen_mib
    for each in held:
        each.transport.abort()
    await asyncio.sleep(0.5)
    return rise
