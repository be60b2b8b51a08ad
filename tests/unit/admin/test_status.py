import json
import platform

from pyproxy import __version__
from pyproxy.admin.exposition import exposition
from pyproxy.admin.status import status_of
from pyproxy.admin.window import Sample, Window
from pyproxy.config.settings import Settings
from pyproxy.telemetry.report import Report
from tests.admin_scene import WALL, Reload, report, snapshot, worker


def told(now=None, window=None):
    now = snapshot() if now is None else now
    return json.loads(json.dumps(status_of(now, window or Window()), allow_nan=False))


def test_a_gateway_that_has_just_begun_has_every_key():
    quiet = told(snapshot(report=Report(), workers=()))

    assert quiet["requests"] == {
        "total": 0,
        "per_second": 0.0,
        "errors_per_second": 0.0,
        "in_flight": 0,
        "streams": 0,
        "connections": 0,
        "by_status": {},
        "latency_ms": {"p50": None, "p90": None, "p99": None},
        "first_byte_ms": {"p50": None, "p90": None, "p99": None},
        "bytes_in": 0,
        "bytes_out": 0,
    }
    assert list(quiet) == [
        "version", "python", "now", "started_at", "uptime_s", "draining", "ready", "reasons",
        "workers", "window_s", "requests", "history", "refusals", "refusals_last_minute",
        "routes", "limits", "bans", "store", "listeners", "certificates", "key_sets", "reload",
        "files_refused", "logs",
    ]  # fmt: skip
    assert quiet["routes"][0]["upstreams"] == []
    assert quiet["files_refused"] == []


def test_everything_is_told():
    window = Window()
    window.add(Sample.of(Report(), 100.0))
    window.add(Sample.of(report(), 102.0))
    now = told(window=window)

    assert (now["version"], now["python"]) == (__version__, platform.python_version())
    assert (now["now"], now["started_at"], now["uptime_s"]) == (WALL, WALL - 12.0, 12.0)
    assert (now["draining"], now["ready"], now["window_s"]) == (False, True, 60)
    assert now["workers"] == [
        {"slot": 0, "pid": 100, "uptime_s": 10.0, "connections": 3, "is_answering": True}
    ]
    assert now["requests"]["total"] == 14
    assert now["requests"]["per_second"] == 7.0
    assert now["requests"]["errors_per_second"] == 0.5
    assert now["requests"]["by_status"] == {"2xx": 9, "4xx": 4, "5xx": 1}
    assert now["requests"]["bytes_out"] == 2022
    assert now["requests"]["first_byte_ms"]["p50"] == 7.5
    assert now["refusals"] == {"invalid_token": 1, "rate_limited": 3}
    assert now["refusals_last_minute"] == {"invalid_token": 1, "rate_limited": 3}
    one, two = now["routes"]
    assert (one["requests"], one["errors"], one["per_second"]) == (10, 1, 5.0)
    assert one["upstreams"][1] == {"name": "http://b", "state": "up", "in_flight": 1, "idle": 4}
    assert (one["limits"], two["limits"], two["path"]) == (["api"], [], "/two")
    assert now["limits"][0] == {
        "name": "api", "rate": "10r/s", "burst": 20, "per": ["ip"], "refused": 3,
    }  # fmt: skip
    assert now["bans"] == {
        "in_force": 2, "begun": 5, "after": 20, "within_s": 600.0, "lasting_s": 900.0,
    }  # fmt: skip
    assert now["store"] == {"kind": "memory", "is_up": True, "on_failure": "local", "failures": 0}
    assert now["listeners"] == [{"bind": "127.0.0.1:5000", "tls": False}]
    assert now["certificates"] == [
        {
            "bind": "[::]:5000",
            "file": "certs/a.crt",
            "names": ["localhost"],
            "not_after": WALL + 86400.0 * 12.25,
            "days_left": 12.25,
        }
    ]
    assert now["key_sets"] == [
        {"source": "https://issuer/jwks", "keys": 3, "age_s": 12.0, "state": "fresh"}
    ]
    assert now["reload"] == {"at": WALL - 12.0, "result": "none", "faults": []}
    assert now["logs"] == {"lost": 6}


def test_a_reload_that_failed_says_why():
    now = told(snapshot(reload=Reload(WALL, "failed", ("routes[0].path: must begin with /",))))

    assert now["reload"]["faults"] == ["routes[0].path: must begin with /"]


def test_files_that_a_worker_could_not_take_over_are_told_by_their_kind():
    kinds = {"keys": 2.0, "certificates": 1.0, "key_sets": 0.0}
    gauges = {("pyproxy_files_refused", (kind,)): value for kind, value in kinds.items()}
    now = told(snapshot(report=report(gauges=gauges)))

    assert now["files_refused"] == ["certificates", "keys"]


def test_who_is_not_ready_says_why():
    now = told(snapshot(is_draining=True, workers=(worker(),)))

    assert (now["draining"], now["ready"]) == (True, False)
    assert now["reasons"] == ["the gateway is draining"]


def test_no_secret_of_the_configuration_is_told():
    secrets = {
        "server": {"admin_token": "operators-8f1c22"},
        "store": {"url": "redis://limits:storekey-8f1c22@h:6379/0"},
        "auth": {"keys": ["pyp_clients-8f1c22-and-more"]},
        "egress": {"proxy": "http://user:proxykey-8f1c22@h:3128"},
        "routes": [
            {
                "name": "one",
                "upstream": "http://a",
                "auth": ["token"],
                "token": {"secret": "shared-8f1c22-and-more"},
                "credential": {"header": "X-Key", "value": "provider-8f1c22"},
                "request_headers": {"X-Own": "field-8f1c22"},
            }
        ],
    }
    now = snapshot(settings=Settings.model_validate(secrets))

    assert "8f1c22" not in json.dumps(status_of(now, Window()))
    assert b"8f1c22" not in exposition(now)
