"""Traces of a gateway in processes of its own: switched on and off, from every worker."""

import signal

import pytest

from tests.collector import Collector
from tests.process.served import BEARER, serving

CONFIG = """
[[listeners]]
bind = "127.0.0.1:0"
[server]
admin = ""
workers = {workers}
[server.log]
audit = "stdout"
[auth]
keys_file = "keys.txt"
[rate_limits.api]
rate = "100000r/s"
burst = 100000
{traces}
[[routes]]
name = "all"
upstream = "{upstream}"
"""


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


def config(upstream, workers, traces=""):
    return CONFIG.format(upstream=upstream.url, workers=workers, traces=traces)


def reload(gateway, folder, text, count):
    (folder / "pyproxy.toml").write_text(text)
    gateway.process.send_signal(signal.SIGHUP)
    gateway.wait_for("config.reloaded", count, result="ok", what="settings")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_switches_traces_on_and_off(folder, upstream, collector, workers):
    named = f'[traces]\nendpoint = "{collector.url}"\nservice_name = "first"'
    with serving(folder, config(upstream, workers)) as gateway:
        gateway.ask("/before", headers=BEARER)
        reload(gateway, folder, config(upstream, workers, named), 1)
        gateway.ask("/first", headers=BEARER)
        reload(gateway, folder, config(upstream, workers, named.replace("first", "second")), 2)
        gateway.ask("/second", headers=BEARER)
        reload(gateway, folder, config(upstream, workers), 3)
        gateway.ask("/after", headers=BEARER)
        found = collector.wait_for(2, kind="SERVER")
        assert gateway.stop() == 0

    assert [span.resource["service.name"] for span in found] == ["first", "second"]
    assert [span.attributes["url.path"] for span in found] == ["/first", "/second"]
    traced = {
        line["path"]: line["trace_id"] for line in gateway.said("request") if "trace_id" in line
    }
    assert traced == {span.attributes["url.path"]: span.trace_id for span in found}


def test_every_worker_tells_its_own_and_none_is_lost_at_the_end(folder, upstream, collector):
    with serving(folder, config(upstream, 2), environ={
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1/traces"),
        "OTEL_SERVICE_NAME": "by-environment",
    }) as gateway:  # fmt: skip
        for n in range(60):
            gateway.ask(f"/{n}", headers=BEARER)
        assert gateway.stop() == 0
    found = collector.wait_for(60, kind="SERVER")

    assert {span.attributes["url.path"] for span in found} == {f"/{n}" for n in range(60)}
    assert {span.resource["service.name"] for span in found} == {"by-environment"}
    workers = {span.resource["service.instance.id"].rpartition(":")[2] for span in found}
    assert workers <= {str(line["pid"]) for line in gateway.said("worker.started")}
    assert len(workers) == 2
    assert len(collector.wait_for(60, kind="CLIENT")) == 60
