"""Requests on one connection get what each would have got on a connection of its own.

A connection remembers its last head, and what that settled (``downstream/repetition.py``,
``gateway/course.py``); nothing of it may reach a request that another head, another key,
another length or another gateway would have decided otherwise.
"""

from itertools import chain, count, permutations

import pytest
from hypothesis import given, strategies as st

from tests.fuzz import reading
from tests.fuzz.configuration import ALICE, BOB, MAX_BODY
from tests.fuzz.examples import examples

CAROL = "fuzz-carol-0123456789abcdef0123"
STARTS = (
    "GET /a HTTP/1.1", "GET /b HTTP/1.1", "POST /a HTTP/1.1", "POST /open/a HTTP/1.1",
    "GET /guarded/a HTTP/1.1", "POST /guarded/a HTTP/1.1", "GET /guarded/admin HTTP/1.1",
    "GET /a HTTP/1.0", "HEAD /a HTTP/1.1", "GET /a?key=" + BOB + " HTTP/1.1",
    "GET /health HTTP/1.1", "OPTIONS /a HTTP/1.1", "GET /open/../a HTTP/1.1",
)  # fmt: skip
KEYS = (
    "Authorization: Bearer " + ALICE, "Authorization: Bearer " + BOB, "x-api-key: " + BOB,
    "Authorization: Bearer " + CAROL, "Authorization: Bearer x" + ALICE, "X-None: 1",
)  # fmt: skip
LINES = (
    "X-A: b", "X-A: c", "X-Content-Length: 5", "X-Request-Id: given", "Connection: keep-alive",
    "Connection: X-A", "Cookie: a=b", "Expect: 100-continue", "Host: other", "TE: trailers",
    "Origin: https://app.example", "Access-Control-Request-Method: GET",
)  # fmt: skip
# How a length may be written, and what is none; ``{}`` is the number.
LENGTHS = (
    "Content-Length: {}", "Content-Length: {}", "Content-Length: 0{}", "Content-Length:{}",
    "content-length: {}", "Content-Length: {} ", "Content-Length: \t{}", "Content-Length: {},{}",
    "Content-Length: +{}", "Content-Length: {}\r\nContent-Length: {}", "Content_Length: {}",
    "Content-Length: 00000000000000000{}", "Content-Length: 000000000000000000{}",
    "Transfer-Encoding: chunked", "Content-Length: {}\r\nTransfer-Encoding: chunked", "",
)  # fmt: skip
SIZES = (0, 1, 4, 5, 9, 10, 11, 99, 100)


def head_of(start, key, lines, length, size, *, is_length_first):
    framing = [length.format(*[size] * length.count("{}"))] if length else []
    fields = [*framing, key, *lines] if is_length_first else [key, *lines, *framing]
    return "\r\n".join([start, "Host: gateway", *fields, "", ""]).encode()


def body_of(length, size):
    if "chunked" in length:
        return b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"c" * size) if size else b"0\r\n\r\n"
    return b"b" * size if "ontent-" in length else b""


@st.composite
def requests(draw):
    """A head, and the body that it says will follow."""
    length = draw(st.sampled_from(LENGTHS))
    size = draw(st.sampled_from(SIZES))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=2))
    start, key = draw(st.sampled_from(STARTS)), draw(st.sampled_from(KEYS))
    is_length_first = draw(st.booleans())
    return head_of(start, key, lines, length, size, is_length_first=is_length_first) + body_of(
        length, size
    )


@st.composite
def repetitions(draw):
    """One head over and over, but for its length, and now and then another letter or key."""
    start, key = draw(st.sampled_from(STARTS[:6])), draw(st.sampled_from(KEYS[:3]))
    line, is_length_first = draw(st.sampled_from(LINES[:7])), draw(st.booleans())
    found = []
    for length in draw(st.lists(st.sampled_from(LENGTHS), min_size=2, max_size=5)):
        match draw(st.sampled_from(["length", "length", "line", "key", "start"])):
            case "line":
                line = draw(st.sampled_from(LINES[:2]))
            case "key":
                key = draw(st.sampled_from(KEYS[:2]))
            case "start":
                start = draw(st.sampled_from(STARTS[:3]))
        size = draw(st.sampled_from(SIZES))
        head = head_of(start, key, [line], length, size, is_length_first=is_length_first)
        found.append(head + body_of(length, size))
    return found


# What changes between two requests: the keys in force, the gateway in force, the upstream.
NEW_KEYS = {
    "revoke bob": {"alice": ALICE},
    "all keys": {"alice": ALICE, "bob": BOB},
    "bob is carol": {"alice": BOB, "carol": CAROL},
    "alice is bob": {"bob": ALICE},
}
NEW_GATEWAY = {
    "reload": {"alice": ALICE, "bob": BOB},
    "reload without alice": {"bob": BOB},
    "reload otherwise": {"alice": ALICE, "bob": BOB, "otherwise": True},
}
EVENTS = st.sampled_from([*NEW_KEYS, *NEW_GATEWAY, "upstream leaves"])
COURSES = st.one_of(
    st.lists(st.one_of(requests(), EVENTS), min_size=2, max_size=8),
    st.lists(st.one_of(repetitions(), EVENTS), min_size=1, max_size=4),
    st.tuples(requests(), st.lists(EVENTS, max_size=3), requests()).map(
        lambda each: [each[0], *each[1], each[0], each[2], each[0]]
    ),
)


