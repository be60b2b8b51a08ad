import re

import pytest

from pyproxy.telemetry.request_trace import Sampler
from pyproxy.wire.head import read_request_head

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def head_with(*lines):
    text = "\r\n".join(["GET / HTTP/1.1", "Host: gateway.example:5000", *lines, "", ""])
    return read_request_head(text.encode())


def test_a_trace_that_was_begun_elsewhere_goes_on():
    head = head_with(f"traceparent: 00-{TRACE}-{SPAN}-01", "tracestate: a=1")
    trace = Sampler(0.0).begin(head, is_tls=True)
    attempt = trace.attempt("127.0.0.1:80", 1.0)

    assert (trace.trace_id, trace.parent_id, trace.is_sampled) == (TRACE, SPAN, True)
    assert (trace.scheme, trace.host) == ("https", b"gateway.example:5000")
    assert len({trace.span_id, attempt.span_id, SPAN}) == 3
    sent = f"traceparent: 00-{TRACE}-{attempt.span_id}-01\r\ntracestate: a=1\r\n"
    assert trace.lines() == sent.encode()


def test_one_that_is_not_recorded_there_is_not_recorded_here():
    trace = Sampler(1.0).begin(head_with(f"traceparent: 00-{TRACE}-{SPAN}-00"), is_tls=False)
    trace.attempt("a:1", 0.0)

    assert not trace.is_sampled
    assert re.fullmatch(rb"traceparent: 00-%b-[0-9a-f]{16}-00\r\n" % TRACE.encode(), trace.lines())


def test_a_trace_begins_here_without_one_from_elsewhere():
    traces = [Sampler(1.0).begin(head_with("tracestate: a=1"), is_tls=False) for _ in range(100)]
    trace = traces[0]
    trace.attempt("a:1", 0.0)

    assert len({each.trace_id for each in traces}) == 100
    assert (trace.parent_id, trace.state, trace.scheme) == ("", b"", "http")
    assert re.fullmatch(rb"traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-03\r\n", trace.lines())


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(0.0, 0, 0), (0.5, 300, 700), (1.0, 1000, 1000)]
)
def test_of_the_traces_that_begin_here_a_share_is_recorded(ratio, least, most):
    sampler, head = Sampler(ratio), head_with()
    recorded = sum(sampler.begin(head, is_tls=False).is_sampled for _ in range(1000))

    assert least <= recorded <= most


def test_each_attempt_is_a_span_of_its_own():
    trace = Sampler(1.0).begin(head_with(), is_tls=False)
    first = trace.attempt("a:1", 1.0)
    before = trace.lines()
    second = trace.attempt("b:2", 2.0)

    assert trace.attempts == [first, second]
    assert first.span_id.encode() in before
    assert second.span_id.encode() in trace.lines()
