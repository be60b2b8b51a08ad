"""Whatever an upstream says, the client gets 502 or 504, the same answer, or one that is cut.

How the request was, in which pieces the answer comes and how the connection ends is drawn
from the bytes themselves, so that a corpus of plain answers does.
"""

import zlib
from dataclasses import dataclass

from tests.fuzz import reading
from tests.fuzz.configuration import ALICE, READ_TIMEOUT
from tests.fuzz.mutation import split
from tests.fuzz.through import plain_answer

METHODS = ("GET", "GET", "HEAD", "POST")
VERSIONS = ("1.1", "1.1", "1.0")
ENDINGS = ("close", "reset", "silence")
# What the gateway sets itself, or never passes on.
OURS = frozenset(
    b"date x-request-id server alt-svc connection keep-alive proxy-connection te trailer upgrade "
    b"transfer-encoding content-length http2-settings proxy-authenticate x-frame-options "
    b"x-content-type-options x-xss-protection referrer-policy content-security-policy "
    b"strict-transport-security vary".split()
)
MUST_TRAVEL = frozenset(b"content-type set-cookie content-encoding cache-control".split())
NOT_BEHIND = MUST_TRAVEL | frozenset(b"content-length transfer-encoding location".split())


@dataclass(frozen=True)
class Course:
    """How an answer comes.

    Attributes:
        method: Of the request.
        version: Of the request.
        ending: What follows the last byte.
        is_split: It comes in pieces.
    """

    method: str
    version: str
    ending: str
    is_split: bool


def course_of(data):
    number = zlib.crc32(data)
    return Course(
        METHODS[number % len(METHODS)],
        VERSIONS[number // 16 % len(VERSIONS)],
        ENDINGS[number // 256 % len(ENDINGS)],
        bool(number // 4096 % 2),
    )


def check(data, house, course=None):
    """Fail if these bytes of an upstream reach a client as something that they are not."""
    course = course or course_of(data)
    pieces = split(data, zlib.crc32(data)) if course.is_split else [data]
    house.answer = lambda number, message: (
        [piece for piece in pieces if piece] if number == 1 else plain_answer(number, message)
    )
    client = house.client()
    client.send(request(course))
    end = house.upstreams[0].transport
    over = {"close": end.hang_up, "reset": end.break_off, "silence": lambda: None}
    house.loop.do(over[course.ending])
    house.loop.advance(READ_TIMEOUT + 1)
    assert_told(data, course, client, house.records)
    _, rest, why = reading.answers(data, [course.method])
    if rest or why:
        assert end.end, "a connection that is out of step was kept"
    if not client.transport.end:
        client.send(request(course))
        assert b"\r\nX-Answer: 2\r\n" in client.got, "the next request got another answer"
    house.reset()


def request(course):
    return (
        f"{course.method} / HTTP/{course.version}\r\nHost: a\r\nConnection: keep-alive\r\n"
        f"Authorization: Bearer {ALICE}\r\n\r\n"
    ).encode()


def assert_told(data, course, client, records):
    """What the client was told is true."""
    assert len(records) == 1
    record = records[0]
    told, rest, why = reading.answers(
        client.got, [course.method], is_ended=client.transport.end not in {"", "abort"}
    )
    assert why == ""
    if record["code"] and not record["aborted"]:
        assert record["status"] in {502, 504}
        assert [answer.start[1] for answer in told] == [record["status"]]
        return
    if record["aborted"]:
        assert client.transport.end == "abort"
        assert told == [], "what was cut looks whole"
        return
    assert (len(told), rest) == (1, b""), "neither an answer nor a cut"
    meant, _, why = reading.answers(data, [course.method], is_ended=course.ending == "close")
    assert (len(meant), why) == (1, ""), f"made up an answer: {why}"
    assert_same(meant[0], told[0])


def assert_same(meant, told):
    """An answer reached the client with what it means."""
    assert told.start[1:] == meant.start[1:] or not meant.start[2]
    assert told.start[1] == meant.start[1]
    assert told.body == meant.body
    assert set(told.trailers) <= set(meant.trailers)
    assert NOT_BEHIND.isdisjoint(name for name, _ in told.trailers)
    named = {
        name.strip().lower() for name in b",".join(meant.values(b"connection")).split(b",")
    } - MUST_TRAVEL
    assert _travelling(told, frozenset()) == _travelling(meant, named)
    assert not [name for name, _ in told.fields if name in named - OURS]
    for name in (b"date", b"x-request-id"):
        assert len(told.values(name)) == max(1, len(meant.values(name)))


def _travelling(answer, named):
    return [
        (name, value)
        for name, value in answer.fields
        if name not in OURS and name not in named and not name.startswith(b"access-control-")
    ]
