"""Answers on one upstream connection mean what each would have meant on one of its own.

A connection to an upstream remembers the last answer's head, its lines, and what the client's
head was made of it; nothing of it may reach another client, method, route or origin.
"""

from hypothesis import given, strategies as st

from tests.fuzz import reading
from tests.fuzz.configuration import ALICE
from tests.fuzz.examples import examples

KEY = f"Host: a\r\nAuthorization: Bearer {ALICE}\r\n"
ASKED = st.sampled_from(
    [
        f"GET /a HTTP/1.1\r\n{KEY}\r\n",
        f"GET /a HTTP/1.1\r\n{KEY}\r\n",
        f"HEAD /a HTTP/1.1\r\n{KEY}\r\n",
        f"HEAD /a HTTP/1.1\r\n{KEY}\r\n",
        f"GET /a HTTP/1.0\r\n{KEY}\r\n",
        f"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n{KEY}\r\n",
        f"GET /a HTTP/1.1\r\n{KEY}Origin: https://app.example\r\n\r\n",
        f"GET /a HTTP/1.1\r\n{KEY}Origin: https://evil.example\r\n\r\n",
        f"GET /a HTTP/1.1\r\n{KEY}X-Request-Id: given\r\nTE: trailers\r\n\r\n",
        f"GET /open/a HTTP/1.1\r\n{KEY}\r\n",
        f"POST /a HTTP/1.1\r\n{KEY}Content-Length: 2\r\n\r\nok",
        f"GET /a HTTP/1.1\r\n{KEY}Connection: close\r\n\r\n",
    ]
)
LINES = st.lists(
    st.sampled_from(
        [
            b"X-A: b\r\n", b"X-A: b \r\n", b"x-a: b\r\n", b"X-A: c\r\n", b"Date: today\r\n",
            b"X-Request-Id: theirs\r\n", b"Connection: X-A\r\n", b"Connection: keep-alive\r\n",
            b"Set-Cookie: a=b\r\n", b"Set-Cookie: c=d\r\n", b"Access-Control-Allow-Origin: *\r\n",
            b"Vary: Origin\r\n", b"Keep-Alive: timeout=9\r\n", b"Server: x\r\n",
        ]
    ),
    max_size=2,
).map(b"".join)  # fmt: skip
STARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 No",
        b"HTTP/1.1 204 N",
        b"HTTP/1.1 304 N",
    ]
)
BODIES = st.sampled_from(
    [
        (b"Content-Length: 2\r\n", b"ok"),
        (b"Content-Length: 2\r\n", b"ok"),
        (b"Content-Length: 2\r\n", b"ok"),
        (b"Content-Length: 2\r\n", b"no"),
        (b"content-length: 02\r\n", b"ok"),
        (b"Content-Length: 0\r\n", b""),
        (b"Content-Length: 2\r\nContent-Length: 2\r\n", b"ok"),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"),
        (b"Content-Length: 5\r\n", b"ok"),
    ]
)
INTERIM = st.sampled_from([b"", b"", b"HTTP/1.1 103 Hints\r\nX-A: b\r\n\r\n"])


@st.composite
def turns(draw):
    """Requests, and what is answered to each: few different heads, and often the last one."""
    heads = draw(st.lists(st.tuples(INTERIM, STARTS, LINES, BODIES), min_size=1, max_size=2))
    picked = draw(st.lists(st.sampled_from(heads), min_size=3, max_size=7))
    return [(draw(ASKED).encode(), answer) for answer in picked]


def answer_to(asked, answer):
    """The bytes of an answer, without a body where none may follow."""
    interim, start, lines, (framing, body) = answer
    is_bodiless = asked.startswith(b"HEAD") or b" 204 " in start + b" " or b" 304 " in start + b" "
    return interim + start + b"\r\n" + lines + framing + b"\r\n" + (b"" if is_bodiless else body)


def walk(house, course, *, alone):
    """What the clients were told."""
    told = []
    for asked, answer in course:
        said = answer_to(asked, answer)
        house.answer = lambda _, __, said=said: said
        client = house.client()
        client.send(asked)
        if len(house.records) < len(house.clients):
            house.loop.advance(31.0)  # what is not whole is given up
        told.append(what_was_told(house, client, asked))
        if alone:
            for end in house.upstreams:
                house.loop.do(end.transport.break_off)
    connections = len(house.upstreams)
    house.loop.advance(120.0)
    house.reset()
    return told, connections


def what_was_told(house, client, asked):
    method = asked.partition(b" ")[0].decode()
    answers, rest, why = reading.answers(client.got, [method])
    record = house.records[-1]
    fields = [
        [pair for pair in answer.fields if not pair[1].startswith(b"made-")] for answer in answers
    ]
    return (
        [(answer.start, answer.body, answer.trailers) for answer in answers], fields, len(rest),
        why, client.transport.end, record["status"], record["aborted"], record["bytes_out"],
        client.got.count(b"HTTP/1.1 103"),
    )  # fmt: skip


@examples(150)
@given(turns())
def test_each_answer_means_what_it_would_mean_alone(house, course):
    together, shared = walk(house, course, alone=False)
    alone, _ = walk(house, course, alone=True)

    assert together == alone
    assert shared <= len(course)


def test_a_connection_is_used_again_at_all(house):
    asked = f"GET /a HTTP/1.1\r\n{KEY}\r\n".encode()
    answer = (b"", b"HTTP/1.1 200 OK", b"X-A: b\r\n", (b"Content-Length: 2\r\n", b"ok"))

    assert walk(house, [(asked, answer)] * 3, alone=False)[1] == 1
