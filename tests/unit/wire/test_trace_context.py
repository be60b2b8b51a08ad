import pytest

from pyproxy.wire.head import read_request_head
from pyproxy.wire.trace_context import TraceContext, read_trace_context

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def context_of(*lines):
    text = "\r\n".join(["GET / HTTP/1.1", "Host: a", *lines, "", ""])
    return read_trace_context(read_request_head(text.encode("latin-1")))


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        pytest.param(GOOD, 1, id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", 0, id="not sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-03", 3, id="sampled, of a random id"),
        pytest.param(f"00-{TRACE}-{SPAN}-ff", 3, id="flags without a meaning"),
        pytest.param(f"01-{TRACE}-{SPAN}-01", 1, id="a later version"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what.the.future.brings", 1, id="one that says more"),
    ],
)
def test_a_good_traceparent_is_read(value, flags):
    assert context_of(f"Traceparent:  {value} ") == TraceContext(TRACE, SPAN, flags, b"")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((), id="none"),
        pytest.param(("traceparent:",), id="empty"),
        pytest.param((f"traceparent: {GOOD}", f"traceparent: {GOOD}"), id="twice"),
        pytest.param((f"traceparent: {GOOD.upper()}",), id="upper case"),
        pytest.param((f"traceparent: ff-{TRACE}-{SPAN}-01",), id="version ff"),
        pytest.param((f"traceparent: {GOOD}-more",), id="version 00 that says more"),
        pytest.param((f"traceparent: cc-{TRACE}-{SPAN}-01.more",), id="no dash before more"),
        pytest.param((f"traceparent: 00-{'0' * 32}-{SPAN}-01",), id="no trace"),
        pytest.param((f"traceparent: 00-{TRACE}-{'0' * 16}-01",), id="no span"),
        pytest.param((f"traceparent: 00-{TRACE[1:]}-{SPAN}-01",), id="short trace id"),
        pytest.param((f"traceparent: 00-{TRACE}-{SPAN}-1",), id="short flags"),
        pytest.param((f"traceparent: 0-{TRACE}-{SPAN}-01",), id="short version"),
        pytest.param((f"traceparent: {GOOD},{GOOD}",), id="a list"),
        pytest.param((f"traceparent: 00-{TRACE}-{SPAN}-0\xe9",), id="beyond ASCII"),
        pytest.param(("tracestate: a=1",), id="a state without a trace"),
    ],
)
def test_a_bad_traceparent_is_none(lines):
    assert context_of(*lines) is None


def test_the_state_is_kept_as_it_came():
    state = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"

    assert context_of(f"traceparent: {GOOD}", f"tracestate: {state}").state == state.encode()


def test_several_states_are_one_list_in_their_order():
    lines = ("tracestate: a=1 ", "tracestate:", "X: y", "TraceState: b=2, c=3")

    assert context_of(f"traceparent: {GOOD}", *lines).state == b"a=1,b=2, c=3"
