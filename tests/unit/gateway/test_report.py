"""What the audit log learns of a request."""

import json
from dataclasses import replace

import pytest

from pyproxy.errors import refusal as refusals
from pyproxy.errors.refusal import Refusal
from pyproxy.gateway.identify import Caller
from pyproxy.gateway.report import _EVENTS, denied, failed, verified
from pyproxy.gateway.visit import admit
from pyproxy.identity.networks import Networks
from pyproxy.identity.principal import ANONYMOUS, Principal
from pyproxy.telemetry.counts import AUTH_FAILED
from pyproxy.telemetry.record import Record

RECORD = Record(
    request_id="id-1", ip="192.0.2.9", user="alice", route="main", path="/v1", method="GET"
)


async def test_who_was_let_in_is_written_once_for_the_connection(asked, desk, lines):
    visit = admit(asked(), Networks(), "id-1")
    visit.address = "192.0.2.9"
    alice = Principal("alice", "key", "laptop")
    verified(desk, Caller(alice, None), visit)
    line = json.loads(lines[0])

    assert visit.exchange.peer.greeted is alice
    assert (line["event"], line["user"], line["ip"], line["request_id"]) == (
        "auth.ok", "alice", "192.0.2.9", "id-1",
    )  # fmt: skip
    assert line["details"] == {"kind": "key", "key": "laptop"}


@pytest.mark.parametrize(
    ("known", "is_fresh", "count"),
    [
        pytest.param("alice", False, 0, id="remembered, and known on the connection"),
        pytest.param("bob", False, 1, id="remembered, and new on the connection"),
        pytest.param("alice", True, 1, id="verified again"),
    ],
)
async def test_who_is_known_on_the_connection_is_not_written_again(
    asked, desk, lines, known, is_fresh, count
):
    visit = admit(asked(), Networks(), "id-1")
    visit.exchange.peer.greeted = Principal(known, "key")
    verified(desk, Caller(Principal("alice", "key"), None, is_fresh=is_fresh), visit)

    assert len(lines) == count


async def test_nobody_on_an_open_route_is_not_written(asked, desk, lines):
    visit = admit(asked(), Networks(), "id-1")
    verified(desk, Caller(ANONYMOUS, None), visit)

    assert lines == []
    assert visit.exchange.peer.greeted is ANONYMOUS


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("InvalidToken", "auth.failed"),
        ("ExpiredToken", "auth.failed"),
        ("MissingToken", "access.denied"),
        ("InvalidSharedSecret", "auth.failed"),
        ("AmbiguousCredentials", "auth.failed"),
        ("RateLimited", "limit.exceeded"),
        ("TooManyConcurrent", "limit.exceeded"),
        ("AddressNotAllowed", "access.denied"),
        ("UserNotAllowed", "access.denied"),
        ("PathDenied", "access.denied"),
    ],
)
async def test_who_was_refused_is_written_with_the_reason(desk, lines, name, event):
    refusal = getattr(refusals, name)("for the operator")
    denied(desk, refusal, RECORD)
    line = json.loads(lines[0])

    assert (line["event"], line["user"], line["result"]) == (event, "alice", refusal.code)
    assert line["details"] == {"reason": "for the operator", "route": "main", "path": "/v1"}
    assert (line["ip"], line["request_id"]) == ("192.0.2.9", "id-1")


@pytest.mark.parametrize(
    "name", ["BadRequest", "NotFound", "BodyTooLarge", "UpstreamTimeout", "Draining"]
)
async def test_other_refusals_are_no_security_events(desk, lines, name):
    denied(desk, getattr(refusals, name)(), RECORD)

    assert lines == []


async def test_fault_of_ours_is_no_security_event(desk, lines):
    denied(desk, Refusal(), RECORD)

    assert lines == []


@pytest.mark.parametrize(
    "name",
    ["UpstreamUnreachable", "UpstreamProtocolError", "UpstreamTimeout"],
)
async def test_why_an_upstream_failed_is_for_the_operator(desk, troubles, name):
    refusal = getattr(refusals, name)("the certificate has expired")
    failed(desk, refusal, replace(RECORD, upstream="up:443"))

    assert troubles == [
        {
            "level": "warning",
            "event": "upstream.failed",
            "upstream": "up:443",
            "route": "main",
            "code": refusal.code,
            "reason": "the certificate has expired",
            "request_id": "id-1",
        }
    ]


@pytest.mark.parametrize("name", ["NotFound", "InvalidToken", "Refusal"])
async def test_other_refusals_are_no_upstreams_trouble(desk, troubles, name):
    failed(desk, getattr(refusals, name)(), RECORD)

    assert troubles == []


async def test_trouble_that_nobody_wants_to_know_of_is_not_told(desk, troubles):
    failed(replace(desk, trouble=None), refusals.UpstreamTimeout(), RECORD)

    assert troubles == []


def test_what_counts_as_a_failed_authentication_is_what_the_audit_log_calls_so():
    assert {code for code, event in _EVENTS.items() if event == "auth.failed"} == AUTH_FAILED
