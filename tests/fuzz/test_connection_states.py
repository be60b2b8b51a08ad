"""Whatever happens in whatever order: nothing escapes, nothing stays, nothing grows.

Clients send, stall and leave, upstreams answer, stall and break off, time passes, the
gateway is reloaded and drained; each event at any moment.
"""

import json

from hypothesis import given, strategies as st

from pyproxy.downstream.body import HELD_BYTES
from pyproxy.downstream.connection import MAX_PIPELINED
from tests.fuzz.configuration import (
    ALICE,
    BOB,
    HEADER_TIMEOUT,
    IDLE_TIMEOUT,
    MODEL_PEEK,
    READ_TIMEOUT,
)
from tests.fuzz.examples import examples
from tests.fuzz.still import HIGH_WATER
from tests.fuzz.through import plain_answer

KEY = b"Host: a\r\nAuthorization: Bearer " + ALICE.encode() + b"\r\n"
PIECE = 72_000  # more than the longest read below


def _chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


SENT = {
    "get": b"GET /a HTTP/1.1\r\n" + KEY + b"\r\n",
    "get 1.0": b"GET /a HTTP/1.0\r\n" + KEY + b"\r\n",
    "open": b"GET /open/a HTTP/1.1\r\nHost: a\r\n\r\n",
    "beating": b"GET /beating/a HTTP/1.1\r\n" + KEY + b"\r\n",
    "beating 1.0": b"GET /beating/a HTTP/1.0\r\n" + KEY + b"\r\n",
    "head": b"HEAD /a HTTP/1.1\r\n" + KEY + b"\r\n",
    "health": b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "stranger": b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    "closing": b"GET /a HTTP/1.1\r\nConnection: close\r\n" + KEY + b"\r\n",
    "short post": b"POST /a HTTP/1.1\r\n" + KEY + b"Content-Length: 5\r\n\r\nhello",
    "begun post": b"POST /a HTTP/1.1\r\n" + KEY + b"Content-Length: 50000\r\n\r\n",
    "long post": b"POST /a HTTP/1.1\r\n" + KEY + b"Content-Length: 200000\r\n\r\n",
    "too long": b"POST /a HTTP/1.1\r\n" + KEY + b"Content-Length: 300000\r\n\r\n",
    "expecting": b"POST /a HTTP/1.1\r\n"
    + KEY
    + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "chunked": b"POST /a HTTP/1.1\r\n" + KEY + b"Transfer-Encoding: chunked\r\n\r\n",
    "chunk": b"5\r\nhello\r\n",
    "long chunk": b"%x\r\n%b\r\n" % (30_000, b"c" * 30_000),
    "last chunk": b"0\r\n\r\n",
    "half a head": b"GET /a HTTP/1.1\r\nHost:",
    "letters": b"hello",
    "many letters": b"b" * 25_000,
    "empty lines": b"\r\n\r\n",
    "many gets": (b"GET /a HTTP/1.1\r\n" + KEY + b"X-A: " + b"a" * 7000 + b"\r\n\r\n") * 10,
    "nonsense": b"\x16\x03\x01\x00\r\n\r\n",
    "choosy": b"POST /choosy/a HTTP/1.1\r\nContent-Type: application/json\r\n"
    + KEY
    + b"Transfer-Encoding: chunked\r\n\r\n",
    "choosy expecting": b"POST /choosy/a HTTP/1.1\r\nContent-Type: application/json\r\n"
    + KEY
    + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
    "begun object": _chunk(b"{"),
    "good model": _chunk(b'"model": "good-1",'),
    "bad model": _chunk(b'"model": "bad-1",'),
    "long member": _chunk(b'"x": "%b",' % (b"y" * 30_000)),
    "slow member": _chunk(b'"x": [%b1],' % (b"[[[[[[]]]]]]," * 2000)),
    "ended object": _chunk(b'"z": 1}'),
}
SAID = {
    "answer": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "farewell": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "early": b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "begun": b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "unframed": b"HTTP/1.1 200 OK\r\n\r\n",
    "events": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n",
    "event": b"9\r\ndata: a\n\n\r\n",
    "nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
    "chunk": b"5\r\nhello\r\n",
    "long chunk": b"%x\r\n%b\r\n" % (40_000, b"c" * 40_000),
    "last chunk": b"0\r\nX-Sum: 1\r\n\r\n",
    "letters": b"a" * 40_000,
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "nonsense": b"what\r\n\r\n",
}
CLIENT = ("stall", "flow", "hang_up", "break_off")
EVENTS = st.one_of(
    st.tuples(st.just("sends"), st.sampled_from(sorted(SENT))),
    st.tuples(st.just("sends"), st.sampled_from(sorted(SENT))),
    st.tuples(st.just("says"), st.sampled_from(sorted(SAID))),
    st.tuples(st.just("says"), st.sampled_from(sorted(SAID))),
    st.tuples(st.just("client"), st.sampled_from(CLIENT)),
    st.tuples(st.just("upstream"), st.sampled_from(CLIENT)),
    st.tuples(st.just("passes"), st.sampled_from([0.01, 0.25, 3.0, 9.9, 10.1, 31.0, 76.0])),
    st.tuples(
        st.just("house"),
        st.sampled_from(
            ["connect", "answer", "refuse", "reload", "revoke", "leave", "drain", "dawdle"]
        ),
    ),
)
# Where some courses begin, since chance seldom comes this far.
BEGINNINGS = st.sampled_from(
    [
        "",
        "sends get, says begun",
        "sends get, says chunked, client stall, says long chunk, says long chunk",
        "sends get 1.0, says unframed, client stall, says letters, says letters",
        "sends begun post, upstream stall, sends many letters, says begun",
        "sends chunked, upstream stall, sends long chunk, sends long chunk, sends long chunk",
        "sends get, client stall, says begun" + ", says letters" * 8,
        "sends get, sends many gets, client stall",
        "house answer, sends get, sends get, sends short post",
        "house dawdle, sends long post, sends many letters, sends many letters, sends many letters",
        "sends expecting, says continue, sends letters",
        "sends beating, says events, says event",
        "sends beating, says events, client stall, says long chunk, says long chunk",
        "sends beating 1.0, says events, sends beating",
        "sends choosy, sends begun object, sends good model, sends ended object, sends last chunk",
        "sends choosy, sends begun object, sends long member, sends slow member, sends bad model",
        "sends choosy, sends begun object, sends good model, upstream stall, sends slow member",
        "house dawdle, sends choosy, sends begun object" + ", sends long member" * 5,
        "sends choosy expecting, sends begun object, sends long member, says continue",
    ]
).map(lambda text: [tuple(each.split(" ", 1)) for each in text.split(", ") if each])
COURSES = st.tuples(BEGINNINGS, st.lists(EVENTS, max_size=10)).map(
    lambda each: [*each[0], *each[1]]
)


