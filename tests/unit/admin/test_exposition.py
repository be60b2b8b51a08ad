import platform

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_plain

from pyproxy import __version__
from pyproxy.admin.exposition import Exhibition
from pyproxy.telemetry.catalogue import FAMILIES, REQUESTS
from pyproxy.telemetry.report import Report
from tests.admin_scene import WALL, report, snapshot

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def samples(now, accept=""):
    text = Exhibition().show(now, accept).body.decode()
    read = read_open if "openmetrics" in accept else read_plain
    return {
        (each.name, *sorted(each.labels.items())): each.value
        for family in read(text)
        for each in family.samples
    }


@pytest.mark.parametrize("accept", ["", OPEN], ids=["text", "OpenMetrics"])
def test_all_that_is_counted_is_shown(accept):
    found = samples(snapshot(reloads={"ok": 2, "failed": 1}), accept)

    one = (("method", "GET"), ("route", "one"), ("status", "2xx"))
    assert found[REQUESTS, *one] == 7
    assert found["pyproxy_connections",] == 9
    assert found["pyproxy_upstream_up", ("route", "one"), ("upstream", "http://a")] == 1
    assert found["pyproxy_reloads_total", ("result", "ok")] == 2
    assert found["pyproxy_reloads_total", ("result", "failed")] == 1
    assert found["pyproxy_config_reload_timestamp_seconds",] == WALL - 12.0
    assert found["pyproxy_workers",] == 1
    build = (("python", platform.python_version()), ("version", __version__))
    assert found["pyproxy_build_info", *build] == 1
    assert found["pyproxy_jwks_keys", ("source", "https://issuer/jwks")] == 3
    assert found["pyproxy_certificate_expiry_timestamp_seconds",
                 ("bind", "[::]:5000"), ("file", "certs/a.crt")] > WALL  # fmt: skip


def test_buckets_are_cumulative():
    found = samples(snapshot())

    def bucket(end):
        return found["pyproxy_request_duration_seconds_bucket", ("le", end), ("route", "one")]

    assert [bucket(end) for end in ("0.005", "0.01", "0.02", "+Inf")] == [0, 9, 10, 10]
    assert found["pyproxy_request_duration_seconds_count", ("route", "one")] == 10
    assert found["pyproxy_request_duration_seconds_sum", ("route", "one")] == 1.5


def test_a_counter_without_labels_begins_at_nothing():
    found = samples(snapshot(report=Report()))

    for family in FAMILIES:
        assert family.labels or (family.name,) in found, family.name


def test_a_label_cannot_break_out_of_its_quotes():
    hostile = 'x"} 1\nevil_total{a="'
    now = snapshot(report=report(counters={(REQUESTS, (hostile, "GET", "2xx")): 1}))

    text = Exhibition().show(now, "").body.decode()
    assert "\nevil_total" not in text
    assert samples(now)[REQUESTS, ("method", "GET"), ("route", hostile), ("status", "2xx")] == 1


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        ("application/json", "text/plain; version=0.0.4"),
        (
            "Application/OpenMetrics-Text; version=none",
            "application/openmetrics-text; version=1.0.0",
        ),
        (OPEN, "application/openmetrics-text; version=1.0.0"),
        (",;=,;;version==", "text/plain; version=0.0.4"),
    ],
)
def test_the_form_is_negotiated(accept, content_type):
    answer = Exhibition().show(snapshot(), accept)

    assert answer.content_type.startswith(content_type)
    assert answer.body.endswith(b"# EOF\n") == ("openmetrics" in content_type)


def test_a_version_is_no_way_into_the_answers_head():
    answer = Exhibition().show(snapshot(), "application/openmetrics-text; version=1.0.0\r\nX: y")

    assert "\r" not in answer.content_type
    assert "\n" not in answer.content_type


def test_the_same_snapshot_is_rendered_once():
    exhibition, now = Exhibition(), snapshot()

    assert exhibition.show(now, "") is exhibition.show(now, "*/*")
    assert exhibition.show(snapshot(), "") is not exhibition.show(now, "")
