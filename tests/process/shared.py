"""Two machines with one store: gateways of their own, and clients that note what they are told."""

import asyncio
import json
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from pyproxy.identity.signing_keys import generate_key_set
from tests.process.served import KEY, PATIENCE_S, hashed, put, serving

CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
[server]
admin = ""
trusted_proxies = ["127.0.0.1"]
workers = {workers}
drain = "2s"
[server.log]
audit = "stdout"
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
[auth.ban]
after = 6
within = "10m"
lasting = "15m"
[store]
url = {url}
on_failure = "{policy}"
{more}
[rate_limits.api]
rate = "100000r/s"
burst = 100000
[rate_limits.auth]
rate = "1000r/s"
burst = 1000
[rate_limits.few]
rate = "1r/h"
burst = 9
[rate_limits.many]
rate = "1r/h"
burst = 399
[rate_limits.pace]
rate = "50r/s"
burst = 9
[[routes]]
name = "all"
upstream = "{upstream}"
[[routes]]
name = "few"
path = "/few"
rate_limits = ["few"]
upstream = "{upstream}"
[[routes]]
name = "many"
path = "/many"
rate_limits = ["many"]
upstream = "{upstream}"
[[routes]]
name = "pace"
path = "/pace"
rate_limits = ["pace"]
upstream = "{upstream}"
"""


def config(upstream, url, policy="local", workers=1, more=""):
    """A gateway's; ``url`` a secret in any form."""
    text = url if url.startswith("{") else json.dumps(url)
    return CONFIG.format(upstream=upstream.url, url=text, policy=policy, workers=workers, more=more)


@contextmanager
def machines(folder, text, count=2, like=None, **options):
    """Gateways with the same configuration, each in a folder and a process of its own.

    They sign with the same keys, those of the gateway that they are ``like`` if there is one.
    """
    keys = like.signing if like else json.dumps(generate_key_set("ES256"))
    with ExitStack() as stack:
        gateways = []
        for number in range(count):
            own = folder / f"machine{number}"
            own.mkdir(parents=True)
            put(own / "keys.txt", hashed("alice", KEY))
            put(own / "signing.json", keys)
            gateways.append(stack.enter_context(serving(own, text, **options)))
            gateways[-1].signing = keys
        yield gateways


def are_connected(gateways, workers=1):
    """Wait until all have reached the store."""
    for gateway in gateways:
        gateway.wait_for("store.up", workers)


@dataclass
class Notes:
    """What clients were told.

    Attributes:
        statuses: How often each.
        slow: Seconds of each answer, with when it came.
    """

    statuses: Counter = field(default_factory=Counter)
    took: list = field(default_factory=list)

    def p99_s(self):
        """Of the answers' times."""
        times = sorted(seconds for _, seconds in self.took)
        return times[int(len(times) * 0.99)] if times else 0.0

    def worst_s(self):
        return max(seconds for _, seconds in self.took)


class Askers:
    """Clients that ask without end over kept connections, each some milliseconds after the other.

    Attributes:
        notes: By path.
        failed: Why there was no answer at all.
    """

    def __init__(self, gateways, paths=("/",), each=2, pause_s=0.002):
        self.notes = {path: Notes() for path in paths}
        self.failed = []
        self._ports = [gateway.port for gateway in gateways]
        self._each, self._pause_s = each, pause_s
        self._is_over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def told(self, path, status):
        return self.notes[path].statuses[status]

    async def _run(self):
        clients = [(port, path) for port in self._ports for path in self.notes] * self._each
        await asyncio.gather(*(self._ask_on(port, path) for port, path in clients))

    async def _ask_on(self, port, path):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while not self._is_over:
                await self._ask(reader, writer, path)
                await asyncio.sleep(self._pause_s)
            writer.close()
        except (OSError, asyncio.IncompleteReadError) as exc:
            self.failed.append(repr(exc))

    async def _ask(self, reader, writer, path):
        begun = time.monotonic()
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()
        )
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        now = time.monotonic()
        notes = self.notes[path]
        notes.statuses[int(head[9:12])] += 1
        notes.took.append((now, now - begun))


def at_once(gateways, path, count, workers=16):
    """How many of so many requests each status got, over all gateways at the same time."""
    statuses = Counter()

    async def ask(number):
        notes = Askers([gateways[number % len(gateways)]], (path,), each=1)
        for _ in range(count // workers):
            reader, writer = await asyncio.open_connection("127.0.0.1", notes._ports[0])
            await notes._ask(reader, writer, path)
            writer.close()
        statuses.update(notes.notes[path].statuses)

    async def run():
        await asyncio.gather(*(ask(number) for number in range(workers)))

    asyncio.run(run())
    return statuses
