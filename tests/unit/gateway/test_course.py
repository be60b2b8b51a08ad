"""Where a request goes is found out once for a client that repeats its head."""

from dataclasses import replace

import pytest

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.gateway.course import find_course, known_course
from pyproxy.gateway.identify import Caller
from pyproxy.gateway.visit import admit
from pyproxy.identity.credential import CredentialRules, find_credential
from pyproxy.identity.networks import Networks
from pyproxy.identity.principal import Principal
from pyproxy.routing.choice import Entry
from pyproxy.routing.table import Table
from pyproxy.transform.cors import Cors
from pyproxy.transform.request import UpwardHead

KEY = "Authorization: Bearer pyp_a-key-0123456789abcdef"
UP = UpwardHead(b"GET / HTTP/1.1\r\n", b"", has_length=False)


class Gateway:
    """As much of one as decides about heads."""

    def __init__(self, plan):
        self.trusted = ()
        self.own_paths = {b"/health": "health"}
        self.cors = Cors.of(
            origins=["https://page.example"], methods=["GET"], headers=[], max_age_s=1
        )
        entries = [
            Entry.of("/x", (), (), replace(plan, strips_path=True)),
            Entry.of("/", (), (), plan),
        ]
        self.tables = {LISTENER: Table.build(entries)}


LISTENER = 0


@pytest.fixture
def gateway(plan_of):
    return Gateway(plan_of(proofs=frozenset({"key"}), is_recognising=True))


@pytest.fixture
def found(asked, gateway):
    """The exchange of a request, and its course."""

    def found_(start="GET / HTTP/1.1", *lines):
        exchange = asked(start, *lines)
        visit = admit(exchange, Networks(), "id-1")
        return exchange, find_course(visit, gateway, LISTENER)

    return found_


@pytest.mark.parametrize(
    ("start", "path"),
    [
        pytest.param("GET /x/y?q HTTP/1.1", b"/y", id="stripped"),
        pytest.param("GET /y?q HTTP/1.1", b"/y", id="as it is"),
    ],
)
def test_course_leads_to_a_route_and_a_path(found, start, path):
    _, course = found(start)

    assert (course.match is not None, course.path, course.own) == (True, path, None)


def test_course_leads_to_an_endpoint_of_our_own(found):
    _, course = found("GET /health HTTP/1.1")

    assert (course.match, course.own, course.is_preflight) == (None, "health", False)


def test_browser_that_asks_first_is_answered_before_any_path(found):
    _, course = found(
        "OPTIONS /health HTTP/1.1", "Origin: https://page.example",
        "Access-Control-Request-Method: GET",
    )  # fmt: skip

    assert (course.match, course.own, course.is_preflight) == (None, None, True)


def again(exchange, head=None, peer=None):
    return Exchange(None, head or exchange.head, RequestBody(0), peer or exchange.peer)


def test_repeated_head_has_its_course(found, gateway):
    exchange, course = found()

    assert known_course(again(exchange), gateway) is course


def test_another_head_has_none_though_it_reads_the_same(found, asked, gateway):
    exchange, _ = found()

    assert known_course(again(exchange, head=asked().head), gateway) is None


def test_course_ends_with_the_gateway_it_was_found_for(found, plan_of):
    exchange, _ = found()

    assert known_course(again(exchange), Gateway(plan_of())) is None


def test_course_is_the_connections_own(found, asked, gateway):
    exchange, _ = found()

    assert known_course(again(exchange, peer=asked().peer), gateway) is None


def test_head_is_kept_for_the_very_principal_that_was_let_in(found):
    _, course = found("GET / HTTP/1.1", KEY)
    alice, also_alice = Principal("alice", "key"), Principal("alice", "key")
    course.keep(Caller(alice, course.credential), UP)

    assert course.up_for(alice) is UP
    assert course.up_for(also_alice) is None  # the key file may give other rights to that name


def test_nothing_is_kept_where_more_than_the_credential_decides(found):
    _, course = found("GET / HTTP/1.1", KEY)
    alice = Principal("alice", "key")
    index = {b"authorization": b"Bearer pyp_a-key-0123456789abcdef"}
    same = find_credential(index, (), b"", CredentialRules())
    course.keep(Caller(alice, same), UP)
    course.keep(Caller(alice, None), UP)

    assert same == course.credential
    assert course.up_for(alice) is None


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="none"),
        pytest.param([KEY, "x-api-key: another-0123456789abcdef"], id="two"),
        pytest.param(["Authorization: Bearer a.b.c"], id="of a kind that is not accepted"),
    ],
)
def test_credential_that_does_not_decide_alone_is_none(found, lines):
    _, course = found("GET / HTTP/1.1", *lines)

    assert course.credential is None