def happen(house, event):
    if event in NEW_KEYS:
        house.replace_keys(**NEW_KEYS[event])
    elif event in NEW_GATEWAY:
        house.reload(**NEW_GATEWAY[event])
    else:
        for end in house.upstreams:
            house.loop.do(end.transport.hang_up)


def walk(house, course, *, alone):
    """What each request of a course got: answer, what went up, and its record."""
    house.reload(alice=ALICE, bob=BOB)
    number = count(1)
    house.answer = lambda _, message: plain(next(number), message)
    found, client = [], None
    for step in course:
        if isinstance(step, str):
            happen(house, step)
            continue
        for request in step if isinstance(step, list) else [step]:
            if client is None or alone:
                client = house.client()
            found.append(ask(house, client, request))
            client = None if is_last(found[-1]) else client
    house.reset()
    return found


def plain(number, message):
    del number
    body = b"" if message.start[0] == b"HEAD" else b"yes"
    return b"HTTP/1.1 200 OK\r\nX-From: upstream\r\nContent-Length: 3\r\n\r\n" + body


def ask(house, client, request):
    before, asked, lines = len(client.got), len(house.asked), len(house.records)
    client.send(request)
    methods = [record["method"] or "GET" for record in house.records[lines:]]
    answers, rest, why = reading.answers(client.got[before:], methods)
    assert (rest, why) == (b"", "")
    records = [
        {name: each[name] for name in ("user", "route", "path", "status", "bytes_in", "code")}
        for each in house.records[lines:]
    ]
    ups = [
        (end.port, up.start, [pair for pair in up.fields if not made(*pair)], up.body)
        for end, up in house.asked[asked:]
    ]
    return [(each.start, _plain(each.fields), each.body) for each in answers], ups, records


def is_last(found):
    """Whether the connection ends with what was found."""
    return (b"connection", b"close") in found[0][-1][1]


def _plain(fields):
    return [pair for pair in fields if not made(*pair)]


def made(name, value):
    return name == b"x-request-id" and value.startswith(b"made-")


@examples(150)
@given(COURSES)
def test_each_request_gets_what_it_would_get_alone(house, course):
    assert walk(house, course, alone=False) == walk(house, course, alone=True)


@examples(50)
@given(st.lists(repetitions(), min_size=2, max_size=3))
def test_connections_that_take_turns_do_not_see_each_other(house, courses):
    house.reload(alice=ALICE, bob=BOB)
    alone = [walk(house, [course], alone=True) for course in courses]
    clients = [None] * len(courses)
    found = [[] for _ in courses]
    house.answer = plain
    for turn in range(max(map(len, courses))):
        for place, course in enumerate(courses):
            if turn < len(course):
                if not found[place] or is_last(found[place][-1]):
                    clients[place] = house.client()
                found[place].append(ask(house, clients[place], course[turn]))

    assert found == alone


@examples(50)
@given(st.lists(repetitions(), min_size=1, max_size=3).map(lambda each: [*chain(*each)]))
def test_requests_that_come_in_one_piece_get_what_they_would_get_alone(house, course):
    alone = walk(house, [course], alone=True)
    client = house.client()
    house.answer = plain
    client.send(b"".join(course))
    methods = [record["method"] or "GET" for record in house.records]
    answers, rest, why = reading.answers(client.got, methods)

    assert (rest, why) == (b"", "")
    expected = []
    for each in alone:
        expected += each[0]
        if is_last(each):
            break
    assert [(each.start, _plain(each.fields), each.body) for each in answers] == expected


def test_length_over_the_limit_is_refused_of_a_repeated_head_too(house):
    head = head_of(STARTS[2], KEYS[0], [], LENGTHS[0], 5, is_length_first=True)
    client = house.client()
    client.send(head + b"hello", head.replace(b": 5\r\n", b": %d\r\n" % (MAX_BODY + 1)))

    assert [each["status"] for each in house.records] == [200, 413]
    assert len(house.asked) == 1


@pytest.mark.parametrize("event", [*NEW_KEYS, *NEW_GATEWAY])
@pytest.mark.parametrize("start", STARTS[:6])
def test_nothing_settled_before_a_change_is_good_after_it(house, start, event):
    for key in KEYS:
        request = head_of(start, key, LINES[:1], LENGTHS[0], 0, is_length_first=True)
        course = [request, event, request, request, "all keys", request]

        assert walk(house, course, alone=False) == walk(house, course, alone=True)


@pytest.mark.parametrize("is_length_first", [True, False], ids=["length first", "length last"])
def test_heads_of_one_size_are_not_taken_for_each_other(house, is_length_first):
    heads = [
        head_of(start, key, [line], LENGTHS[0], size, is_length_first=is_length_first)
        + body_of(LENGTHS[0], size)
        for start in STARTS[:2]
        for key in KEYS[:2]
        for line in LINES[:2]
        for size in (4, 5)
    ]
    for first, second in permutations(heads, 2):
        assert walk(house, [first, second], alone=False) == walk(house, [first, second], alone=True)
