"""A refusal becomes an answer while that is possible."""

import pytest

from pyproxy.errors.refusal import AmbiguousCredentials, BadRequest, NotFound, RateLimited
from pyproxy.gateway.refuse import refusal_head, refuse

WALL = 1_000_000_000.0


def refused(exchange, refusal, dialect="plain"):
    refuse(exchange, refusal, dialect, "id-1", b"Block: 1\r\n", WALL)


def test_refusal_is_a_whole_answer(asked, channel):
    exchange = asked()
    refused(exchange, NotFound("secret detail"))
    head, _, body = channel.written.partition(b"\r\n\r\n")

    assert head.split(b"\r\n") == [
        b"HTTP/1.1 404 Not Found",
        b"Content-Type: application/json",
        b"X-Request-Id: id-1",
        b"x-should-retry: false",
        b"Block: 1",
        b"Date: Sun, 09 Sep 2001 01:46:40 GMT",
        b"Content-Length: 21",
    ]
    assert body == b'{"error":"not_found"}'
    assert exchange.is_ended
    assert exchange.keeps_alive


def test_refusals_own_fields_are_on_the_answer():
    head, _ = refusal_head(
        RateLimited(fields=((b"Retry-After", b"7"),)), "openai", "id-1", b"", WALL
    )

    assert b"\r\nRetry-After: 7\r\n" in head
    assert b"x-should-retry" not in head


def test_answer_to_head_has_no_body(asked, channel):
    refused(asked("HEAD / HTTP/1.1"), NotFound())

    assert channel.written.endswith(b"Content-Length: 21\r\n\r\n")


@pytest.mark.parametrize(
    ("start", "lines", "refusal", "keeps_alive"),
    [
        pytest.param("GET / HTTP/1.1", [], NotFound(), True, id="no body"),
        pytest.param("POST / HTTP/1.1", ["Content-Length: 1"], NotFound(), False, id="body"),
        pytest.param("GET / HTTP/1.1", [], BadRequest(), False, id="malformed"),
        pytest.param("GET / HTTP/1.1", [], AmbiguousCredentials(), True, id="two credentials"),
        pytest.param("GET / HTTP/1.0", [], NotFound(), False, id="1.0"),
    ],
)
def test_next_request_is_taken_if_its_start_is_known(
    asked, channel, start, lines, refusal, keeps_alive
):
    exchange = asked(start, *lines)
    refused(exchange, refusal)

    assert exchange.keeps_alive is keeps_alive
    assert (b"Connection: close\r\n" in channel.written) is not keeps_alive


def test_answer_that_has_begun_is_broken_off(asked, channel):
    exchange = asked()
    exchange.begin(b"HTTP/1.1 200 OK\r\n", 5)
    exchange.flush()
    written = channel.written
    refused(exchange, NotFound())

    assert channel.calls == ["abort"]
    assert channel.written == written
    assert not exchange.is_ended
