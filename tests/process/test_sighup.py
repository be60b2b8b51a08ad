"""SIGHUP: another configuration comes into force, all of it or nothing, and nobody is cut off."""

import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process.crowd import Crowd, wait_until
from tests.process.served import BEARER, KEY, Upstream, free_port, hashed, put, serving

LISTENER = '[[listeners]]\nbind = "{bind}"\n'
TLS = 'certificate = "{name}.crt"\nprivate_key = "{name}.key"\n'
ROUTE = '[[routes]]\nname = "{name}"\npath = "{path}"\nupstream = "{upstream}"\n'
ANY = "127.0.0.1:0"
CONFIG = """
{listeners}
[server]
admin = ""
drain = "1s"
{server}
[server.log]
{log}
[auth]
keys_file = "{keys}"
[rate_limits.api]
rate = "100000r/s"
burst = 100000
{routes}
"""


def config(upstream, workers=1, listeners="", routes="", **parts):
    defaults = {"server": "", "log": 'audit = "stdout"', "keys": "keys.txt"}
    parts = {**defaults, **parts}
    parts["listeners"] = listeners or LISTENER.format(bind=ANY)
    parts["routes"] = routes + ROUTE.format(name="all", path="/", upstream=upstream.url)
    parts["server"] += f"\nworkers = {workers}"
    return CONFIG.format(**parts)


class Operator:
    """Changes the configuration of a gateway."""

    def __init__(self, gateway, folder):
        self._gateway = gateway
        self._folder = folder
        self._count = 0

    def reload(self, text=None):
        """Have it read, and wait until it is in force."""
        if text is not None:
            put(self._folder / "pyproxy.toml", text)
        self._count += 1
        self._gateway.process.send_signal(signal.SIGHUP)
        self._gateway.wait_for("config.reloaded", self._count, result="ok", level="info")

    def reload_in_vain(self, text):
        """Have it read, and wait until it is refused; the reason."""
        put(self._folder / "pyproxy.toml", text)
        self._gateway.process.send_signal(signal.SIGHUP)
        line = self._gateway.wait_for("config.reloaded", result="failed", level="error")
        return line["message"]


def descriptors_of(pid):
    """What a process has open, and how often."""
    found = Counter()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found[str(each.readlink())] += 1
    return found


