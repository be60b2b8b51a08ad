"""Two gateways with one Redis: as one in what they let in, and each by itself when it is gone."""

import time

import pytest

from tests.process.served import KEY
from tests.process.shared import are_connected, at_once, config, machines
from tests.redis_server import demand_redis, flush, redis_server

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


# --- Revoked and banned everywhere


def as_client(gateway, address, key=KEY, path="/"):
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
    return gateway.ask(path, headers=headers)[0]


def revoke(gateway, token):
    return gateway.ask("/token/revoke", "POST", {"Authorization": f"Bearer {token}"})[0]


def within(seconds, is_so):
    """Whether it comes about in so many seconds."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


# What a message to another machine takes is milliseconds; the rest is this one's other work.
SOON_S = 1.0


def test_a_revoked_token_is_refused_by_every_worker_of_every_machine(tmp_path, upstream, redis):
    with machines(tmp_path, config(upstream, url_of(redis), workers=2)) as gateways:
        keep_secrets(gateways)
        are_connected(gateways, 2)
        one, other = gateways
        token, later = one.token(), one.token()
        other.secrets += [token, later]
        assert {other.status(token) for _ in range(6)} == {200}

        assert revoke(one, token) == 200
        assert within(SOON_S, lambda: {other.status(token) for _ in range(6)} == {401})
        assert {one.status(token) for _ in range(6)} == {401}

        # Whoever starts later learns of it, and a store that lost everything is told again.
        flush([redis], PASSWORD)
        with machines(tmp_path / "late", config(upstream, url_of(redis)), 1, like=one) as [third]:
            third.secrets += [token, later]
            assert within(7.0, lambda: third.status(token) == 401)
            assert third.status(later) == 200


@pytest.mark.parametrize(("policy", "status"), [("local", 200), ("deny", 503), ("allow", 200)])
def test_what_is_revoked_while_the_store_is_down_is_heard_of_later(
    tmp_path, upstream, redis, policy, status
):
    with machines(tmp_path, config(upstream, url_of(redis), policy)) as gateways:
        keep_secrets(gateways)
        are_connected(gateways)
        one, other = gateways
        token = one.token()
        other.secrets.append(token)
        redis.kill()
        for gateway in gateways:
            gateway.ask("/")
            gateway.wait_for("store.down")

        assert revoke(one, token) == (503 if policy == "deny" else status)
        redis.start()
        are_connected(gateways, 2)
        assert within(SOON_S, lambda: other.status(token) == 401)
        assert one.status(token) == 401


def test_failures_at_all_machines_together_ban_at_all(tmp_path, upstream, redis):
    with machines(tmp_path, config(upstream, url_of(redis))) as gateways:
        keep_secrets(gateways)
        are_connected(gateways)
        one, other = gateways
        bad, good = "203.0.113.7", "203.0.113.8"
        statuses = [as_client(gateways[i % 2], bad, f"wrong-{i}") for i in range(6)]

        assert statuses == [401] * 6
        assert within(SOON_S, lambda: as_client(one, bad) == as_client(other, bad) == 403)
        assert as_client(one, good) == as_client(other, good) == 200
        # Whose the last one was writes it down, a moment after it holds.
        assert within(SOON_S, lambda: [len(each.said("auth.banned")) for each in gateways].count(1))
        assert sum(len(gateway.said("auth.banned")) for gateway in gateways) == 1
