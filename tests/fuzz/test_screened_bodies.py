"""However a body comes, and whatever happens meanwhile: its model is allowed, or it never ends.

Bodies are made of parts that name good models, bad ones, none or several, are cut anywhere, and
come while the upstream answers early, stalls or leaves, and the gateway is reloaded.
"""

import json

from hypothesis import given, strategies as st

from tests.fuzz.configuration import ALICE, BOB, HEADER_TIMEOUT, IDLE_TIMEOUT, READ_TIMEOUT
from tests.fuzz.examples import examples
from tests.fuzz.through import plain_answer

HARMLESS = [
    '"x": {"model": "bad"}', '"x": [[[[[[["model", {"a": "}"}]]]]]]]', '"x": "}"', '"x": -1.5e+10',
    '"x": "\\"model\\": \\"bad\\""', '"é": "\\ud83d\\ude00 \\\\"',
    '"x": "' + 30_000 * "y" + '"', '"x": [' + 5000 * "[],[{}]," + "1]",
]  # fmt: skip
GOOD = ['"model": "good-1"', '"mod\\u0065l": "good-1"']
BAD = [
    '"model": "bad"', '"mod\\u0065l": "bad"', '"Model": "bad"', '"model": "fine-1"',
    '"model": null', '"x": tru', "",
]  # fmt: skip


def bodies(parts, ends, tails):
    """Objects with such members, and what comes behind them."""
    return st.builds(
        lambda members, comma, end, tail: ("{" + comma.join(members) + end + tail).encode(),
        st.lists(st.sampled_from(parts), min_size=1, max_size=5),
        st.sampled_from([",", ", ", "\n,\r\n\t"]),
        st.sampled_from(ends),
        st.sampled_from(tails),
    )


BODIES = st.one_of(
    bodies(GOOD * 4 + HARMLESS, ["}"], ["", "\n", " " * 20_000]),
    bodies(
        GOOD * 4 + HARMLESS + BAD, ["}", "}", "", "]"], ["", "", "{}", '{"model": "bad"}', "\0"]
    ),
)
PEACEFUL = ["nothing", "nothing", "reloads otherwise", "reloads", "a second passes"]
DISTURBING = ["answers", "begins", "stalls", "flows", "hangs up", "breaks off"]
CALLS = {"stalls": "stall", "flows": "flow", "hangs up": "hang_up"}
# Of the loop, until the next thing happens; 0: all that there are.
TURNS = st.sampled_from([0, 0, 1, 2, 3, 5, 8])
KEY = b"Host: a\r\nAuthorization: Bearer " + ALICE.encode() + b"\r\n"
EARLY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly"


def happen(house, event):
    end = house.upstreams[-1].transport if house.upstreams else None
    match event:
        case "answers" if end:
            house.loop.call_soon(end.arrive, EARLY)
        case "begins" if end:
            house.loop.call_soon(end.arrive, EARLY[:-2])
        case "stalls" | "flows" | "hangs up" if end:
            house.loop.call_soon(getattr(end, CALLS[event]))
        case "breaks off" if end:
            house.loop.do(end.break_off)
        case "reloads otherwise" | "reloads":
            house.reload(otherwise="otherwise" in event, alice=ALICE, bob=BOB)
        case "a second passes":
            house.loop.advance(1.0)


def turn(house, count):
    if not count:
        house.loop.settle()
    for _ in range(count):
        house.loop.call_soon(house.loop.stop)
        house.loop.run_forever()


def is_good(body):
    """What everybody reads as an object that asks for nothing but a good model."""
    try:
        pairs = json.loads(body.decode(), object_pairs_hook=list)
    except ValueError:
        return False
    if not body.lstrip().startswith(b"{"):
        return False
    models = [value for name, value in pairs if name.lower() == "model"]
    return set(map(str, models)) == {"good-1"} and b'"Model"' not in body


@examples(250)
@given(st.data(), BODIES, st.booleans())
def test_a_body_that_ends_upstream_asks_for_an_allowed_model(house, data, body, is_chunked):
    try:
        run(house, data, body, is_chunked)
    finally:
        house.reset()


def run(house, data, body, is_chunked):
    house.reload(alice=ALICE, bob=BOB)
    house.answer = lambda _, __: ()
    client = house.client()
    is_disturbed = data.draw(st.booleans(), "is disturbed")
    events = st.sampled_from(PEACEFUL + DISTURBING if is_disturbed else PEACEFUL)
    for piece in pieces_of(data, body, is_chunked=is_chunked):
        if client.transport.end:
            break
        house.loop.call_soon(client.transport.arrive, piece)
        turn(house, data.draw(TURNS, "turns"))
        happen(house, data.draw(events, "event"))
        house.judge()
    house.loop.settle()

    assert all(message.body == body for _, message in house.asked)
    assert not house.asked or is_good(body)
    if is_good(body) and not is_disturbed:
        assert_answered(house, client)
    house.loop.advance(HEADER_TIMEOUT + READ_TIMEOUT + 3 * IDLE_TIMEOUT)
    house.judge()
    assert client.transport.is_over


def pieces_of(data, body, *, is_chunked):
    """A request in the pieces that it comes in."""
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=6).map(sorted), "cuts")
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) if a < b]
    framing = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % len(body)
    if is_chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
    head = b"POST /choosy/a HTTP/1.1\r\nContent-Type: application/json\r\n%b%b\r\n\r\n"
    head %= KEY, framing
    if data.draw(st.booleans(), "head comes with the body"):
        return [head + pieces[0], *pieces[1:]]
    return [head, *pieces]


def assert_answered(house, client):
    """It is whole, and so is the next request of the connection."""
    assert len(house.asked) == 1
    house.loop.do(house.upstreams[-1].transport.arrive, plain_answer(1, house.asked[0][1]))
    assert client.got.startswith(b"HTTP/1.1 200 ")
    client.send(b"GET /a HTTP/1.1\r\n" + KEY + b"\r\n")
    assert len(house.asked) == 2
