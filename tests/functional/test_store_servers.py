"""The store on each kind of server there is, and who is not let in there."""

import asyncio
import random
import time

import pytest
import trustme

from pyproxy.config.quantities import Rate
from pyproxy.config.store import StoreSettings
from pyproxy.limits.bucket import FULL, take
from pyproxy.limits.limit import Limit
from pyproxy.store.far import RedisFar
from pyproxy.store.line import StoreFault
from pyproxy.store.roll_scripts import READ
from pyproxy.store.shared import reach
from tests.redis_server import (
    RedisServer,
    demand_redis,
    redis_cluster,
    redis_sentinel,
    redis_server,
    wait_until,
)
from tests.shared_store import SteppedStore, shared_store

HOURLY = Limit("api", Rate(1.0, 3600.0), 9)


@pytest.fixture(autouse=True)
def _redis_is_here():
    demand_redis()


async def admitted(store, count=15, key="k"):
    """Of so many at the same moment, how many."""
    takes = [store.take(key, HOURLY, 1.0, 0.0) for _ in range(count)]
    return sum(not taken.wait_s for taken in await asyncio.gather(*takes))


async def test_in_real_time_exactly_the_burst_and_then_the_rate(tmp_path):
    tenth = Limit("api", Rate(20.0, 1.0), 4)
    with redis_server(tmp_path) as server:
        async with shared_store(server.url) as one, shared_store(server.url) as other:
            takes = [each.take("k", tenth, 1.0, 0.0) for each in (one, other) for _ in range(20)]
            begun = time.monotonic()
            first = [taken.wait_s for taken in await asyncio.gather(*takes)]
            took = time.monotonic() - begun

            assert 5 <= first.count(0.0) <= 5 + int(took * 20)
            assert all(0.0 <= wait <= 0.05 for wait in first)


@pytest.mark.parametrize("value", ["rubbish", "", "1 2 3 4 5 6", "nan", "9 nan nan nan"])
async def test_a_bucket_that_somebody_else_made_rubbish_of_is_a_full_one(tmp_path, value):
    with redis_server(tmp_path) as server:
        async with shared_store(server.url) as store:
            server.ask("SET", "pyproxy:{k}", value)
            store.give_back("k", HOURLY, 1.0, 0.0)
            assert await admitted(store) == 10
            assert store.failures == 0


async def test_over_a_unix_socket_with_another_database(tmp_path):
    with redis_server(tmp_path) as server:
        async with shared_store(f"redis+unix://{server.socket}?db=3") as store:
            assert await admitted(store) == 10
        assert "keys=1" in server.ask("INFO", "keyspace").partition("db3:")[2]


async def test_who_is_not_let_in_is_said_so_without_the_password(tmp_path):
    with redis_server(tmp_path) as server:
        for words in (("gateway", "on", ">pw%/@:", "~*", "&*", "+@all"), ("default", "off")):
            assert server.ask("ACL", "SETUSER", *words) == "+OK\r\n"
        url = f"redis://gateway:pw%25%2F%40%3A@127.0.0.1:{server.port}/0"

        assert await reach(StoreSettings(url=url), 2.0) == ""
        async with shared_store(url) as store:
            assert await admitted(store) == 10
        for wrong in ("", "gateway:wrong@", ":pw@"):
            elsewhere = StoreSettings(url=f"redis://{wrong}127.0.0.1:{server.port}/0")
            problem = await reach(elsewhere, 2.0)
            assert problem in {"it does not take our user or password", "it answers NOAUTH"}


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(Limit("wide", Rate(1024.0, 1.0), 1023), id="fills faster than it is asked"),
        pytest.param(Limit("even", Rate(64.0, 1.0), 127), id="as fast"),
        pytest.param(Limit("slow", Rate(1.0, 4.0), 511), id="hardly fills"),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_leases_let_in_one_bucket_would_have_let_in(tmp_path, limit, seed):
    chance = random.Random(seed)  # noqa: S311 - chance, not a secret
    now = 1024.0
    admitted, at_once = [], 0
    with redis_server(tmp_path) as server:
        stores = [shared_store(server.url, kind=SteppedStore, clock=lambda: now) for _ in range(3)]
        async with stores[0] as one, stores[1] as two, stores[2] as three:
            for _ in range(1500):
                # Bursts and pauses, by one machine or by all.
                now += chance.choice([0.0, 0.0, 1 / 4096, 1 / 512, 1 / 64, 0.25])
                each = chance.choice([one, one, one, two, three])
                taken = each.take_nowait("k", limit, 1.0, now)
                if taken is None:
                    taken = await each.take("k", limit, 1.0, now)
                else:
                    at_once += not taken.wait_s
                if not taken.wait_s:
                    admitted.append(now)
                if not chance.randrange(100):
                    each.sweep(now)
                await asyncio.sleep(0)

    full_at = FULL
    for moment in admitted:
        full_at, wait_s = take(full_at, moment, limit.interval_s, limit.capacity_s, 1.0)
        assert wait_s == 0.0
    # It is of leases that this speaks, and few are refused for their sake.
    assert at_once > len(admitted) / 4
    assert len(admitted) > 100


