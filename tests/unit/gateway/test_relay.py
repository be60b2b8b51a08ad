"""An answer on its way from the upstream's connection to the client's."""

import pytest

from pyproxy.errors.refusal import BadRequest, UpstreamUnreachable
from pyproxy.gateway.relay import Relay
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import read_response_head


class Connection:
    """The upstream's: takes note that it was aborted."""

    is_aborted = False
    shaped = None

    def abort(self):
        self.is_aborted = True


def head_of(*lines):
    return read_response_head(b"\r\n".join([*lines, b"", b""]))


OK = head_of(b"HTTP/1.1 200 OK", b"Server: them", b"A: b", b"Content-Length: 5")


@pytest.fixture
def connection():
    return Connection()


@pytest.fixture
def relaying(desk, plan_of, connection):
    """Makes the relay of an exchange."""

    def relaying_(exchange, cors=b""):
        relay = Relay(
            exchange,
            connection,
            plan_of().down,
            request_id="id-1",
            cors=cors,
            desk=desk,
            worked=list,
        )
        exchange.source = connection
        return relay

    return relaying_


async def test_answer_is_passed_on_with_our_fields(asked, channel, relaying):
    exchange = asked()
    relay = relaying(exchange, b"Cors: 1\r\n")
    relay.head_arrived(OK, 5)
    relay.body_arrived(b"hello")
    relay.body_ended([])
    relay.flush()

    assert channel.written == (
        b"HTTP/1.1 200 OK\r\nA: b\r\nPlain: 1\r\nCors: 1\r\nX-Request-Id: id-1\r\n"
        b"Date: Sun, 09 Sep 2001 01:46:40 GMT\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert (relay.done.is_set, relay.done.error) == (True, None)
    assert (relay.status, relay.head_at, relay.is_complete, relay.is_aborted) == (
        200, 100.0, True, False,
    )  # fmt: skip
    assert exchange.keeps_alive


async def test_client_over_tls_gets_its_fields(asked, channel, relaying):
    relay = relaying(asked(is_tls=True))
    relay.head_arrived(OK, 5)
    relay.flush()

    assert b"\r\nEncrypted: 1\r\n" in channel.written
    assert b"Plain" not in channel.written


async def test_what_one_read_brings_is_one_write(asked, channel, relaying):
    relay = relaying(asked())
    relay.head_arrived(OK, 5)
    relay.body_arrived(b"hel")
    before = channel.written
    relay.flush()

    assert before == b""
    assert channel.written.endswith(b"\r\n\r\nhel")


@pytest.mark.parametrize(
    ("start", "head", "length", "framing"),
    [
        pytest.param("GET / HTTP/1.1", OK, 5, b"Content-Length: 5\r\n", id="length"),
        pytest.param("GET / HTTP/1.1", OK, CHUNKED, b"Transfer-Encoding: chunked\r\n", id="chunks"),
        pytest.param("HEAD / HTTP/1.1", OK, 0, b"Content-Length: 5\r\n", id="HEAD"),
        pytest.param(
            "GET / HTTP/1.1", head_of(b"HTTP/1.1 304 Same", b"Content-Length: 5"), 0,
            b"Content-Length: 5\r\n", id="304",
        ),
        pytest.param("GET / HTTP/1.1", head_of(b"HTTP/1.1 204 None"), 0, b"", id="204"),
        pytest.param(
            "GET / HTTP/1.1", head_of(b"HTTP/1.1 200 OK"), 0, b"Content-Length: 0\r\n", id="empty"
        ),
    ],
)  # fmt: skip
async def test_answer_is_framed_by_what_it_is(
    asked, channel, relaying, start, head, length, framing
):
    relay = relaying(asked(start))
    relay.head_arrived(head, length)
    relay.flush()

    assert channel.written.endswith(b" GMT\r\n" + framing + b"\r\n")


async def test_interim_answers_are_passed_on_and_begin_nothing(asked, channel, relaying):
    exchange = asked()
    relay = relaying(exchange)
    relay.interim_arrived(head_of(b"HTTP/1.1 103 Hints", b"Server: them", b"Link: a"))

    assert channel.written == b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"
    assert (relay.status, exchange.has_begun, relay.done.is_set) == (0, False, False)


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
WAITING = ("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 4")


@pytest.mark.parametrize("is_first", [False, True])
async def test_client_is_told_to_continue_once(asked, channel, relaying, is_first):
    relay = relaying(asked(*WAITING))
    steps = [
        relay.anticipate_continue,
        lambda: relay.interim_arrived(head_of(b"HTTP/1.1 100 Continue")),
    ]
    for step in steps if is_first else steps[::-1]:
        step()
    relay.interim_arrived(head_of(b"HTTP/1.1 102 Wait"))

    assert channel.written == CONTINUE + b"HTTP/1.1 102 Wait\r\n\r\n"


async def test_client_that_does_not_wait_is_not_told_to_continue(asked, channel, relaying):
    exchange = asked(*WAITING)
    exchange.body.feed(b"bo")
    relaying(exchange).anticipate_continue()

    assert channel.written == b""


async def test_client_of_an_attempt_that_failed_is_not_told_to_continue(asked, channel, relaying):
    exchange = asked(*WAITING)
    relay = relaying(exchange)
    exchange.source = None
    relay.anticipate_continue()

    assert channel.written == b""


async def test_nobody_is_told_to_continue_in_an_answer(asked, channel, relaying):
    relay = relaying(asked(*WAITING))
    relay.head_arrived(OK, 5)
    relay.anticipate_continue()
    relay.flush()

    assert b"Continue" not in channel.written


@pytest.mark.parametrize(
    ("te", "end"),
    [
        pytest.param("TE: trailers", b"0\r\nX-Sum: 1\r\n\r\n", id="wanted"),
        pytest.param("TE: gzip", b"0\r\n\r\n", id="not wanted"),
    ],
)
async def test_trailers_travel_if_the_client_takes_them(asked, channel, relaying, te, end):
    # RFC 9110 section 6.5.1; what may not be in a head may not be in trailers either.
    relay = relaying(asked("GET / HTTP/1.1", te))
    relay.head_arrived(OK, CHUNKED)
    relay.body_ended([(b"x-sum", b"X-Sum: 1\r\n"), (b"server", b"Server: them\r\n")])
    relay.flush()

    assert channel.written.endswith(b"\r\n\r\n" + end)


async def test_connection_of_a_complete_answer_is_nobodys_to_pause(asked, relaying):
    exchange = asked()
    relay = relaying(exchange)
    relay.head_arrived(OK, 0)
    relay.body_ended([])

    assert exchange.source is None


async def test_early_answer_is_the_last_on_its_connection(asked, channel, relaying):
    exchange = asked("POST / HTTP/1.1", "Content-Length: 9")
    relay = relaying(exchange)
    relay.head_arrived(OK, 5)
    relay.flush()

    assert not exchange.keeps_alive
    assert b"\r\nConnection: close\r\n" in channel.written


# --- Failures


async def test_failure_before_the_head_is_a_refusal(asked, channel, relaying):
    relay = relaying(asked())
    refusal = UpstreamUnreachable()
    relay.failed(refusal)
    relay.failed(BadRequest())

    assert relay.done.error is refusal
    assert channel.calls == []
    assert not relay.is_aborted


async def test_failure_in_the_read_that_brought_the_head_is_a_refusal(asked, channel, relaying):
    # Nothing of the answer was written yet, so that the client can be told.
    exchange = asked()
    relay = relaying(exchange)
    relay.head_arrived(OK, CHUNKED)
    relay.body_arrived(b"some")
    refusal = UpstreamUnreachable()
    relay.failed(refusal)
    exchange.answer(b"HTTP/1.1 502 Bad Gateway\r\n", b"no")

    assert relay.done.error is refusal
    assert (relay.is_aborted, relay.status, exchange.sent) == (False, 0, 2)
    assert channel.written == b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno"


async def test_failure_behind_the_head_is_a_cut(asked, channel, relaying):
    relay = relaying(asked())
    relay.head_arrived(OK, 5)
    relay.flush()
    refusal = UpstreamUnreachable()
    relay.failed(refusal)
    relay.failed(refusal)

    assert (relay.done.is_set, relay.done.error) == (True, None)
    assert relay.broke_off is refusal
    assert channel.calls == ["abort", "abort"]
    assert (relay.is_aborted, relay.is_complete) == (True, False)


@pytest.mark.parametrize("has_head", [False, True])
async def test_body_that_broke_is_never_taken_for_whole(
    asked, channel, relaying, connection, has_head
):
    relay = relaying(asked("POST / HTTP/1.1", "Content-Length: 9"))
    if has_head:
        relay.head_arrived(OK, 5)
        relay.flush()
    refusal = BadRequest()
    relay.body_broke(refusal)

    assert connection.is_aborted
    assert relay.is_aborted is has_head
    assert relay.done.error is (None if has_head else refusal)
    assert channel.calls == (["abort"] if has_head else [])


async def test_body_that_breaks_behind_a_whole_answer_does_not_cut_it(
    asked, channel, relaying, connection
):
    # Between the answer's last byte and the turn of who waits for it.
    relay = relaying(asked("POST / HTTP/1.1", "Content-Length: 9"))
    relay.head_arrived(OK, 0)
    relay.body_ended([])
    relay.flush()
    relay.body_broke(BadRequest())

    assert channel.calls == []
    assert not relay.is_aborted
    assert not connection.is_aborted


async def test_pace_of_the_upstream_is_the_clients(asked, channel, relaying):
    relay = relaying(asked())
    relay.upload_blocked()
    relay.upload_unblocked()

    assert channel.calls == ["hold_body", "resume_body"]


async def test_answer_that_repeats_the_last_one_is_told_apart_by_its_id(
    asked, channel, desk, plan_of, connection
):
    rules = plan_of().down
    for request_id in ("id-1", "id-2"):
        relay = Relay(
            asked(), connection, rules, request_id=request_id, cors=b"", desk=desk, worked=list
        )
        relay.head_arrived(OK, 0)
        relay.flush()
    first, second, _ = channel.written.split(b"\r\n\r\n")

    assert second == first.replace(b"id-1", b"id-2")


SWITCHES = head_of(
    b"HTTP/1.1 101 Go", b"Connection: Upgrade", b"Upgrade: foo", b"Server: them", b"A: b"
)


async def test_101_is_passed_on_with_both_fields_anew(asked, channel, relaying):
    exchange = asked()
    relay = relaying(exchange)
    relay.switched(SWITCHES, (b"foo",))

    assert channel.written == (
        b"HTTP/1.1 101 Go\r\nA: b\r\nPlain: 1\r\nX-Request-Id: id-1\r\n"
        b"Date: Sun, 09 Sep 2001 01:46:40 GMT\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"
    )
    assert (relay.status, relay.head_at, relay.done.is_set) == (101, 100.0, False)
    assert exchange.source is None


@pytest.mark.parametrize("is_cut", [False, True])
async def test_end_of_what_followed_a_101(asked, relaying, is_cut):
    exchange = asked()
    relay = relaying(exchange)
    relay.switched(SWITCHES, (b"foo",))
    refusal = UpstreamUnreachable() if is_cut else None
    relay.ended(refusal, is_cut=is_cut)

    assert relay.done.is_set
    assert (relay.is_complete, relay.is_aborted) == (not is_cut, is_cut)
    assert exchange.is_ended is not is_cut
    assert relay.broke_off is refusal
