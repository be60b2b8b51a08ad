import threading

import pytest

from pyproxy.telemetry import tracer as module
from pyproxy.telemetry.record import Record
from pyproxy.telemetry.tracer import Tracer, TraceRules
from pyproxy.wire.head import read_request_head

HEAD = read_request_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
RULES = TraceRules("http://127.0.0.1:4318/v1/traces")


class Collector:
    """Takes batches, or says why not; may be made to wait."""

    def __init__(self):
        self.problem = ""
        self.batches = []
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()
        self.go.set()
        self.is_closed = threading.Event()

    def export(self, batch):
        self.asked.release()
        self.go.wait()
        if self.problem == "raises":
            raise ValueError("no reason")
        self.batches.append([each.record.request_id for each in batch])
        return self.problem

    def close(self):
        self.is_closed.set()


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.go.set()


@pytest.fixture
def told():
    return []


@pytest.fixture
def tracer(collector, told):
    tracer = Tracer(RULES, lambda _: collector, told.append, gather_s=0.0)
    yield tracer
    collector.go.set()
    tracer.close()


def put(tracer, name="1"):
    trace = tracer.begin(HEAD, is_tls=False)
    tracer.put(Record(request_id=name, trace=trace), 1.0, 2.0, 1000.0)


def test_requests_are_sent_together_and_in_their_order(collector, told):
    tracer = Tracer(RULES, lambda _: collector, told.append, gather_s=60.0)
    for n in range(300):
        put(tracer, str(n))
    tracer.close()

    assert [len(each) for each in collector.batches] == [256, 44]
    assert [name for each in collector.batches for name in each] == [str(n) for n in range(300)]
    assert collector.is_closed.is_set()
    assert (tracer.dropped_total, told) == (0, [])


def test_a_request_is_sent_without_waiting_for_the_end(tracer, collector):
    put(tracer)

    assert collector.asked.acquire(timeout=5.0)


def test_what_is_not_recorded_is_not_sent(collector, told):
    tracer = Tracer(TraceRules("x", sample=0.0), lambda _: collector, told.append)
    put(tracer)
    tracer.put(Record(), 1.0, 2.0, 1000.0)
    tracer.close()

    assert collector.batches == []
    assert tracer._thread is None


def test_a_collector_that_hangs_costs_no_more_than_the_bound(tracer, collector, monkeypatch):
    monkeypatch.setattr(module, "MAX_PENDING", 10)
    collector.go.clear()
    put(tracer)
    assert collector.asked.acquire(timeout=5.0)
    for _ in range(50):
        put(tracer)

    assert len(tracer._pending) == 10
    assert tracer.dropped_total == 40

    tracer.close(timeout_s=0.01)

    assert collector.is_closed.is_set()


@pytest.mark.parametrize(("problem", "reason"), [("refused", "refused"), ("raises", "ValueError")])
def test_a_collector_that_takes_nothing_is_said_once_and_its_return_too(
    tracer, collector, told, problem, reason
):
    collector.problem = problem
    for _ in range(3):
        put(tracer)
        assert collector.asked.acquire(timeout=5.0)
    collector.problem = ""
    put(tracer)
    tracer.close()

    assert told == [reason, ""]
    assert 3 <= tracer.dropped_total + len(collector.batches[-1]) <= 4


def test_at_the_end_a_collector_that_takes_nothing_is_asked_once(collector, told, monkeypatch):
    monkeypatch.setattr(module, "MAX_BATCH", 10)
    collector.problem = "refused"
    tracer = Tracer(RULES, lambda _: collector, told.append, gather_s=60.0)
    for n in range(35):
        put(tracer, str(n))
    tracer.close()

    assert len(collector.batches) == 1
    assert tracer.dropped_total == 35


def test_what_comes_after_the_end_is_counted(tracer):
    tracer.close()
    put(tracer)

    assert tracer.dropped_total == 1


def test_rules_do_not_show_the_collectors_key():
    assert "secret" not in repr(TraceRules("x", headers=(("Authorization", "secret"),)))
