"""Real Redis servers, one of each kind a session."""

import pytest

from tests.redis_server import demand_redis, redis_cluster, redis_server


@pytest.fixture(scope="session")
def one_redis(tmp_path_factory):
    demand_redis()
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield [server]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    demand_redis()
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers
