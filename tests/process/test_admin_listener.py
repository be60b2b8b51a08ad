"""The admin listener of a gateway in earnest: right over workers, reloads, deaths and the end."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.process.crowd import Crowd, wait_until
from tests.process.served import BEARER, PATIENCE_S, free_port, put, refused, serving
from tests.programs import demand

PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
TOKEN = "the-token-of-operators-77a1"
CONFIG = """
[server]
workers = {workers}
drain = "{drain}"
{server}
[server.log]
audit = "stdout"
[[listeners]]
bind = "127.0.0.1:0"
[auth]
keys_file = "keys.txt"
ban = {{ after = 3 }}
[rate_limits.api]
rate = "100000r/s"
burst = 100000
[[routes]]
name = "all"
upstream = "{upstream}"
{routes}
"""
SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def config(upstream, *, workers=1, server='admin = "127.0.0.1:0"', drain="1s", routes=""):
    return CONFIG.format(
        upstream=upstream.url, workers=workers, server=server, drain=drain, routes=routes
    )


class Admin:
    """Asks the admin listener of a gateway."""

    def __init__(self, gateway, token=""):
        self.port = int(gateway.wait_for("admin.ready")["port"])
        self._fields = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path, method="GET", fields=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers={**self._fields, **(fields or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, text = self.ask("/metrics")
        assert status == 200, text
        return [(name, labels or "", float(value)) for name, labels, value in SAMPLE.findall(text)]

    def total(self, wanted, label=""):
        """The sum of a family's samples with this label."""
        return sum(
            value for name, labels, value in self.metrics() if name == wanted and label in labels
        )

    def status(self):
        return json.loads(self.ask("/status")[1])

    def ready(self):
        status, text = self.ask("/ready")
        return status, json.loads(text)["reasons"]


@contextmanager
def scraping(admin):
    """Scrape without end, and see that no total ever goes down."""
    totals, is_over = [], threading.Event()

    def scrape():
        while not is_over.is_set():
            totals.append(admin.total("pyproxy_requests_total"))

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    yield totals
    is_over.set()
    thread.join(PATIENCE_S)
    assert totals == sorted(totals)


# --- Figures


def test_they_are_right_with_three_workers_over_a_reload_and_a_death(folder, upstream):
    with serving(folder, config(upstream, workers=3)) as gateway:
        admin = Admin(gateway)
        with scraping(admin) as totals:
            with Crowd(gateway.port, kept=3, fresh=3) as crowd:
                wait_until(lambda: crowd.counts.answered > 300)
                gateway.process.send_signal(signal.SIGHUP)
                gateway.wait_for("config.reloaded", result="ok", level="info")
                wait_until(lambda: crowd.counts.answered > 600)
            served = partial(gateway.said, "request", route="all")
            wait_until(lambda: admin.total("pyproxy_requests_total") == len(served()))
            pid = int(gateway.wait_for("worker.started")["pid"])
            os.kill(pid, signal.SIGKILL)
            gateway.wait_for("worker.started", 4)
            wait_until(lambda: admin.total("pyproxy_worker_deaths_total") == 1)
            before = len(served())
            for _ in range(30):
                assert gateway.status() == 200
            wait_until(lambda: admin.total("pyproxy_requests_total") == len(served()))

        assert not crowd.counts.failed
        assert len(served()) == before + 30
        assert admin.total("pyproxy_reloads_total", "ok") == 1
        assert admin.total("pyproxy_workers") == 3
        assert len(totals) > 20
        assert_told(admin, served())


def assert_told(admin, lines):
    """Metrics and status say what the access log says."""
    for code in "245":
        count = len([line for line in lines if str(line["status"])[0] == code])
        assert admin.total("pyproxy_requests_total", f'status="{code}xx"') == count
    assert admin.total("pyproxy_request_duration_seconds_count") == len(lines)
    assert admin.total("pyproxy_request_duration_seconds_bucket", 'le="+Inf"') == len(lines)
    now = admin.status()
    assert now["requests"]["total"] == now["routes"][0]["requests"] == len(lines)
    assert now["requests"]["per_second"] > 0
    assert now["requests"]["latency_ms"]["p50"] > 0
    assert len(now["workers"]) == 3
    assert now["reload"]["result"] == "ok"


def test_it_answers_while_a_worker_is_stopped(folder, upstream):
    with serving(folder, config(upstream, workers=3)) as gateway:
        admin = Admin(gateway)
        pid = int(gateway.wait_for("worker.started")["pid"])
        wait_until(lambda: all(each["is_answering"] for each in admin.status()["workers"]))
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: sum(each["is_answering"] for each in admin.status()["workers"]) == 2)
            began = time.monotonic()
            assert admin.ready() == (200, [])
            assert admin.ask("/metrics")[0] == 200
            assert admin.ask("/bans") == (200, '{"bans":[]}')
            assert time.monotonic() - began < 1.0
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: all(each["is_answering"] for each in admin.status()["workers"]))
        assert admin.status()["workers"][0]["pid"] == pid


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hundred_scrapes_a_second_cost_next_to_nothing(folder, upstream, workers):
    with serving(folder, config(upstream, workers=workers)) as gateway:
        admin = Admin(gateway)
        assert gateway.status() == 200
        before = cpu_s(gateway.process.pid)
        began = time.monotonic()
        for number in range(200):
            admin.ask("/metrics")
            time.sleep(max(0.0, began + number / 100 - time.monotonic()))

        # A tenth of a core is six times what it takes.
        assert cpu_s(gateway.process.pid) - before < 0.4


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- Bans


@pytest.mark.parametrize("workers", [1, 2])
def test_a_ban_is_seen_and_lifted(folder, upstream, workers):
    with serving(folder, config(upstream, workers=workers)) as gateway:
        admin = Admin(gateway)
        statuses = [gateway.status(f"pyp_not-a-key-of-anybody-{n}") for n in range(4)]
        assert statuses == [401, 401, 401, 403]
        (ban,) = json.loads(admin.ask("/bans")[1])["bans"]
        assert ban["address"] == "127.0.0.1"
        assert 0 < ban["seconds_left"] <= 900
        wait_until(lambda: admin.total("pyproxy_bans_total") == 1)
        assert admin.total("pyproxy_bans_in_force") == 1
        assert admin.status()["bans"]["after"] == 3

        foreign = {"Origin": "https://evil.test"}
        assert admin.ask("/bans?address=127.0.0.1", "DELETE", foreign)[0] == 403
        assert gateway.status() == 403
        assert admin.ask("/bans?address=127.0.0.1", "DELETE") == (200, '{"lifted":true}')
        assert gateway.status() == 200
        assert admin.ask("/bans?address=127.0.0.1", "DELETE")[0] == 404
        gateway.wait_for("ban.lifted", result="lifted")


# --- Where, and until when


def test_it_stays_while_the_gateway_drains(folder, upstream):
    with serving(folder, config(upstream, drain="10s")) as gateway:
        admin = Admin(gateway)
        assert admin.ready() == (200, [])
        connection = gateway.connect()
        connection.request("GET", "/stream", headers=BEARER)
        assert upstream.begun.wait(PATIENCE_S)
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("worker.draining")

        assert admin.ready() == (503, ["the gateway is draining"])
        assert admin.total("pyproxy_requests_in_flight") == 1
        assert admin.status()["draining"]
        upstream.released.set()
        assert connection.getresponse().read() == b"onetwo"
        connection.close()
        assert gateway.ended() == 0


def test_a_second_signal_ends_it_too(folder, upstream):
    with serving(folder, config(upstream, workers=2, drain="60s")) as gateway:
        admin = Admin(gateway)
        connection = gateway.connect()
        connection.request("GET", "/stream", headers=BEARER)
        assert upstream.begun.wait(PATIENCE_S)
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait_for("worker.draining")
        assert admin.ready()[0] == 503

        assert gateway.stop() == -signal.SIGTERM
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            admin.ready()


