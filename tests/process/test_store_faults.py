"""Redis killed, stopped, slowed, filled, lying, restarted empty, under load, for each policy."""

import time
from contextlib import ExitStack

import pytest

from tests.process.crowd import wait_until
from tests.process.served import KEY, Upstream, hashed, put, serving
from tests.process.shared import Askers, are_connected, config
from tests.redis_server import demand_redis, redis_server
from tests.slow_path import SlowPath

PASSWORD = "the-stores-password-5c1d"
POLICIES = ("local", "deny", "allow")


# A request waits for one answer that does not come, perhaps behind another: 100 ms each.
WORST_S = 2.0
# Of all answers, most of which wait for nothing; on a machine that does other things too.
P99_S = 0.5


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    demand_redis()
    with redis_server(tmp_path_factory.mktemp("redis"), "--requirepass", PASSWORD) as server:
        yield server


@pytest.fixture
def path(redis):
    with SlowPath(redis.port) as way:
        yield way


@pytest.fixture
def gateways(tmp_path_factory, path):
    """One of each policy."""
    url = f"redis://:{PASSWORD}@127.0.0.1:{path.port}/0"
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        started = []
        for policy in POLICIES:
            own = tmp_path_factory.mktemp(policy)
            put(own / "keys.txt", hashed("alice", KEY))
            put(own / "signing.json", '{"keys": []}')
            text = config(upstream, url, policy).replace('signing_keys_file = "signing.json"', "")
            started.append(stack.enter_context(serving(own, text)))
            started[-1].secrets.append(PASSWORD)
        yield started
        upstream.shutdown()


def kill(redis, _):
    redis.kill()
    return redis.start


def pause(redis, _):
    redis.pause()
    return redis.resume


def slow(_, path):
    path.delay_s = 0.2
    return lambda: setattr(path, "delay_s", 0.0)


def lie(_, path):
    path.rubbish = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    return lambda: setattr(path, "rubbish", b"")


def fill(redis, _):
    redis.ask_as(PASSWORD, "CONFIG", "SET", "maxmemory", "1mb")
    return lambda: redis.ask_as(PASSWORD, "CONFIG", "SET", "maxmemory", "0")


def demote(redis, _):
    redis.ask_as(PASSWORD, "REPLICAOF", "127.0.0.1", "1")
    return lambda: redis.ask_as(PASSWORD, "REPLICAOF", "NO", "ONE")


def lock(redis, _):
    redis.ask_as(PASSWORD, "CONFIG", "SET", "requirepass", "another")
    redis.ask_as("another", "CLIENT", "KILL", "TYPE", "normal")
    return lambda: redis.ask_as("another", "CONFIG", "SET", "requirepass", PASSWORD)


@pytest.mark.parametrize(
    "fault", [kill, pause, slow, lie, fill, demote, lock], ids=lambda f: f.__name__
)
def test_while_the_store_is_unwell_each_policy_holds(redis, path, gateways, fault):
    ups = [len(gateway.said("store.up")) for gateway in gateways]
    wait_until(lambda: all(gateway.said("store.up") for gateway in gateways))
    downs = [len(gateway.said("store.down")) for gateway in gateways]
    crowds = [Askers([gateway], ("/", "/pace")) for gateway in gateways]
    with ExitStack() as stack:
        local, deny, allow = (stack.enter_context(crowd) for crowd in crowds)
        wait_until(lambda: all(crowd.told("/", 200) > 50 for crowd in crowds))
        mend = fault(redis, path)
        for gateway, before in zip(gateways, downs, strict=True):
            gateway.wait_for("store.down", before + 1)
        denied = deny.told("/", 200), deny.told("/pace", 200)
        began, paced = time.monotonic(), local.told("/pace", 200)
        time.sleep(1.2)  # with a probe in it
        lasted = time.monotonic() - began
        let_in = deny.told("/", 200) - denied[0], deny.told("/pace", 200) - denied[1]
        paced = local.told("/pace", 200) - paced
        mend()
        for gateway, before in zip(gateways, ups, strict=True):
            gateway.wait_for("store.up", before + 1 if before else 2)
        back = {crowd: crowd.told("/", 200) for crowd in crowds}
        wait_until(lambda: all(crowd.told("/", 200) > back[crowd] + 50 for crowd in crowds))

    assert [crowd.failed for crowd in crowds] == [[], [], []]
    # What the policy lets pass, passes.
    assert set(local.notes["/"].statuses) == {200}
    assert set(local.notes["/pace"].statuses) == {200, 429}
    assert set(allow.notes["/"].statuses) == {200}
    assert set(deny.notes["/"].statuses) == {200, 503}
    # What it denies, does not: two of the answers may have been on their way.
    assert max(let_in) <= 2
    assert paced <= 50 * (lasted + 0.2) + 10
    # And nobody waits for what will not come.
    assert max(crowd.notes["/"].worst_s() for crowd in crowds) < WORST_S
    assert max(crowd.notes["/"].p99_s() for crowd in crowds) < P99_S


def test_a_store_that_comes_back_empty_limits_again(redis, gateways):
    are_connected(gateways)
    before = [len(gateway.said("store.up")) for gateway in gateways]
    redis.kill()
    for gateway in gateways:
        gateway.wait_for("store.down", before[0])
    redis.start()
    for gateway, ups in zip(gateways, before, strict=True):
        gateway.wait_for("store.up", ups + 1)

    assert [gateways[0].status(path="/few") for _ in range(12)].count(200) == 10
    assert [gateways[1].status(path="/few") for _ in range(3)] == [429] * 3
