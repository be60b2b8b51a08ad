"""What must be true of a client's bytes, what went up, and what came down."""

from dataclasses import dataclass

from tests.fuzz import reading
from tests.fuzz.configuration import ALICE, BOB

# What the gateway says itself to an upstream, whatever the client said.
OURS = frozenset(
    b"host x-forwarded-for x-forwarded-proto x-forwarded-host x-real-ip x-request-id "
    b"content-length transfer-encoding te connection upgrade x-caller".split()
)
# What ends at the gateway (README and ARCHITECTURE.md), apart from the names that Connection
# lists, names with an underscore, and whatever begins like a claim about the client.
ENDS_HERE = frozenset(
    b"keep-alive proxy-connection trailer http2-settings proxy-authorization "
    b"proxy-authenticate forwarded client-ip true-client-ip cf-connecting-ip remote-user proxy "
    b"front-end-https fastly-client-ip".split()
)
MAY_END_HERE = (b"x-", b"cf-", b"remote-", b"sec-websocket")
CREDENTIALS = frozenset(b"authorization x-api-key api-key x-goog-api-key".split())
# What must arrive, however it was meant to be taken away.
MUST_TRAVEL = frozenset(b"content-type cookie cache-control range".split())
# What some merge into the head, so that it must not come behind the body.
NOT_BEHIND = CREDENTIALS | MUST_TRAVEL | ENDS_HERE | OURS
REFUSALS = frozenset({400, 401, 403, 404, 405, 408, 413, 414, 417, 429, 431})
FAULTS_ABOVE = frozenset({502, 504})
OWN = frozenset({"health"})
KEYS = {"alice": ALICE.encode(), "bob": BOB.encode()}


@dataclass
class Outcome:
    """What a client's bytes led to.

    Attributes:
        asked: Requests that went up whole, as ``(port, message)``.
        sent: All that went up, by connection.
        answers: That the client got whole.
        rest: Bytes behind them.
        records: Access lines.
        end: How the client's connection ended.
    """

    asked: list
    sent: list
    answers: list
    rest: bytes
    records: list
    end: str

    @property
    def statuses(self):
        return [answer.start[1] for answer in self.answers]


def outcome_of(house, pieces, *, leaves=True):
    """Send pieces over a connection of their own, and let time pass until it ends."""
    client = house.client()
    client.send(*pieces)
    if leaves:
        house.loop.advance(11.0)  # what is not whole by now will never be
        house.loop.advance(80.0)
    records = house.records
    # What was no request has no method on record; if it began as HEAD it got no body.
    unread = "HEAD" if client.got.endswith(b"\r\n\r\n") else "GET"
    methods = [record["method"] or unread for record in records]
    found, rest, why = reading.answers(client.got, methods)
    outcome = Outcome(
        [(end.port, message) for end, message in house.asked],
        [bytes(end.transport.got) for end in house.upstreams],
        found,
        rest,
        records,
        client.transport.end,
    )
    house.reset()
    assert why == "", f"the client reads what is unclear: {why}: {rest[:300]!r}"
    return outcome


def assert_sound(data, outcome):
    """Each request was refused, or went up once with the same meaning and one reading."""
    assert outcome.rest == b""
    assert outcome.end, "a silent connection was left open"
    assert len(outcome.answers) == len(outcome.records)
    assert outcome.statuses == [record["status"] for record in outcome.records]
    messages, _, _ = reading.requests(data)
    passed = 0
    for place, (answer, record) in enumerate(zip(outcome.answers, outcome.records, strict=True)):
        number = answer.values(b"x-answer")
        if number:
            passed += 1
            assert number == [b"%d" % passed]
            assert place < len(messages), "went up, and is no request to a strict reader"
            port, up = outcome.asked[passed - 1]
            assert_same(messages[place], up)
            assert_same_target(messages[place].start[1], up.start[1], port)
            key = KEYS.get(record["user"])
            assert key is None or not _holds(up, key), "the caller's key went up"
        else:
            own = record["route"] in OWN or answer.start[1] == 204
            assert own or answer.start[1] in REFUSALS, answer.start
    assert passed == len(outcome.asked), "went up more often than it was answered"
    for sent in outcome.sent:
        assert_one_reading(sent)


