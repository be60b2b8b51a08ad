"""The shared store on a running loop, as a worker has it; and one that steps through time."""

import asyncio
import math
from contextlib import asynccontextmanager

from pyproxy.config.store import StoreSettings
from pyproxy.limits.memory import MemoryStore
from pyproxy.store.buckets import Failing, RedisStore, probe_of
from pyproxy.store.far import RedisFar
from pyproxy.store.line import Line
from pyproxy.store.scripts import BucketScripts, key_of

# The scripts' last values stand for the server's clock; its zero is 2023's, as theirs is.
STEPPED = "local t = {ARGV[#ARGV - 1] + 1700000000, ARGV[#ARGV]}"


class SteppedStore(RedisStore):
    """Goes by the time of its caller instead of the server's; all else is the same."""

    given_back_at = None

    def _values(self, limit, cost, more, now):
        return (*super()._values(limit, cost, more, now), *_time(now))

    def _return(self, bucket_key, limit, tokens):
        key = key_of(self._prefix, bucket_key)
        values = (tokens, limit.interval_s * 1e6, *_time(self.given_back_at or self._clock()))
        self._line.tell(self._scripts.give_back, (key,), values)

    def give_back(self, bucket_key, limit, cost, now):
        self.given_back_at = now
        super().give_back(bucket_key, limit, cost, now)
        self.given_back_at = None


def _time(now):
    fraction, seconds = math.modf(now)
    return int(seconds), fraction * 1e6


def url_of(servers):
    if len(servers) == 1:
        return servers[0].url
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


@asynccontextmanager
async def line_to(url, told=None, lasting="2s", scripts=None, **settings):
    """A line that is up."""
    heard = [] if told is None else told
    far = RedisFar(StoreSettings(url=url, timeout=lasting, **settings))
    probe = probe_of(scripts or BucketScripts.timed_by(), "pyproxy")
    timeout_s = StoreSettings(timeout=lasting).timeout
    line = Line(far, timeout_s, lambda *news: heard.append(news), probe)
    running = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def shared_store(url, policy="local", kind=RedisStore, clock=None, **options):
    async with line_to(url, **options) as line:
        await asyncio.wait_for(line.connected.wait(), 5)
        scripts = BucketScripts.timed_by(STEPPED) if kind is SteppedStore else None
        if scripts:
            await line._far.connect((scripts.take, scripts.give_back))
        clock = clock or asyncio.get_running_loop().time
        yield kind(line, Failing(policy, MemoryStore()), "pyproxy", clock, scripts)
