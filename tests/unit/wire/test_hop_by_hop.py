import pytest

from pyproxy.wire.head import read_request_head, read_response_head
from pyproxy.wire.hop_by_hop import (
    HOP_BY_HOP,
    kept_lines,
    kept_request_lines,
    nominated,
    passes_trailers,
)


def request(*lines):
    text = b"".join(line + b"\r\n" for line in lines)
    return read_request_head(b"GET / HTTP/1.1\r\n" + text + b"\r\n")


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        pytest.param([], set(), id="no Connection"),
        pytest.param([b"Connection: X-Trace"], {b"x-trace"}, id="one"),
        pytest.param([b"Connection: close, X-A ,x-b"], {b"close", b"x-a", b"x-b"}, id="list"),
        pytest.param([b"Connection: X-A", b"Connection: X-B"], {b"x-a", b"x-b"}, id="two lines"),
        pytest.param([b"Connection: ,,"], set(), id="empty elements"),
        pytest.param([b"Connection: Authorization"], set(), id="credential"),
        pytest.param([b"Connection: X-Forwarded-For, x-a"], {b"x-a"}, id="CVE-2022-31813"),
        pytest.param([b"Connection: X-Forwarded-User, x-a"], {b"x-a"}, id="who the client is"),
        pytest.param([b"Connection: content-type, Host, Cookie"], set(), id="meaning"),
    ],
)
def test_connection_may_name_most_fields_but_not_those_that_protect(lines, names):
    # RFC 9110 section 7.6.1
    assert nominated(request(*lines)) == names


def test_kept_request_lines_travel_as_they_were_sent():
    head = request(b"aCCept:*/*", b"X-Two:  a  b", b"Accept: text/html", b"Empty:")

    assert kept_request_lines(head, HOP_BY_HOP) == [
        b"aCCept:*/*\r\n", b"X-Two:  a  b\r\n", b"Accept: text/html\r\n", b"Empty:\r\n",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_the_connections_own_fields_end_here(name):
    assert kept_request_lines(request(name + b": chunked", b"X-A: b"), HOP_BY_HOP) == [
        b"X-A: b\r\n"
    ]


def test_nominated_fields_end_here():
    head = request(b"Connection: X-Trace", b"x-trace: 1", b"X-TRACE: 2", b"X-A: b")

    assert kept_request_lines(head, HOP_BY_HOP) == [b"X-A: b\r\n"]


def test_a_name_with_an_underscore_does_not_pass_for_one_with_a_hyphen():
    head = request(b"X_Real_IP: 1.2.3.4", b"X-A: under_score")

    assert kept_request_lines(head, HOP_BY_HOP) == [b"X-A: under_score\r\n"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"X-Forwarded-Anything", id="X-Forwarded"),
        pytest.param(b"x-forwardedfor", id="without a hyphen"),
        pytest.param(b"X-Original-Path", id="X-Original"),
        pytest.param(b"X-Rewrite-Path", id="X-Rewrite"),
    ],
)
def test_claims_of_any_name_are_believed_from_trusted_peers_alone(name):
    head = request(name + b": x", b"X-A: x-forwarded-for")

    assert kept_request_lines(head, HOP_BY_HOP) == [b"X-A: x-forwarded-for\r\n"]
    assert len(kept_request_lines(head, HOP_BY_HOP, is_trusted=True)) == 2


def test_a_claim_is_one_by_the_beginning_of_its_name():
    head = request(b"Not-X-Forwarded-For: x")

    assert kept_request_lines(head, HOP_BY_HOP) == [b"Not-X-Forwarded-For: x\r\n"]


def test_underscores_are_dropped_from_trusted_peers_too():
    head = request(b"X_Real_IP: 1.2.3.4")

    assert kept_request_lines(head, HOP_BY_HOP, is_trusted=True) == []


@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        pytest.param([], False, id="no TE"),
        pytest.param([b"TE: trailers"], True, id="trailers"),
        pytest.param([b"TE: gzip;q=0.5, Trailers"], True, id="among others"),
        pytest.param([b"TE: gzip"], False, id="codings alone"),
        pytest.param([b"TE: notrailers"], False, id="a longer word"),
        pytest.param([b"TE:"], False, id="empty"),
    ],
)
def test_trailers_are_passed_to_who_takes_them(lines, passes):
    # RFC 9110 section 10.1.4
    assert passes_trailers(request(*lines)) is passes


def test_an_answers_underscores_are_its_own():
    head = read_response_head(b"HTTP/1.1 200 OK\r\nx_usage: 1\r\nConnection: X-A\r\nX-A: 1\r\n\r\n")

    assert kept_lines(head, HOP_BY_HOP) == [b"x_usage: 1\r\n"]


def test_an_answer_that_names_nothing_passes_whole():
    head = read_response_head(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n")

    assert kept_lines(head, HOP_BY_HOP) == [b"X-A: 1\r\n"]