def happen(house, event):
    """One thing."""
    kind, what = event
    client = house.clients[-1].transport
    upstream = house.upstreams[-1].transport if house.upstreams else None
    match kind:
        case "sends":
            house.loop.do(client.arrive, SENT[what])
        case "says" if upstream:
            house.loop.do(upstream.arrive, SAID[what])
        case "client":
            house.loop.do(getattr(client, what))
        case "upstream" if upstream:
            house.loop.do(getattr(upstream, what))
        case "passes":
            house.loop.advance(what)
        case "house":
            change(house, what)


UPSTREAMS = {
    "answer": ("answer", plain_answer),
    "refuse": ("is_refusing", True),
    "dawdle": ("dawdles_s", 3.0),
}


def change(house, what):
    match what:
        case "connect" if len(house.clients) < 3:
            house.client()
        case "answer" | "refuse" | "dawdle":
            setattr(house, *UPSTREAMS[what])
        case "reload":
            house.reload(alice=ALICE, bob=BOB)
        case "revoke":
            house.replace_keys(bob=BOB)
        case "leave":
            house.port.is_leaving = True
        case "drain":
            house.loop.do(house.port.drain)


def assert_bounded(house):
    """What waits is within its bounds, give or take what one read brings."""
    for client in house.clients:
        assert len(client.connection._incoming) <= MAX_PIPELINED + 2 * PIECE
        assert client.transport.unsent <= HIGH_WATER + 2 * PIECE
        exchange = client.connection._exchange
        if exchange is not None:
            assert exchange.body._held_bytes <= HELD_BYTES + PIECE
            if exchange._screen is not None:
                held = sum(map(len, exchange._screen._held))
                assert held <= max(HELD_BYTES, MODEL_PEEK) + PIECE
    served = sum(not end.transport.end for end in house.upstreams) - house.idle_upstreams
    assert served <= sum(not client.transport.end for client in house.clients)
    for end in house.upstreams:
        assert end.transport.unsent <= HIGH_WATER + HELD_BYTES + 2 * PIECE


@examples(600)
@given(COURSES)
def test_any_course_of_events_comes_to_a_good_end(house, events):
    try:
        run(house, events)
    finally:
        house.reset()


def run(house, events):
    house.reload(alice=ALICE, bob=BOB)
    house.answer = lambda _, __: ()
    house.client()
    for event in events:
        happen(house, event)
        house.judge()
        assert_bounded(house)
        assert_models_are_good(house)
    house.loop.advance(HEADER_TIMEOUT + 3 * IDLE_TIMEOUT)
    waiting = sum(what == "many gets" for _, what in events) * 10 + len(events)
    house.loop.advance(READ_TIMEOUT * waiting)  # each of them may wait for its upstream in vain

    assert [client.transport.is_over for client in house.clients] == [True] * len(house.clients)
    assert house.begun == len(house.records)
    assert_models_are_good(house)


def assert_models_are_good(house):
    """Nothing else is ever asked for where only good models may be."""
    for _, message in house.asked:
        if message.start[1].startswith(b"/choosy"):
            asked = json.loads(message.body, object_pairs_hook=list)
            assert {value for name, value in asked if name == "model"} == {"good-1"}


# --- What the courses found


def test_pipelined_requests_do_not_pile_up_while_they_are_answered(house):
    client, held = house.client(), []
    piece = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
    client.transport._arrived.extend([piece] * 6)
    house.loop.call_soon(client.transport._deliver)
    while house.loop._ready and len(house.records) < 500:
        house.loop.call_soon(house.loop.stop)
        house.loop.run_forever()
        held.append(len(client.connection._incoming))

    assert max(held) <= MAX_PIPELINED + 2 * len(piece)


def test_client_that_half_closes_and_does_not_read_is_served_no_more_and_cut(house):
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    house.answer = lambda number, _: said if number == 1 else ()
    client = house.client()
    house.loop.do(client.transport.stall)
    client.send(SENT["get"], SENT["get"])
    client.leave()

    assert [each["status"] for each in house.records] == [200, 499]
    house.loop.advance(READ_TIMEOUT + 100)
    assert client.transport.is_over


def test_upstream_that_half_closes_and_does_not_read_ends_the_request_at_once(house):
    house.answer = lambda _, __: ()
    client = house.client()
    client.send(b"POST /a HTTP/1.1\r\n" + KEY + b"Content-Length: 9000\r\n\r\n")
    upstream = house.upstreams[0].transport
    house.loop.do(upstream.stall)
    client.send(b"b" * 5000)
    house.loop.do(upstream.hang_up)

    assert [each["status"] for each in house.records] == [502]
