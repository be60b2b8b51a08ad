"""Several processes serve as one: started, replaced and ended by the first."""

import os
import signal
from pathlib import Path

import pytest

from tests.process.crowd import Crowd, wait_until
from tests.process.served import BEARER, KEY, hashed, put, refused, serving

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
[rate_limits.api]
rate = "100000r/s"
burst = 100000
[rate_limits.few]
rate = "1r/h"
burst = 9
[[routes]]
name = "all"
upstream = "{upstream}"
[[routes]]
name = "few"
path = "/few"
rate_limits = ["few"]
upstream = "{upstream}"
"""


def config(upstream, workers=2):
    return CONFIG.format(upstream=upstream.url, workers=workers)


def pids_of(gateway):
    """The workers' processes, in the order of their start."""
    return [line["pid"] for line in gateway.said("worker.started")]


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_workers_serve_together_and_end_together(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        with Crowd(gateway.port) as crowd:
            wait_until(lambda: crowd.counts.answered > 100)
        pids = pids_of(gateway)

        assert len(pids) == 2
        assert gateway.stop() == 0
    assert crowd.counts.failed == []
    assert not any(map(is_alive, pids))
    assert [line["level"] for line in gateway.said("worker.stopped")] == ["info"]


def test_a_limit_is_one_limit_over_all_workers(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        statuses = [gateway.status(path="/few") for _ in range(20)]

    assert statuses.count(200) == 10
    assert statuses.count(429) == 10


def test_a_killed_worker_is_replaced_and_the_others_go_on(folder, upstream):
    with serving(folder, config(upstream)) as gateway, Crowd(gateway.port, fresh=4) as crowd:
        wait_until(lambda: crowd.counts.answered > 50)
        victim = pids_of(gateway)[0]
        os.kill(victim, signal.SIGKILL)

        ended = gateway.wait_for("worker.ended")
        gateway.wait_for("worker.started", 3)
        answered = crowd.counts.answered
        wait_until(lambda: crowd.counts.answered > answered + 100)
        assert (ended["pid"], ended["message"]) == (victim, "killed by SIGKILL")
    assert len(crowd.counts.failed) <= 7  # those it was serving


def test_a_worker_told_to_end_loses_nothing_and_is_replaced(folder, upstream):
    with serving(folder, config(upstream)) as gateway, Crowd(gateway.port) as crowd:
        wait_until(lambda: crowd.counts.answered > 50)
        os.kill(pids_of(gateway)[0], signal.SIGTERM)

        gateway.wait_for("worker.started", 3)
        answered = crowd.counts.answered
        wait_until(lambda: crowd.counts.answered > answered + 50)
    assert crowd.counts.failed == []


def begin_stream(gateway):
    connection = gateway.connect()
    connection.request("GET", "/stream", headers=BEARER)
    answer = connection.getresponse()
    assert answer.read(3) == b"one"
    return connection, answer


def test_requests_of_a_killed_worker_are_not_under_way_any_more(folder, upstream):
    one_each = config(upstream).replace('name = "all"', 'name = "all"\nmax_concurrent = 1')
    with serving(folder, one_each) as gateway:
        connection, _ = begin_stream(gateway)
        assert gateway.status() == 429
        for pid in pids_of(gateway):
            os.kill(pid, signal.SIGKILL)
        gateway.wait_for("worker.started", 4)

        assert gateway.status() == 200
        connection.close()


def test_a_stream_ends_before_its_worker_does(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        connection, answer = begin_stream(gateway)
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("worker.draining")
        upstream.released.set()

        assert answer.read() == b"two"
        connection.close()
        assert gateway.ended() == 0
    assert gateway.said("request", path="/stream")[0]["status"] == 200


def test_a_second_signal_ends_all_workers_at_once(folder, upstream):
    with serving(folder, config(upstream).replace('"2s"', '"30s"')) as gateway:
        pids = pids_of(gateway)
        connection, _ = begin_stream(gateway)
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("worker.draining")
        gateway.process.send_signal(signal.SIGTERM)

        assert gateway.ended() == -signal.SIGTERM
        wait_until(lambda: not any(map(is_alive, pids)))
        connection.close()


def test_workers_end_with_their_supervisor(folder, upstream):
    with serving(folder, config(upstream).replace('"2s"', '"30s"')) as gateway:
        idle = gateway.connect()
        idle.request("GET", "/", headers=BEARER)
        idle.getresponse().read()
        pids = pids_of(gateway)
        gateway.process.kill()

        wait_until(lambda: not any(map(is_alive, pids)))  # who only might ask is not waited for
        idle.close()


def test_what_the_terminal_sends_is_the_supervisors_to_act_on(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        for pid in pids_of(gateway):
            for number in (signal.SIGINT, signal.SIGHUP):
                os.kill(pid, number)

        assert [gateway.status() for _ in range(4)] == [200] * 4
        assert gateway.stop(signal.SIGINT) == 0
        assert gateway.said("worker.ended") == []


def test_a_replacement_that_cannot_start_is_tried_again(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        put(folder / "keys.txt", "a b c\n")
        os.kill(pids_of(gateway)[0], signal.SIGKILL)

        assert "keys.txt:1" in gateway.wait_for("worker.failed")["message"]
        assert gateway.status() == 200
        put(folder / "keys.txt", hashed("alice", KEY))
        gateway.wait_for("worker.started", 3)
        assert {gateway.status() for _ in range(6)} == {200}


@pytest.mark.parametrize("workers", ["2", '"auto"'])
def test_what_cannot_be_served_is_said_and_no_process_stays(folder, upstream, workers):
    put(folder / "keys.txt", "a b c\n")

    code, lines = refused(folder, config(upstream, workers))

    assert code == 2
    assert "keys.txt:1" in lines[0]