def has_kept(pid, before):
    """Whether a process has open what it had, no more often, and a few connections at most."""
    after = descriptors_of(pid)
    return (
        all(after[name] <= count for name, count in before.items())
        and (after.keys() - before.keys()) <= {name for name in after if after[name] == 1}
        and after.total() <= before.total() + 8
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_ten_reloads_under_load_fail_no_request_and_leave_nothing_behind(folder, upstream, workers):
    with serving(folder, config(upstream, workers)) as gateway:
        operator = Operator(gateway, folder)
        operator.reload()
        with Crowd(gateway.port) as crowd:
            wait_until(lambda: crowd.counts.answered > 50)
        pids = [gateway.process.pid, *(line["pid"] for line in gateway.said("worker.started"))]
        before = {pid: descriptors_of(pid) for pid in pids}
        with Crowd(gateway.port) as crowd:
            for _ in range(10):
                answered = crowd.counts.answered
                operator.reload()
                wait_until(lambda answered=answered: crowd.counts.answered > answered + 20)

        assert crowd.counts.failed == []
        wait_until(lambda: all(has_kept(pid, had) for pid, had in before.items()))
        assert len(gateway.said("worker.started")) == (0 if workers == 1 else workers)


def test_signals_that_come_in_a_burst_are_followed_by_one_more_reload(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        put(folder / "pyproxy.toml", config(upstream, keys="others.txt"))
        put(folder / "others.txt", hashed("bob", "pyp_another-key-0123456789"))
        for _ in range(5):
            gateway.process.send_signal(signal.SIGHUP)

        wait_until(lambda: gateway.status() == 401)
        assert gateway.status("pyp_another-key-0123456789") == 200
        assert gateway.said("config.reloaded", result="failed") == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_changed_route_is_in_force_everywhere_at_once(folder, upstream, workers):
    with Upstream() as other, serving(folder, config(upstream, workers)) as gateway:
        operator = Operator(gateway, folder)
        open_route = ROUTE.format(name="open", path="/open", upstream=other.url) + "auth = []\n"
        assert {gateway.status("none", "/open") for _ in range(5)} == {401}

        operator.reload(config(upstream, workers, routes=open_route))
        assert {gateway.ask("/open", headers={})[0] for _ in range(10)} == {200}

        operator.reload(config(upstream, workers))
        assert {gateway.ask("/open", headers={})[0] for _ in range(10)} == {401}
        other.shutdown()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stream_outlives_reloads_and_the_change_of_its_route(folder, upstream, workers):
    with serving(folder, config(upstream, workers)) as gateway:
        operator = Operator(gateway, folder)
        connection = gateway.connect()
        connection.request("GET", "/stream", headers=BEARER)
        answer = connection.getresponse()
        assert answer.read(3) == b"one"

        operator.reload()
        operator.reload(config(upstream, workers).replace("/127.0.0.1:", "/127.0.0.2:"))
        assert gateway.status() in {502, 504}
        upstream.released.set()

        assert answer.read() == b"two"
        connection.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_listeners_come_and_go_without_a_lost_request(folder, upstream, workers):
    ports = free_port(), free_port()
    first, second = (LISTENER.format(bind=f"127.0.0.1:{port}") for port in ports)
    with serving(folder, config(upstream, workers, first)) as gateway:
        operator = Operator(gateway, folder)
        with Crowd(ports[0]) as crowd:
            wait_until(lambda: crowd.counts.answered > 20)
            operator.reload(config(upstream, workers, second + first))
            gateway.port = ports[1]
            assert gateway.status() == 200

            kept = gateway.connect()
            operator.reload(config(upstream, workers, first))
            gateway.wait_for("listener.closed", bind=f"127.0.0.1:{ports[1]}")
            with pytest.raises(ConnectionRefusedError):
                gateway.connect()
            kept.request("GET", "/", headers=BEARER)
            answer = kept.getresponse()
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
            kept.close()
            wait_until(lambda: crowd.counts.answered > 100)

    assert crowd.counts.failed == []


def test_a_listener_shows_the_certificate_of_another_path(folder, upstream, certify):
    trust = certify(folder)
    (folder / "other").mkdir()
    certify(folder / "other")
    listener = LISTENER.format(bind=ANY) + TLS
    with serving(folder, config(upstream, 1, listener.format(name="tls")), trust) as gateway:
        operator = Operator(gateway, folder)
        old = gateway.connect()
        shown = old.sock.getpeercert(binary_form=True)
        with Crowd(gateway.port, trust) as crowd:
            wait_until(lambda: crowd.counts.answered > 10)
            operator.reload(config(upstream, 1, listener.format(name="other/tls")))

            fresh = gateway.connect()
            assert fresh.sock.getpeercert(binary_form=True) != shown
            fresh.close()
        old.request("GET", "/", headers=BEARER)
        assert old.getresponse().status == 200
        old.close()
    assert crowd.counts.failed == []


def test_workers_become_more_and_fewer_without_a_lost_request(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        operator = Operator(gateway, folder)
        with Crowd(gateway.port) as crowd:
            for workers, started in ((2, 2), (3, 3), (1, 3), (2, 5)):
                operator.reload(config(upstream, workers))
                answered = crowd.counts.answered
                wait_until(lambda answered=answered: crowd.counts.answered > answered + 50)
                assert len(gateway.said("worker.started")) == started
        pids = [line["pid"] for line in gateway.said("worker.started")]
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids[:3]))

        assert crowd.counts.failed == []
        assert gateway.said("worker.ended") == []
        assert gateway.stop() == 0


def children_of(pid):
    """Processes that it started and that have not ended."""
    stats = [each.read_text() for each in Path("/proc").glob("[0-9]*/stat")]
    return sum(stat.rpartition(")")[2].split()[1] == str(pid) for stat in stats)


def test_workers_for_a_change_that_fails_end_with_it(folder, upstream):
    with serving(folder, config(upstream, 2)) as gateway:
        operator = Operator(gateway, folder)
        operator.reload_in_vain(config(upstream, 4, log='audit = "/nowhere/x"'))

        wait_until(lambda: children_of(gateway.process.pid) == 2)
        assert {gateway.status() for _ in range(5)} == {200}
        assert len(gateway.said("worker.started")) == 2


def test_a_worker_that_leaves_keeps_its_slot_until_it_has_ended(folder, upstream):
    def workers(count):
        return config(upstream, count).replace('drain = "1s"', 'drain = "30s"')

    with serving(folder, workers(3)) as gateway:
        operator = Operator(gateway, folder)
        last = gateway.wait_for("worker.started", slot=2)["pid"]
        before, streams = descriptors_of(last).total(), []
        while descriptors_of(last).total() <= before + 1:  # its, and its upstream's
            streams.append(gateway.connect())
            streams[-1].request("GET", "/stream", headers=BEARER)
            assert streams[-1].getresponse().read(3) == b"one"
        operator.reload(workers(2))
        operator.reload(workers(3))
        upstream.released.set()

        assert [line["slot"] for line in gateway.said("worker.started")] == [0, 1, 2, 3]
        for each in streams:
            each.close()
        wait_until(lambda: children_of(gateway.process.pid) == 3)


def test_a_limit_goes_on_from_one_worker_to_two(folder, upstream):
    few = '[rate_limits.few]\nrate = "1r/h"\nburst = 4\n'
    few += ROUTE.format(name="few", path="/few", upstream=upstream.url) + 'rate_limits = ["few"]\n'
    with serving(folder, config(upstream, 1, routes=few)) as gateway:
        operator = Operator(gateway, folder)
        assert [gateway.status(path="/few") for _ in range(3)] == [200] * 3

        operator.reload(config(upstream, 2, routes=few))
        assert [gateway.status(path="/few") for _ in range(4)] == [200, 200, 429, 429]
        operator.reload(config(upstream, 1, routes=few))
        assert gateway.status(path="/few") == 429


@pytest.mark.parametrize(
    ("workers", "broken", "why"),
    [
        pytest.param(1, {"keys": "missing.txt"}, "missing.txt", id="a missing file"),
        pytest.param(2, {"keys": "missing.txt"}, "missing.txt", id="a missing file for two"),
        pytest.param(1, {"server": "nonsense = 1"}, "server.nonsense", id="an unknown key"),
        pytest.param(1, {"log": 'audit = "/nowhere/x"'}, "server.log.audit", id="the audit log"),
        pytest.param(2, {"listeners": LISTENER.format(bind="192.0.2.1:5")}, "192.0.2.1", id="bind"),
    ],
)
def test_a_broken_configuration_changes_nothing(folder, upstream, workers, broken, why):
    with serving(folder, config(upstream, workers)) as gateway:
        pid = gateway.process.pid
        assert gateway.status() == 200
        before = descriptors_of(pid)
        operator = Operator(gateway, folder)

        message = operator.reload_in_vain(config(upstream, workers, **broken))

        assert message.startswith("the old configuration stays in force: ")
        assert why in message
        assert {gateway.status() for _ in range(5)} == {200}
        operator.reload(config(upstream, workers))
        wait_until(lambda: has_kept(pid, before))


def test_the_logs_follow_the_configuration(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        operator = Operator(gateway, folder)
        assert gateway.status() == 200
        gateway.wait_for("request")

        operator.reload(
            config(upstream, log='audit = "audit.log"\naccess = false\nlevel = "debug"')
        )
        assert gateway.status("pyp_wrong") == 401
        wait_until(lambda: "auth.failed" in (folder / "audit.log").read_text())
        gateway.stop()

    assert len(gateway.said("request")) == 1
    assert KEY not in (folder / "audit.log").read_text()


def test_a_reload_is_no_reason_to_go_on_when_told_to_end(folder, upstream):
    with serving(folder, config(upstream, 2)) as gateway:
        gateway.process.send_signal(signal.SIGHUP)
        assert gateway.stop() == 0


# --- Deaths in between


def threads_of(pid):
    return len([*Path(f"/proc/{pid}/task").iterdir()])


def has_prepared(pid, descriptors, threads):
    """Whether a worker has got new orders, and reads nothing any more."""
    is_told = descriptors_of(pid).total() > descriptors.total()
    return is_told and threads_of(pid) <= threads


def test_worker_that_dies_between_the_two_steps_of_a_change_is_replaced(folder, upstream):
    with serving(folder, config(upstream, workers=2)) as gateway:
        ready, slow = [line["pid"] for line in gateway.said("worker.started")]
        before = descriptors_of(ready), threads_of(ready)
        os.kill(slow, signal.SIGSTOP)
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: has_prepared(ready, *before))
        os.kill(ready, signal.SIGKILL)
        gateway.wait_for("worker.ended")
        os.kill(slow, signal.SIGCONT)

        gateway.wait_for("worker.started", 3)
        before = len(gateway.said("config.reloaded", level="info"))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("config.reloaded", before + 1, result="ok", level="info")
