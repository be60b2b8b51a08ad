"""Spans of finished requests, as they leave for a collector."""

import pytest

from pyproxy.telemetry.record import Record
from pyproxy.telemetry.request_trace import RequestTrace
from pyproxy.telemetry.spans import OtlpExporter
from pyproxy.telemetry.tracer import Finished, TraceRules
from tests.collector import Collector

TRACE, PARENT, SPAN = "a" * 32, "b" * 16, "c" * 16


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


def finished(host=b"a.example:8443", **values):
    trace = RequestTrace(TRACE, SPAN, PARENT, 1, b"", "https", host)
    record = Record(
        **{"request_id": "1", "route": "main", "method": "POST", "status": 200, **values}
    )
    record.trace = trace
    return Finished(trace, record, 100.0, 100.5, 1_790_000_000.0)


def sent(collector, one, **rules):
    exporter = OtlpExporter(TraceRules(collector.url, **rules), "1.2.3")
    assert exporter.export([one]) == ""
    exporter.close()
    return collector.wait_for(1 + len(one.trace.attempts))


@pytest.fixture(autouse=True)
def _whenever(monkeypatch):
    monkeypatch.setattr("tests.collector.time.time", lambda: 1_790_000_000.0)


def test_moments_are_told_by_the_requests_end(collector):
    one = finished()
    attempt = one.trace.attempt("10.0.0.1:443", 100.125)
    attempt.ended, attempt.status = 100.25, 200
    server, client = sent(collector, one)

    assert (server.started, server.seconds) == (1_790_000_000.0 - 0.5, 0.5)
    assert (client.started, client.seconds) == (1_790_000_000.0 - 0.375, 0.125)
    assert (server.resource["service.version"], server.attributes["server.port"]) == ("1.2.3", 8443)


def test_an_attempt_that_has_no_end_ends_with_the_request(collector):
    one = finished(status=502, code="upstream_protocol_error")
    one.trace.attempt("[::1]:80", 100.0)
    server, client = sent(collector, one)

    assert client.seconds == 0.5
    assert client.is_error
    assert (client.attributes["server.address"], client.attributes["server.port"]) == ("::1", 80)
    assert server.attributes["error.type"] == "upstream_protocol_error"


def test_users_are_named_only_where_that_is_asked_for(collector):
    assert "enduser.id" not in sent(collector, finished(user="alice"))[0].attributes
    [_, named] = [
        sent(collector, finished(user="alice"), names_users=True),
        collector.wait_for(2)[1],
    ]
    assert named.attributes["enduser.id"] == "alice"


@pytest.mark.parametrize(
    "host", [b"", b"[", b"a:b", b"a:99999", b"\xff\xfe", b"x" * 9000], ids=repr
)
def test_a_host_that_is_none_is_none_or_cut(collector, host):
    [span] = sent(collector, finished(host=host, path="/" + "x" * 9000))

    assert len(str(span.attributes.get("server.address", ""))) <= 256
    assert len(span.attributes["url.path"]) == 256


def test_an_answer_that_broke_off_is_an_error(collector):
    [span] = sent(collector, finished(is_aborted=True))

    assert span.is_error


def test_a_collector_that_refuses_is_a_reason(collector):
    collector.status = 400
    exporter = OtlpExporter(TraceRules(collector.url), "1")

    assert exporter.export([finished()]) == "the collector did not take them"
    exporter.close()
