"""Two machines' lists of revoked tokens and bans, in step through a real Redis."""

import asyncio
import re
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.config.store import StoreSettings
from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import Revocations
from pyproxy.limits.bans import BanRules
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.store.shared import Here, RedisShared
from tests.redis_server import demand_redis, flush, redis_cluster, redis_server
from tests.shared_store import url_of

DOCS = Path(__file__).parents[2] / "docs" / "store.md"
RULES = BanRules(after=5, within_s=600.0, lasting_s=900.0)
CLIENT = "203.0.113.7"


@pytest.fixture(scope="module", params=["redis", "cluster"])
def servers(request, tmp_path_factory):
    demand_redis()
    folder = tmp_path_factory.mktemp("redis")
    if request.param == "cluster":
        with redis_cluster(folder) as nodes:
            yield nodes
    else:
        with redis_server(folder) as server:
            yield [server]


@pytest.fixture(autouse=True)
def _empty(servers):
    flush(servers)


class Machine:
    """What one machine has, and what it was told."""

    def __init__(self, url, policy="local"):
        self.revocations, self.bans = Revocations(), MemoryBans()
        self.told, self.begun = [], []
        here = Here(
            MemoryStore(), self.revocations, self.bans, time.monotonic, time.time,
            lambda *news: self.told.append(news), lambda client, _: self.begun.append(client),
        )  # fmt: skip
        settings = StoreSettings(url=url, on_failure=policy, timeout="2s")
        self.shared = RedisShared(settings, here)
        self.line = self.shared._line

    def is_banned(self):
        return self.bans.left_s(CLIENT, time.monotonic()) > 0.0


@asynccontextmanager
async def running(*machines):
    tasks = [asyncio.create_task(machine.shared.run()) for machine in machines]
    try:
        async with asyncio.timeout(5):
            for machine in machines:
                await machine.line.connected.wait()
        await asyncio.sleep(0.2)  # until they listen, which nobody tells
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(is_so, seconds=3.0):
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


async def test_a_token_revoked_here_is_refused_there(servers):
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one, other):
        for token_id in ("short", "x" * 500, "ümlaut \ud800"):
            one.shared.revocations.revoke(token_id, time.time() + 60, time.time())
            await one.shared.revocations.spread(token_id, time.time() + 60)

            await until(lambda token_id=token_id: other.revocations.is_revoked(token_id))


async def test_a_ban_and_its_end_are_everywhere(servers):
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one, other):
        one.shared.bans.ban(CLIENT, 900.0, time.monotonic())
        await until(other.is_banned)
        assert 890.0 < other.shared.bans.left_s(CLIENT, time.monotonic()) <= 900.5
        assert [ban.client for ban in other.shared.bans.in_force(time.monotonic())] == [CLIENT]

        assert other.shared.bans.lift(CLIENT, time.monotonic())
        await until(lambda: not one.is_banned())

        one.shared.bans.ban(CLIENT, 900.0, time.monotonic())  # once more, and it counts
        await until(other.is_banned)


BANS, REVOKED = "pyproxy:{bans}", "pyproxy:{revoked}"
RUBBISH = {
    "a name too long": ("ZADD", f"{BANS}:until", "9e9", "y" * 600),
    "a name of no address": ("ZADD", f"{BANS}:until", "9e9", "y" * 100),
    "no UTF-8": ("EVAL", "redis.call('ZADD', KEYS[1], 9e9, '\\255')", "1", f"{REVOKED}:until"),
    "a ban for ever": ("ZADD", f"{BANS}:until", "inf", "203.0.113.8"),
    "no time": ("HSET", f"{BANS}:since", CLIENT, "rubbish"),
    "lifted for ever": ("ZADD", f"{BANS}:lifted", "inf", "203.0.113.8"),
    "revoked for ever": ("ZADD", f"{REVOKED}:until", "inf", "x"),
}


@pytest.mark.parametrize("words", RUBBISH.values(), ids=RUBBISH)
async def test_rubbish_in_the_lists_keeps_nobody_from_the_rest(servers, words):
    if len(servers) > 1:
        pytest.skip("which node has a list is of no interest here")
    servers[0].ask(*words)
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one, other):
        one.shared.bans.ban(CLIENT, 900.0, time.monotonic())
        await until(other.is_banned)
        one.shared.revocations.revoke("token", time.time() + 60, time.time())
        await one.shared.revocations.spread("token", time.time() + 60)
        await until(lambda: other.revocations.is_revoked("token"))

        assert one.bans.count(time.monotonic()) == 1
        assert one.line.is_up
        assert other.line.is_up


async def test_lists_that_make_no_sense_take_the_store_down_until_they_do(servers):
    if len(servers) > 1:
        pytest.skip("which node has a list is of no interest here")
    servers[0].ask("SET", f"{BANS}:version", "rubbish")
    one = Machine(url_of(servers))
    async with running(one):
        await until(lambda: ("store.down", "a list that makes no sense") in one.told)
        servers[0].ask("DEL", f"{BANS}:version")
        one.told.clear()
        await until(lambda: one.line.is_up, 5)
        one.shared.revocations.revoke("token", time.time() + 60, time.time())

        assert await one.shared.revocations.roll.is_current(time.time())


async def test_a_ban_lifted_in_the_list_itself_is_lifted_everywhere(servers):
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one, other):
        one.shared.bans.ban(CLIENT, 900.0, time.monotonic())
        await until(other.is_banned)
        other.bans.lift(CLIENT, time.monotonic())  # as the supervisor does, in shared memory

        await until(lambda: not one.is_banned())