# --- TLS


@pytest.fixture
def tls_server(tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    (tmp_path / "tls").mkdir()
    names = {name: str(tmp_path / "tls" / name) for name in ("ca.pem", "crt.pem", "key.pem")}
    authority.cert_pem.write_to_path(names["ca.pem"])
    issued.cert_chain_pems[0].write_to_path(names["crt.pem"])
    issued.private_key_pem.write_to_path(names["key.pem"])
    port = RedisServer(tmp_path / "unused").port
    options = (
        "--tls-port", str(port), "--tls-cert-file", names["crt.pem"], "--tls-key-file",
        names["key.pem"], "--tls-ca-cert-file", names["ca.pem"], "--tls-auth-clients", "optional",
    )  # fmt: skip
    with redis_server(tmp_path / "redis", *options):
        yield port, names["ca.pem"]


async def test_over_tls_with_an_authority_of_ones_own(tls_server):
    port, ca = tls_server
    async with shared_store(f"rediss://localhost:{port}/0", ca=ca) as store:
        assert await admitted(store) == 10


async def test_a_certificate_of_a_stranger_is_refused(tls_server, tmp_path):
    port, _ = tls_server
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))

    for ca in (str(other), ""):
        settings = StoreSettings(url=f"rediss://localhost:{port}/0", ca=ca)
        assert await reach(settings, 2.0) == "no TLS: CERTIFICATE_VERIFY_FAILED"


async def test_a_certificate_for_another_name_is_refused(tls_server):
    port, ca = tls_server
    settings = StoreSettings(url=f"rediss://127.0.0.1:{port}/0", ca=ca)

    assert await reach(settings, 2.0) == "no TLS: CERTIFICATE_VERIFY_FAILED"


async def test_no_plain_text_goes_to_a_server_that_speaks_tls_nor_back(tls_server, tmp_path):
    port, ca = tls_server
    assert await reach(StoreSettings(url=f"redis://localhost:{port}/0"), 2.0) != ""
    with redis_server(tmp_path / "plain") as plain:
        settings = StoreSettings(url=f"rediss://localhost:{plain.port}/0", ca=ca)
        assert await reach(settings, 0.5) != ""


# --- Sentinel and cluster


async def test_after_a_failover_the_new_master_is_asked(tmp_path):
    with redis_server(tmp_path / "one") as master:
        replica_options = (
            "--replicaof",
            "127.0.0.1",
            str(master.port),
            "--repl-diskless-sync-delay",
            "0",
        )
        with (
            redis_server(tmp_path / "two", *replica_options) as replica,
            redis_sentinel(tmp_path / "sentinel", master) as sentinel,
        ):
            wait_until(lambda: "slaves=1" in sentinel.ask("INFO", "sentinel"))
            wait_until(lambda: "master_link_status:up" in replica.ask("INFO", "replication"))
            told = []
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/mymaster/0"
            async with shared_store(url, told=told) as store:
                assert await admitted(store) == 10
                await asyncio.to_thread(
                    wait_until, lambda: "pyproxy:{k}" in replica.ask("KEYS", "*")
                )
                await asyncio.to_thread(master.kill)
                assert await admitted(store) == 10  # by the memory meanwhile
                async with asyncio.timeout(30):
                    await store._line.connected.wait()

                assert await admitted(store) == 0  # as the old master had told the new one
            assert [event for event, _ in told] == ["store.up", "store.down", "store.up"]


async def test_a_cluster_has_keys_on_all_its_nodes(tmp_path):
    with redis_cluster(tmp_path) as servers:
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        async with shared_store(url) as store:
            keys = [f"k{number}" for number in range(20)]
            assert [await admitted(store, key=key) for key in keys] == [10] * 20
            assert all("keys=" in server.ask("INFO", "keyspace") for server in servers)


async def test_a_server_that_is_not_there_is_said_so():
    far = RedisFar(StoreSettings(url="redis://127.0.0.1:1/0"))
    with pytest.raises(StoreFault, match="no connection"):
        await far.connect([READ])
    await far.close()