def assert_same(asked, up):
    """What went up means what was asked."""
    assert up.start[0] == asked.start[0]
    assert up.start[2] == b"HTTP/1.1"
    assert up.body == asked.body
    named = set(_listed(asked, b"connection"))
    ours = [pair for pair in up.fields if pair[0] not in OURS and pair != (b"via", b"1.1 pyproxy")]
    theirs = [pair for pair in asked.fields if pair[0] not in OURS]
    arrived = [pair for pair in theirs if _must_arrive(*pair, named)]
    assert [pair for pair in ours if _must_arrive(*pair, named)] == arrived
    left = iter(theirs)
    assert all(pair in left for pair in ours), "a field was made up, changed or moved"
    assert not [name for name, _ in ours if name in ENDS_HERE or b"_" in name]
    for name in (b"host", b"via", b"x-request-id", b"x-forwarded-for", b"x-real-ip"):
        assert name == b"via" or len(up.values(name)) == 1, name
    assert (b"x-forwarded-for", b"192.0.2.7") in up.fields
    assert set(up.trailers) <= set(asked.trailers)
    assert NOT_BEHIND.isdisjoint(name for name, _ in up.trailers)
    assert up.values(b"connection") in ([], [b"TE"], [b"Upgrade"])
    assert bool(up.values(b"upgrade")) == (up.values(b"connection") == [b"Upgrade"])
    assert set(_listed(up, b"upgrade")) <= set(_listed(asked, b"upgrade"))


def assert_same_target(asked, up, port):
    """The upstream is asked for what the client asked for, below its base."""
    path, mark, query = _origin_form(asked).partition(b"?")
    up_path, up_mark, up_query = up.partition(b"?")
    if port == 9001:
        assert up_path.startswith(b"/base/")
        rest = b"/" + b"/".join(path.split(b"/")[2:])
        assert up_path == b"/base" + rest
    else:
        assert up_path == path
    assert mark or not up_mark
    parts, up_parts = query.split(b"&"), up_query.split(b"&") if up_query else []
    travelling = [part for part in parts if not _may_be_credential(part)]
    assert [part for part in up_parts if not _may_be_credential(part)] == (
        travelling if up_query or any(travelling) else []
    )
    left = iter(parts)
    assert all(part in left for part in up_parts)


def _origin_form(target):
    if target.startswith(b"/") or target == b"*":
        return target
    rest = target.partition(b"://")[2]
    at = min((found for end in b"/?" if (found := rest.find(end)) >= 0), default=len(rest))
    return rest[at:] if rest[at : at + 1] == b"/" else b"/" + rest[at:]


def _may_be_credential(part):
    return b"key" in part.lower() or b"%" in part or any(key in part for key in KEYS.values())


def _holds(message, key):
    """Whether a key is in a head, or behind a body."""
    fields = b"\n".join(value for _, value in (*message.fields, *message.trailers))
    return key in fields or key in message.start[1]


def _must_arrive(name, value, named):
    if any(key in value for key in KEYS.values()):
        return False
    if name in MUST_TRAVEL:
        return name not in named or name in {b"content-type", b"cookie", b"cache-control"}
    slippery = name in ENDS_HERE or name in CREDENTIALS or name.startswith(MAY_END_HERE)
    return not slippery and b"_" not in name and name not in named


def _listed(message, name):
    parts = b",".join(message.values(name)).split(b",")
    return [part.strip().lower() for part in parts if part.strip()]


def assert_one_reading(sent):
    """A stream that went up is read alike by whoever prefers whichever framing."""
    strict, rest, why = reading.requests(sent)
    assert why == ""
    strict_pairs = [(b" ".join(message.start), message.body) for message in strict]
    whole = sent[: len(sent) - len(rest)]
    for prefers in ("cl", "te"):
        careless, left = reading.careless_requests(whole, prefers=prefers)
        assert (careless, left) == (strict_pairs, b""), f"another reading, {prefers} first"
    theirs = reading.llhttp_requests(whole)
    if theirs is not None:
        assert [(method, url, fields, body) for method, url, fields, body in theirs] == [
            (message.start[0], message.start[1], message.fields + message.trailers, message.body)
            for message in strict
        ]


def assert_no_worse_apart(whole, apart):
    """In which pieces bytes come makes no difference to what is understood.

    But that an early answer to a body that has not come yet ends the connection, so that
    fewer requests may follow it.
    """
    count = min(len(whole.answers), len(apart.answers))
    assert [_kind(status) for status in whole.statuses[:count]] == [
        _kind(status) for status in apart.statuses[:count]
    ]
    bodies = [
        [answer.body for answer in each.answers[:count] if answer.values(b"x-answer")]
        for each in (whole, apart)
    ]
    assert bodies[0] == bodies[1]
    asked = min(len(whole.asked), len(apart.asked))
    assert _plain(whole.asked[:asked]) == _plain(apart.asked[:asked])
    if len(whole.answers) != len(apart.answers):
        shorter = min(whole, apart, key=lambda each: len(each.answers))
        assert shorter.answers[-1].values(b"connection") == [b"close"]


def _plain(asked):
    """Without the ids that are made in order of being refused or not."""
    return [
        (port, message.start, [pair for pair in message.fields if pair[0] != b"x-request-id"],
         message.body, message.trailers)
        for port, message in asked
    ]  # fmt: skip


def _kind(status):
    """What is no request may be so in two ways at once; which is found first is all the same."""
    return 400 if status in {400, 408, 414, 431} else status