async def test_a_lifted_ban_does_not_come_back_with_who_was_away(servers):
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one):
        async with running(other):
            one.shared.bans.ban(CLIENT, 900.0, time.monotonic())
            await until(other.is_banned)
        one.shared.bans.lift(CLIENT, time.monotonic())
        assert other.is_banned()
        await asyncio.sleep(0.2)

        late = Machine(url_of(servers))
        late.bans.ban("203.0.113.9", 900.0, time.monotonic())
        async with running(late):
            await asyncio.sleep(0.3)
            assert not late.is_banned()
            assert not one.is_banned()


async def test_failures_at_both_are_added_up(servers):
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one, other):
        for number in range(5):
            where = (one, other)[number % 2]
            assert not where.shared.bans.failed(CLIENT, RULES, time.monotonic())
            await asyncio.sleep(0.05)

        await until(lambda: one.is_banned() and other.is_banned())
        assert one.begun + other.begun == [CLIENT]


async def test_failures_at_one_ban_at_the_other_at_once(servers):
    one, other = Machine(url_of(servers)), Machine(url_of(servers))
    async with running(one, other):
        begun = [one.shared.bans.failed(CLIENT, RULES, time.monotonic()) for _ in range(5)]

        assert begun == [False] * 4 + [True]
        await until(other.is_banned)
        assert one.begun + other.begun == []


async def test_what_happened_while_the_store_was_away_is_there_when_it_is_back(servers):
    one = Machine(url_of(servers))
    one.shared.revocations.revoke("early", time.time() + 60, time.time())
    one.shared.bans.ban(CLIENT, 900.0, time.monotonic())
    other = Machine(url_of(servers))

    async with running(one, other):
        await until(lambda: other.revocations.is_revoked("early") and other.is_banned())


async def test_a_store_that_lost_everything_is_filled_again(servers):
    one = Machine(url_of(servers))
    async with running(one):
        for number in range(1200):  # more than one page
            one.shared.revocations.revoke(f"t{number}", time.time() + 60, time.time())
        await one.shared.revocations.spread("t0", time.time() + 60)
        one.shared._replica._stale.set()
        await asyncio.sleep(0.3)
        flush(servers)
        one.shared._replica._stale.set()  # as a lost connection does

        await asyncio.sleep(0.5)
        other = Machine(url_of(servers))
        async with running(other):
            await until(lambda: len(other.revocations) == 1200)


async def test_with_deny_it_is_said_that_a_token_is_revoked_here_alone(servers):
    one = Machine(url_of(servers), "deny")
    async with running(one):
        pass
    one.shared.revocations.revoke("one", time.time() + 60, time.time())

    with pytest.raises(StoreUnavailable):
        await one.shared.revocations.spread("one", time.time() + 60)
    assert one.revocations.is_revoked("one")


async def test_an_expired_ban_is_forgotten_by_all(servers):
    one = Machine(url_of(servers))
    async with running(one):
        one.shared.bans.ban(CLIENT, 0.3, time.monotonic())
        await asyncio.sleep(0.5)
        await one.shared.bans.roll.merge(time.time())

        assert one.shared.bans.roll.count == 0
        late = Machine(url_of(servers))
        async with running(late):
            assert not late.is_banned()


def rights(is_cluster):
    """Those of the user in the docs."""
    text = DOCS.read_text()
    (granted,) = re.findall(r"ACL SETUSER gateway on >PASSWORD ([^`]*)", text)
    (further,) = re.findall(r"In a cluster also `([^`]*)`", text)
    return [*granted.split(), *(further.split() if is_cluster else [])]


async def test_the_rights_in_the_docs_are_all_that_it_needs(servers):
    for server in servers:
        words = ("ACL", "SETUSER", "gateway", "reset", "on", ">pw", *rights(len(servers) > 1))
        assert server.ask(*words) == "+OK\r\n"
    url = url_of(servers).replace("://", "://gateway:pw@")
    limit = Limit("many", Rate(1.0, 60.0), 399)
    one, other = Machine(url, "deny"), Machine(url, "deny")
    async with running(one, other):
        for _ in range(9):  # the last ones from leases
            if one.shared.store.take_nowait("k", limit, 1.0, time.monotonic()) is None:
                await one.shared.store.take("k", limit, 1.0, time.monotonic())
        one.shared.store.give_back("k", limit, 1.0, time.monotonic())
        one.shared.store.sweep(time.monotonic() + 60.0)
        one.shared.revocations.revoke("one", time.time() + 60, time.time())
        await one.shared.revocations.spread("one", time.time() + 60)
        await until(lambda: other.revocations.is_revoked("one"))
        one.shared.bans.ban(CLIENT, 900.0, time.monotonic())
        await until(other.is_banned)
        one.shared.bans.lift(CLIENT, time.monotonic())
        await until(lambda: not other.is_banned())
        for _ in range(5):
            other.shared.bans.failed(CLIENT, RULES, time.monotonic())
        await until(one.is_banned)
        one.shared.bans.ban("192.0.2.9", 0.05, time.monotonic())  # expired ones are swept
        await asyncio.sleep(0.1)
        one.shared.bans.ban("192.0.2.8", 60.0, time.monotonic())
        await one.shared.bans.roll.merge(time.time())

        assert [event for event, _ in one.told + other.told] == ["store.up"] * 2
    for server in servers:
        assert "reason" not in server.ask("ACL", "LOG")
        server.ask("ACL", "LOG", "RESET")
