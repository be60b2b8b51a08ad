"""Thousands of clients that dawdle: each is ended by its deadline, and others notice nothing."""

import asyncio
import ssl
import subprocess
import sys
import time

import uvloop

from tests.endurance.figure import Figure
from tests.endurance.origin import HOST
from tests.endurance.stage import ROOT, OriginProcess, Watched, config
from tests.endurance.wire import GoodClient, head, quantile

CLIENTS, AT_ONCE = 2000, 100
GOOD, PACE_S = 4, 0.02
BEFORE_S = 4.0
ARRIVAL_S = 3.0  # handshakes cost what they cost; after it only waiting does
HEADER_S, IDLE_S, DRIP_S = 5, 6, 0.9
# Beyond the deadline: the crowd takes a while to come in, and its end to be told.
GRACE_S = 4.0
MAX_RISE_MIB, MAX_TIMES = 150, 2.0
HEAD = head("GET", "/small")
BODY = head("POST", "/count", "Content-Length: 1000")
BIG = head("GET", "/bytes/100000000")
UNREAD = "an answer not read"
# What is sent at once, what drips behind it, and until when the gateway may put up with it.
KINDS = {
    "no head": (b"", b"", HEADER_S),
    "a dripping head": (HEAD[:20], HEAD[20:], HEADER_S),
    "a dripping body": (BODY, b"b" * 500, 2 * HEADER_S),
    UNREAD: (BIG, b"", IDLE_S),
    "no handshake": (None, b"", HEADER_S),
}


class Dawdler(asyncio.Protocol):
    """Sends what it has drop by drop, and reads nothing if it asked for much."""

    def __init__(self, first, drops):
        self._first, self._drops = first, drops
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self._transport, self._began = transport, time.monotonic()
        if self._first:
            transport.write(self._first)
        if self._first == BIG:
            transport.pause_reading()
            # Who does not read is not told of the end, but by a write.
            asyncio.get_running_loop().call_later(IDLE_S + GRACE_S / 2, self._look)
        self._drip(0)

    def _look(self):
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _drip(self, at):
        if at < len(self._drops) and not self._transport.is_closing():
            self._transport.write(self._drops[at : at + 1])
            asyncio.get_running_loop().call_later(DRIP_S, self._drip, at + 1)

    def connection_lost(self, _exc):
        if not self.lost.done():
            self.lost.set_result(time.monotonic() - self._began)


async def dawdle(port, count, kind):
    """Open so many; print the longest that one was put up with."""
    first, drops, until = KINDS[kind]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one():
        async with gate:
            _, protocol = await loop.create_connection(
                lambda: Dawdler(first, drops), HOST, port, ssl=None if first is None else context
            )
        async with asyncio.timeout(until + 5 * GRACE_S):
            return await protocol.lost

    took = await asyncio.gather(*(one() for _ in range(count)), return_exceptions=True)
    stayed = [each for each in took if not isinstance(each, float)]
    longest = max((each for each in took if isinstance(each, float)), default=0.0)
    print(longest, len(stayed))  # noqa: T201 - read by who started it


def measure(folder, scale):
    """Each kind, with good clients beside it."""
    text = {"server": f'header_timeout = "{HEADER_S}s"\nidle_timeout = "{IDLE_S}s"'}
    for kind in KINDS:
        with (
            OriginProcess() as origin,
            folder.gateway(config({"/": origin.url}, **text)) as gateway,
        ):
            # Unread answers fill the kernel's sockets: megabytes each.
            count = CLIENTS // scale // (10 if kind == UNREAD else 1)
            yield from _case(folder, gateway, kind, count)


def _case(folder, gateway, kind, count):
    good = [GoodClient(gateway.port, folder.trust, PACE_S) for _ in range(GOOD)]
    for each in good:
        each.__enter__()
    time.sleep(BEFORE_S)
    before = [took for each in good for took in each.took[5:]]
    counts = [len(each.took) for each in good]
    watched = Watched(*gateway.workers)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.endurance.slow", str(gateway.port), str(count), kind],
        cwd=ROOT, stdout=subprocess.PIPE,
    ) as crowd:  # fmt: skip
        began = time.monotonic()
        while crowd.poll() is None:
            watched.look()
            time.sleep(0.2)
            if time.monotonic() - began < ARRIVAL_S:
                arrived = [len(each.took) for each in good]
        longest, stayed = map(float, crowd.stdout.read().split())
    for each in good:
        each.__exit__()
    coming = _between(good, counts, arrived)
    there = _between(good, arrived, [len(each.took) for each in good])
    what = f"{count} clients with {kind}"
    yield Figure(f"{what}: longest that one stayed", longest, "s", KINDS[kind][2] + GRACE_S)
    yield Figure(f"{what}: never ended", stayed, "", 0)
    yield Figure(f"{what}: good clients' failures", sum(len(each.failed) for each in good), "", 0)
    yield Figure(f"{what}: rise of memory", watched.risen_mib, "MiB", MAX_RISE_MIB)
    for part in (0.5, 0.99):
        name = f"{what}: p{round(100 * part)} of good clients"
        old = quantile(before, part)
        yield Figure(f"{name} before", old, "ms")
        yield Figure(f"{name} while they come in", quantile(coming, part), "ms")
        yield Figure(
            f"{name} while they are there", quantile(there, part) / old, "times", MAX_TIMES
        )


def _between(good, starts, ends):
    """What requests took that were answered between two counts of them."""
    triples = zip(good, starts, ends, strict=True)
    return [took for each, start, end in triples for took in each.took[start:end]]


if __name__ == "__main__":
    uvloop.run(dawdle(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
