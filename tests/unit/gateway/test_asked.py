"""What another proxy asks about."""

from ipaddress import ip_network

import pytest

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import BadRequest, MissingToken
from pyproxy.gateway.asked import asked_about, without_certificate
from pyproxy.gateway.visit import admit
from pyproxy.identity.networks import Networks
from pyproxy.wire.head import read_request_head

TRUSTED = Networks([ip_network("10.0.0.0/8")])


def asked(*lines, peer="10.0.0.1"):
    text = "\r\n".join(("GET /verify HTTP/1.1", "Host: gateway", *lines, "", ""))
    head = read_request_head(text.encode())
    exchange = Exchange(None, head, RequestBody(0), Peer(peer, is_tls=False))
    return asked_about(admit(exchange, TRUSTED, "id"))


@pytest.mark.parametrize(
    ("lines", "method", "host", "path", "query"),
    [
        pytest.param(
            ("X-Forwarded-Uri: /a?b=c", "X-Forwarded-Method: POST", "X-Forwarded-Host: h:1"),
            b"POST", b"h:1", b"/a", b"b=c", id="Traefik, Caddy",
        ),
        pytest.param(("X-Original-URI: /a",), b"GET", b"gateway", b"/a", None, id="nginx"),
        pytest.param(
            ("X-Original-URI: /a", "X-Original-Method: PUT", "X-Original-Host: h"),
            b"PUT", b"h", b"/a", None, id="ingress-nginx",
        ),
        pytest.param(
            ("X-Forwarded-Uri: https://other/a",),
            b"GET", b"other", b"/a", None, id="absolute form",
        ),
        pytest.param(
            ("X-Forwarded-Uri: /a", "X-Original-URI: /a"),
            b"GET", b"gateway", b"/a", None, id="both, and the same",
        ),
    ],
)  # fmt: skip
def test_a_trusted_proxy_says_what_is_asked_for(lines, method, host, path, query):
    found_method, visit = asked(*lines)

    assert (found_method, visit.host) == (method, host)
    assert (visit.target.path, visit.target.query) == (path, query)
    assert visit.is_trusted


@pytest.mark.parametrize(
    ("lines", "peer"),
    [
        pytest.param((), "10.0.0.1", id="nothing said"),
        pytest.param(("X-Forwarded-Uri:",), "10.0.0.1", id="an empty field"),
        pytest.param(("X-Forwarded-Uri: /a",), "192.0.2.1", id="not trusted"),
        pytest.param(("X-Forwarded-Uri: /a",), "", id="a unix socket's peer"),
    ],
)
def test_otherwise_the_credential_alone_is_asked_about(lines, peer):
    assert asked(*lines, peer=peer) is None


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("X-Forwarded-Uri: /open", "X-Original-URI: /a"), id="a client's beside ours"),
        pytest.param(("X-Forwarded-Uri: /a", "X-Forwarded-Uri: /b"), id="repeated"),
        pytest.param(("X-Forwarded-Uri: /a/../b",), id="dot segment"),
        pytest.param(("X-Forwarded-Uri: a",), id="no form of a target"),
        pytest.param(("X-Forwarded-Uri: /a", "X-Forwarded-Host: a, b"), id="two hosts"),
        pytest.param(
            ("X-Forwarded-Uri: /a", "X-Forwarded-Method: GET", "X-Original-Method: PUT"),
            id="two methods",
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(lines):
    with pytest.raises(BadRequest):
        asked(*lines)


@pytest.mark.parametrize(
    ("proofs", "left"),
    [
        pytest.param({"key"}, {"key"}, id="none was asked for"),
        pytest.param({"key", "mtls"}, {"key"}, id="another way in"),
        pytest.param(set(), set(), id="an open route"),
    ],
)
def test_certificate_of_the_other_proxy_lets_nobody_in(plan_of, proofs, left):
    plan = plan_of(proofs=frozenset(proofs))

    assert without_certificate(plan).proofs == left


def test_route_that_wants_a_certificate_alone_is_never_open_instead(plan_of):
    with pytest.raises(MissingToken):
        without_certificate(plan_of(proofs=frozenset({"mtls"})))
