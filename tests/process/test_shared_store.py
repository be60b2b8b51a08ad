"""Two gateways with one Redis: as one in what they let in, and each by itself when it is gone."""

import time

import pytest

from tests.process.shared import are_connected, at_once, config, machines
from tests.redis_server import demand_redis, redis_server

PASSWORD = "the-stores-password-5c1d"
# Down until the probe after the first second, and what the test itself takes.
BACK_S = 4.0


@pytest.fixture(scope="module")
def only_redis(tmp_path_factory):
    demand_redis()
    options = ("--requirepass", PASSWORD)
    with redis_server(tmp_path_factory.mktemp("redis"), *options) as server:
        yield server


@pytest.fixture
def redis(only_redis):
    only_redis.ask_as(PASSWORD, "FLUSHALL")
    return only_redis


def url_of(server):
    return f"redis://:{PASSWORD}@127.0.0.1:{server.port}/0"


def of_both(gateways, path, count):
    return [gateways[i % len(gateways)].status(path=path) for i in range(count)]


def keep_secrets(gateways):
    for gateway in gateways:
        gateway.secrets.append(PASSWORD)


# --- Exact over machines and workers


@pytest.mark.parametrize("workers", [1, 2])
def test_a_limit_is_one_limit_over_all_machines(tmp_path, upstream, redis, workers):
    with machines(tmp_path, config(upstream, url_of(redis), workers=workers)) as gateways:
        keep_secrets(gateways)
        are_connected(gateways, workers)

        assert at_once(gateways, "/few", 64)[200] == 10
        # What is leased and not used goes back: in the end not one more and not one less.
        admitted = at_once(gateways, "/many", 640)[200]
        assert 400 - 20 * workers * 2 <= admitted <= 400
        until = time.monotonic() + 5
        while admitted < 400 and time.monotonic() < until:
            time.sleep(0.6)
            admitted += at_once(gateways, "/many", 64)[200]
        assert admitted == 400
        assert at_once(gateways, "/many", 64)[200] == 0
