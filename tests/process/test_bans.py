"""A ban is one ban for all workers, and outlives each of them."""

import os
import signal
import time
from pathlib import Path

import pytest

from pyproxy.runtime.zone import Zone
from tests.process.served import BEARER, KEY, put, serving
from tests.process.test_workers import begin_stream, pids_of

HOST = "127.0.0.1"
CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
[server]
admin = ""
workers = {workers}
drain = "2s"
[server.log]
audit = "stdout"
[auth]
keys_file = "keys.txt"
[auth.ban]
after = {after}
within = "10m"
lasting = "15m"
[rate_limits.api]
rate = "1000r/s"
burst = 1000
[rate_limits.health]
rate = "1000r/s"
burst = 1000
[[routes]]
name = "all"
upstream = "{upstream}"
"""
WRONG = "wrong-key-of-nobody-0123456789"
LOOKS = 12  # fresh connections, each of which any worker may get


def config(upstream, workers=3, after=6):
    return CONFIG.format(upstream=upstream.url, workers=workers, after=after)


def looks(gateway, key=KEY):
    return {gateway.status(key) for _ in range(LOOKS)}


def fail(gateway, times=6):
    """Fail over so many fresh connections, which come to one worker or another."""
    return [gateway.status(WRONG) for _ in range(times)]


def reload(gateway, text, count=1):
    put(gateway.folder / "pyproxy.toml", text)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for("config.reloaded", count, result="ok", level="info")


@pytest.fixture
def serve(folder):
    """Serves, and knows its folder."""

    def serve_(text):
        context = serving(folder, text)

        class Known:
            def __enter__(self):
                gateway = context.__enter__()
                gateway.folder = folder
                return gateway

            def __exit__(self, *exc):
                return context.__exit__(*exc)

        return Known()

    return serve_


def zone_of(gateway):
    """The memory that the workers share, opened once more."""
    folder = Path(f"/proc/{gateway.process.pid}/fd")
    path = next(each for each in folder.iterdir() if "memfd:pyproxy" in str(each.readlink()))
    return Zone.attach(os.open(path, os.O_RDWR | os.O_CLOEXEC))


def test_failures_at_any_worker_count_together_and_all_workers_shut_out(serve, upstream):
    with serve(config(upstream)) as gateway:
        before = looks(gateway)
        wrong = fail(gateway)

        assert before == {200}
        assert wrong == [401] * 6
        assert looks(gateway) == {403}
        gateway.wait_for("auth.banned")
        assert {gateway.ask("/health")[0] for _ in range(LOOKS)} == {200}
    (line,) = gateway.said("auth.banned")
    assert line["details"] == {
        "client": HOST, "failures": 6, "within_s": 600.0, "lasting_s": 900.0,
    }  # fmt: skip


def test_a_ban_outlives_every_worker_and_a_reload(serve, upstream):
    with serve(config(upstream)) as gateway:
        fail(gateway)
        pids = pids_of(gateway)
        for count, pid in enumerate(pids):
            os.kill(pid, signal.SIGKILL)
            gateway.wait_for("worker.started", 4 + count)
            assert looks(gateway) == {403}
        reload(gateway, config(upstream, after=7))

        assert looks(gateway) == {403}
        assert len(pids) == 3


def test_failures_seen_by_a_worker_that_was_killed_count_on(serve, upstream):
    with serve(config(upstream)) as gateway:
        fail(gateway, 5)
        for pid in pids_of(gateway):
            os.kill(pid, signal.SIGKILL)
        gateway.wait_for("worker.started", 6)

        assert fail(gateway, 1) == [401]
        assert looks(gateway) == {403}


def test_a_ban_and_failures_go_over_from_one_worker_to_several_and_back(serve, upstream):
    with serve(config(upstream, workers=1)) as gateway:
        fail(gateway, 4)
        reload(gateway, config(upstream, workers=3))
        fail(gateway, 1)
        assert looks(gateway) == {200}
        fail(gateway, 1)
        assert looks(gateway) == {403}
        reload(gateway, config(upstream, workers=1), 2)

        assert looks(gateway) == {403}


def test_a_ban_of_one_worker_goes_over_to_several(serve, upstream):
    with serve(config(upstream, workers=1)) as gateway:
        fail(gateway)
        assert looks(gateway) == {403}
        reload(gateway, config(upstream, workers=3))

        assert looks(gateway) == {403}


def test_turned_off_it_shuts_nobody_out_and_turned_on_again_it_does(serve, upstream):
    with serve(config(upstream)) as gateway:
        fail(gateway)
        assert looks(gateway) == {403}
        reload(gateway, config(upstream, after=0))
        assert looks(gateway) == {200}
        reload(gateway, config(upstream), 2)

        assert looks(gateway) == {403}


def test_lifted_from_another_process_all_workers_let_in(serve, upstream):
    with serve(config(upstream, after=5)) as gateway:
        fail(gateway, 5)
        assert looks(gateway) == {403}
        zone = zone_of(gateway)
        (ban,) = zone.bans.in_force(time.monotonic())
        lifted = zone.bans.lift(HOST, time.monotonic())

        assert (ban.client, lifted) == (HOST, True)
        assert 880 < ban.left_s <= 900
        assert looks(gateway) == {200}
        assert fail(gateway, 5) == [401] * 5  # counted anew
        assert looks(gateway) == {403}
        zone.close()


def test_a_stream_under_way_outlives_the_ban_and_a_kept_connection_is_refused(serve, upstream):
    with serve(config(upstream)) as gateway:
        kept = gateway.connect()
        kept.request("GET", "/", headers=BEARER)
        assert kept.getresponse().read()
        connection, answer = begin_stream(gateway)
        fail(gateway)
        kept.request("GET", "/", headers=BEARER)
        refused = kept.getresponse()

        assert (refused.status, refused.read()) == (403, b'{"error":"banned"}')
        upstream.released.set()
        assert answer.read() == b"two"
        connection.close()
        kept.close()