def test_it_is_moved_guarded_and_removed_by_a_reload(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        gateway.secrets.append(TOKEN)
        first = Admin(gateway)
        reloads = iter(range(1, 10))

        def reload(**parts):
            put(folder / "pyproxy.toml", config(upstream, **parts))
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for("config.reloaded", next(reloads), result="ok", level="info")

        reload(server=f'admin = "127.0.0.1:0"\nadmin_token = "{TOKEN}"')
        assert first.ask("/ready")[0] == 401
        assert first.ask("/ready", fields={"Authorization": f"Bearer {TOKEN}"})[0] == 200
        path = folder / "admin.sock"
        reload(server=f'admin = "unix:{path}"')
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")
        reload(server='admin = ""')
        assert not path.exists()
        assert gateway.status() == 200
        with pytest.raises(ConnectionRefusedError):
            first.ask("/ready")


def test_a_reload_to_an_address_that_is_taken_changes_nothing(folder, upstream):
    with (
        serving(folder, config(upstream)) as gateway,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        admin = Admin(gateway)
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        put(folder / "pyproxy.toml", config(upstream, server=f'admin = "{taken}"'))
        gateway.process.send_signal(signal.SIGHUP)
        line = gateway.wait_for("config.reloaded", result="failed", level="error")

        reason = f"server.admin: {taken} is taken: another process listens there"
        assert reason in line["message"]
        assert gateway.status() == 200
        now = admin.status()
        assert now["reload"]["result"] == "failed"
        assert now["reload"]["faults"][0].startswith(reason)
        failed = gateway.said("config.reloaded", result="failed", level="error")
        wait_until(lambda: admin.total("pyproxy_reloads_total", "failed") >= len(failed))


def test_a_reload_that_fails_otherwise_leaves_the_old_address(folder, upstream):
    with serving(folder, config(upstream)) as gateway:
        admin, port = Admin(gateway), free_port()
        text = config(upstream, server=f'admin = "127.0.0.1:{port}"')
        put(folder / "pyproxy.toml", text.replace("keys.txt", "gone.txt"))
        gateway.process.send_signal(signal.SIGHUP)
        gateway.wait_for("config.reloaded", result="failed", level="error")

        assert admin.ready() == (200, [])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_an_address_that_was_written_and_is_taken_keeps_it_from_starting(folder, upstream):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        code, words = refused(folder, config(upstream, server=f'admin = "{taken}"'))

    assert code == 2
    assert f"server.admin: {taken} is taken: another process listens there" in words[-1]


@contextmanager
def default_taken():
    try:
        sock = socket.create_server(("127.0.0.1", 9100))
    except OSError:  # by somebody else, then
        yield
    else:
        with sock:
            yield


def test_the_default_address_may_be_taken(folder, upstream):
    with default_taken(), serving(folder, config(upstream, server="")) as gateway:
        line = gateway.wait_for("configuration.remark")

        assert line["message"].startswith("server.admin: 127.0.0.1:9100 is taken")
        assert "there is no admin listener: set server.admin" in line["message"]
        assert gateway.status() == 200


def test_a_public_address_without_a_token_keeps_it_from_starting(folder, upstream):
    code, words = refused(folder, config(upstream, server='admin = "0.0.0.0:0"'))

    assert code == 2
    assert "server.admin: is a public address: set server.admin_token" in words[-1]


# --- Prometheus itself


def test_promtool_finds_nothing_to_complain_of(folder, upstream):
    demand("" if PROMTOOL else "promtool is not installed (package prometheus)")
    more = '[[routes]]\nname = "open"\npath = "/open"\nauth = []\nupstream = "http://127.0.0.1:1"'
    with serving(folder, config(upstream, workers=2, routes=more)) as gateway:
        admin = Admin(gateway)
        assert gateway.status() == 200
        assert gateway.status("pyp_nobody-has-this-key-at-all") == 401
        assert gateway.ask("/open", headers={})[0] == 502
        wait_until(lambda: admin.total("pyproxy_requests_total") == 3)

        ran = subprocess.run(
            [PROMTOOL, "check", "metrics"],
            input=admin.ask("/metrics")[1],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_prometheus_scrapes_it(folder, upstream, tmp_path):
    demand("" if PROMETHEUS else "prometheus is not installed")
    server = f'admin = "127.0.0.1:0"\nadmin_token = "{TOKEN}"'
    with serving(folder, config(upstream, server=server)) as gateway:
        gateway.secrets.append(TOKEN)
        admin = Admin(gateway, TOKEN)
        for _ in range(5):
            assert gateway.status() == 200
        scrape = {
            "job_name": "pyproxy",
            "authorization": {"credentials": TOKEN},
            "static_configs": [{"targets": [f"127.0.0.1:{admin.port}"]}],
        }
        settings = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}}
        # JSON is YAML.
        put(tmp_path / "prometheus.yml", json.dumps({**settings, "scrape_configs": [scrape]}))
        with prometheus(tmp_path) as query:
            wait_until(lambda: query("up") == ["1"])
            wait_until(lambda: query("sum(pyproxy_requests_total)") == ["5"])
            assert query("pyproxy_build_info") == ["1"]
            assert query(
                "histogram_quantile(0.5, sum by (le) (pyproxy_request_duration_seconds_bucket))"
            )


@contextmanager
def prometheus(folder):
    """Prometheus itself, its data in a folder; gives what asks it for the values of a query."""
    port = free_port()
    command = [
        PROMETHEUS,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def query(text):
        url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.request.quote(text)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:  # it has not begun yet
            return []
        return [each["value"][1] for each in found]

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield query
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
