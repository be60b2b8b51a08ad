"""A million clients, each with an address of its own: what is remembered of them is bounded.

Without sockets: the real handler is given heads as a trusted proxy passes them on.
"""

import asyncio
import os
import tempfile
from collections import Counter
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import uvloop

from bench.hot_path import KEY, Course, Track, request_for
from bench.processes import resident_mib
from tests.endurance.figure import Figure

ADDRESSES = 1_000_000
MAX_RISE_MIB = 64
WARM = 2_000
# Of each four: two of IPv4, two of IPv6, of which one of each shows a wrong key.
IPV4, IPV6 = int(IPv4Address("16.0.0.0")), int(IPv6Address("2a00::"))
CONFIGURATION = f"""
[server]
trusted_proxies = ["127.0.0.1"]
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys = ["{KEY}"]
[[routes]]
name = "origin"
path = "/"
upstream = "http://127.0.0.1:9000"
max_concurrent = 2
"""


def address(number):
    """Of a client; each of IPv6 is in a /64 of its own."""
    return IPv6Address(IPV6 + (number << 64)) if number % 2 else IPv4Address(IPV4 + number * 3)


class Crowd(Track):
    """Each request is of another client.

    Attributes:
        statuses: How many answers of each.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.statuses, self._number, self._running = Counter(), 0, set()

    def _send(self):
        number, self._number = self._number, self._number + 1
        key = KEY if number % 4 < 2 else "wrong-key-0123456789abcdef"
        fields = (f"X-Forwarded-For: {address(number)}", "Content-Type: application/json")
        self._client.data_received(request_for("/v1/chat/completions", key, fields))

    def _answered(self, data):
        self.statuses[int(data[9:12])] += 1
        super()._answered(b"HTTP/1.1 200")

    def _spawn(self, work, name):
        task = self._desk.loop.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


def measure(_folder, scale):
    """Memory before and after them."""
    return uvloop.run(_measure(ADDRESSES // scale))


async def _measure(count):
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd.open(Course(CONFIGURATION), Path(folder))
        await asyncio.sleep(0)
        await crowd.lap(WARM)
        before = resident_mib([os.getpid()])
        took_us = await crowd.lap(count)
        rise = resident_mib([os.getpid()]) - before
        await crowd.close()
    what = f"{count:,} addresses, IPv4 and IPv6, half with a wrong key"
    wrong = sum(n for status, n in crowd.statuses.items() if status not in {200, 401})
    return [
        Figure(f"{what}: memory", rise, "MiB", MAX_RISE_MIB),
        Figure(f"{what}: neither 200 nor 401", wrong, "", 0),
        Figure(f"{what}: each request", took_us, "us"),
    ]
