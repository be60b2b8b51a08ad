"""What one user may do is one limit over all workers, whatever happens to them."""

import http.client
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.process.crowd import wait_until
from tests.process.served import KEY, PATIENCE_S, hashed, put, serving
from tests.process.test_workers import pids_of

BOB = "pyp_the-key-of-bob-0123456789abcdef"
CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
certificate = "tls.crt"
private_key = "tls.key"
[server]
admin = ""
workers = 3
drain = "2s"
[auth]
keys_file = "keys.txt"
[rate_limits.api]
rate = "10000r/s"
burst = 10000
[rate_limits.few]
rate = "1r/h"
burst = 19
per = {per}
[[routes]]
name = "all"
upstream = "{upstream}"
max_concurrent = {most}
[[routes]]
name = "few"
path = "/few"
rate_limits = ["few"]
upstream = "{upstream}"
[[routes]]
name = "other"
path = "/other"
rate_limits = ["few"]
upstream = "{upstream}"
"""
AT_ONCE = 8


def config(upstream, per='"user"', most=0):
    return CONFIG.format(upstream=upstream.url, per=per, most=most)


@pytest.fixture
def trust(folder, certify):
    put(folder / "keys.txt", hashed("alice", KEY) + hashed("bob", BOB, "limit=7r/h"))
    return certify(folder)


def crowd(gateway, count, path, key=KEY):
    """Statuses of requests of one user, several at a time, each over its own connection."""
    gateway.secrets.append(key)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(lambda _: gateway.status(key, path), range(count)))


class Stream:
    """A request under way: its answer has begun."""

    def __init__(self, gateway, key=KEY):
        self.connection = http.client.HTTPSConnection(
            "localhost", gateway.port, timeout=PATIENCE_S, context=gateway.trust
        )
        self.connection.request("GET", "/stream", headers={"Authorization": f"Bearer {key}"})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        if self.status == 200:
            self.answer.read(3)

    def is_cut(self):
        """Whether the gateway's end is gone; waits for either."""
        try:
            return self.answer.read() != b"two"
        except (OSError, http.client.HTTPException):
            return True

    def close(self):
        self.answer.close()
        self.connection.close()


@pytest.fixture
def streams():
    begun = []
    yield begun
    for stream in begun:
        stream.close()


def test_a_limit_of_one_user_is_exact_over_three_workers_at_once(folder, upstream, trust):
    with serving(folder, config(upstream), trust) as gateway:
        alice = crowd(gateway, 60, "/few")
        bob = crowd(gateway, 4, "/other", BOB)
        status, fields, _ = gateway.ask("/few")

        assert alice == {200: 20, 429: 40}
        assert bob == {200: 4}
        assert status == 429
        assert (fields["Retry-After"], fields["RateLimit-Limit"]) == ("60", "20")
        assert (fields["RateLimit-Remaining"], fields["x-should-retry"]) == ("0", None)
        assert 19 * 3600 < int(fields["RateLimit-Reset"]) <= 20 * 3600
        assert gateway.status(path="/other") == 429  # one user, whichever route


def test_by_user_and_route_each_route_has_its_own(folder, upstream, trust):
    with serving(folder, config(upstream, per='["user", "route"]'), trust) as gateway:
        assert crowd(gateway, 30, "/few") == {200: 20, 429: 10}
        assert crowd(gateway, 30, "/other") == {200: 20, 429: 10}


def test_a_keys_own_limit_is_exact_over_three_workers_at_once(folder, upstream, trust):
    with serving(folder, config(upstream), trust) as gateway:
        assert crowd(gateway, 40, "/", BOB) == {200: 7, 429: 33}
        assert crowd(gateway, 40, "/") == {200: 40}


def test_limits_outlive_a_reload_and_every_worker(folder, upstream, trust):
    with serving(folder, config(upstream), trust) as gateway:
        assert crowd(gateway, 15, "/few") == {200: 15}
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("config.reloaded", result="ok", level="info")
        for pid in pids_of(gateway):
            os.kill(pid, signal.SIGKILL)
        gateway.wait_for("worker.started", 6)

        assert crowd(gateway, 15, "/few") == {200: 5, 429: 10}


def test_so_many_of_one_user_at_a_time_over_three_workers(folder, upstream, trust, streams):
    with serving(folder, config(upstream, most=3), trust) as gateway:
        gateway.secrets.append(BOB)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            streams += threads.map(lambda _: Stream(gateway), range(12))
        bob = Stream(gateway, BOB)
        streams.append(bob)

        assert Counter(each.status for each in streams[:12]) == {200: 3, 429: 9}
        assert bob.status == 200
        refused = next(each for each in streams if each.status == 429)
        assert b"too_many_concurrent" in refused.answer.read()
        assert refused.answer.headers["Retry-After"] == "1"
        assert refused.answer.headers["RateLimit-Limit"] == "3"


def test_what_is_under_way_counts_on_after_a_reload(folder, upstream, trust, streams):
    with serving(folder, config(upstream, most=2), trust) as gateway:
        streams += [Stream(gateway) for _ in range(3)]
        assert [each.status for each in streams] == [200, 200, 429]
        put(folder / "pyproxy.toml", config(upstream, most=3))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("config.reloaded", result="ok", level="info")
        streams += [Stream(gateway) for _ in range(2)]

        assert [each.status for each in streams[3:]] == [200, 429]
        upstream.released.set()
        assert not any(each.is_cut() for each in streams if each.status == 200)
        wait_until(lambda: gateway.status() == 200)


def test_places_of_a_killed_worker_are_free_again_and_no_others(folder, upstream, trust, streams):
    with serving(folder, config(upstream, most=6), trust) as gateway:
        streams += [Stream(gateway) for _ in range(6)]
        assert [each.status for each in streams] == [200] * 6
        assert gateway.status() == 429
        os.kill(pids_of(gateway)[0], signal.SIGKILL)
        gateway.wait_for("worker.started", 4)
        again = [Stream(gateway) for _ in range(7)]
        streams += again
        upstream.released.set()
        cut = sum(each.is_cut() for each in streams[:6])

        assert Counter(each.status for each in again) == Counter([200] * cut + [429] * (7 - cut))
