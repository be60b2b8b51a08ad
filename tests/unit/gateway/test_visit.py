"""What every request must be, whatever it asks for."""

from ipaddress import ip_network

import pytest

from pyproxy.errors.refusal import BadRequest, ExpectationFailed, MethodNotAllowed
from pyproxy.gateway.visit import admit, request_id_of
from pyproxy.identity.networks import Networks

NOBODY = Networks()
PROXIES = Networks([ip_network("10.0.0.0/8")])


@pytest.mark.parametrize(
    ("start", "host", "path", "query"),
    [
        pytest.param("GET /a?b=c HTTP/1.1", "h:1", b"/a", b"b=c", id="origin form"),
        pytest.param("GET http://h:1/a HTTP/1.1", "H:2", b"/a", None, id="absolute form"),
        pytest.param("GET https://h HTTP/1.1", "h", b"/", None, id="absolute form, no path"),
        pytest.param("OPTIONS * HTTP/1.1", "h", b"*", None, id="asterisk form"),
        pytest.param("PURGE / HTTP/1.1", "h", b"/", None, id="a method nobody knows"),
    ],
)
def test_request_is_read(asked, start, host, path, query):
    visit = admit(asked(start, host=host), NOBODY, "id")

    assert (visit.target.path, visit.target.query) == (path, query)
    assert visit.host == host.encode()
    assert (visit.address, visit.is_trusted, visit.request_id) == ("192.0.2.1", False, "id")


@pytest.mark.parametrize(
    ("target", "host"),
    [
        pytest.param("/", b"", id="none"),
        pytest.param("http://h:1/", b"h:1", id="the target's"),
    ],
)
def test_http_1_0_may_name_no_host(asked, target, host):
    assert admit(asked(f"GET {target} HTTP/1.0", host=""), NOBODY, "id").host == host


@pytest.mark.parametrize(
    ("start", "lines"),
    [
        pytest.param("GET / HTTP/1.1", [], id="no Host"),
        pytest.param("GET http://h/ HTTP/1.1", [], id="no Host, absolute form"),
        pytest.param("GET / HTTP/1.1", ["Host: a", "Host: a"], id="Host twice"),
        pytest.param("GET / HTTP/1.0", ["Host: a", "host: b"], id="two hosts"),
        pytest.param("GET / HTTP/1.1", ["Host:"], id="empty Host"),
        pytest.param("GET / HTTP/1.1", ["Host: a b"], id="space in Host"),
        pytest.param("GET / HTTP/1.1", ["Host: user@a"], id="userinfo in Host"),
        pytest.param("GET http://a/ HTTP/1.1", ["Host: b"], id="target contradicts Host"),
        pytest.param("GET http://a@b/ HTTP/1.1", ["Host: b"], id="userinfo in the target"),
        pytest.param("GET /a/../b HTTP/1.1", ["Host: a"], id="dot segment"),
        pytest.param("GET /a%2f..%2fb HTTP/1.1", ["Host: a"], id="encoded dot segment"),
        pytest.param("GET * HTTP/1.1", ["Host: a"], id="asterisk with GET"),
        pytest.param("GET ftp://a/ HTTP/1.1", ["Host: a"], id="another scheme"),
    ],
)
def test_what_has_two_readings_is_refused(asked, start, lines):
    # RFC 9112 section 3.2
    with pytest.raises(BadRequest):
        admit(asked(start, *lines, host=""), NOBODY, "id")


@pytest.mark.parametrize("start", ["CONNECT a:1 HTTP/1.1", "TRACE / HTTP/1.1"])
def test_methods_that_make_no_sense_here_are_refused(asked, start):
    with pytest.raises(MethodNotAllowed):
        admit(asked(start), NOBODY, "id")


@pytest.mark.parametrize("value", ["100-continue", "100-Continue"])
def test_expectation_of_100_is_met(asked, value):
    admit(asked("POST / HTTP/1.1", f"Expect: {value}"), NOBODY, "id")


@pytest.mark.parametrize("value", ["200-ok", "100-continue, x", ""])
def test_other_expectations_are_not(asked, value):
    with pytest.raises(ExpectationFailed):
        admit(asked("POST / HTTP/1.1", f"Expect: {value}"), NOBODY, "id")


@pytest.mark.parametrize(
    ("peer", "lines", "address", "is_trusted"),
    [
        pytest.param("192.0.2.1", ["X-Forwarded-For: 10.9.9.9"], "192.0.2.1", False, id="forged"),
        pytest.param("10.0.0.1", [], "10.0.0.1", True, id="trusted, says nothing"),
        pytest.param("10.0.0.1", ["X-Forwarded-For: 192.0.2.7"], "192.0.2.7", True, id="trusted"),
        pytest.param(
            "10.0.0.1", ["X-Forwarded-For: 6.6.6.6, 192.0.2.7", "X-Forwarded-For: 10.0.0.2"],
            "192.0.2.7", True, id="two proxies, and what a client made up",
        ),
        pytest.param("", ["X-Forwarded-For: 192.0.2.7"], "", False, id="unix socket"),
    ],
)  # fmt: skip
def test_client_is_whom_trusted_proxies_vouch_for(asked, peer, lines, address, is_trusted):
    visit = admit(asked("GET / HTTP/1.1", *lines, peer=peer), PROXIES, "id")

    assert (visit.address, visit.is_trusted) == (address, is_trusted)


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        pytest.param("192.0.2.1", [], "192.0.2.1", id="v4"),
        pytest.param("2001:db8::7", [], "2001:db8::/64", id="v6: its /64"),
        pytest.param("::ffff:192.0.2.1", [], "192.0.2.1", id="v4 in v6"),
        pytest.param("10.0.0.1", ["X-Forwarded-For: 192.0.2.7"], "192.0.2.7", id="of a proxy"),
        pytest.param("10.0.0.1", [], "", id="trusted proxy that says nothing"),
        pytest.param("10.0.0.1", ["X-Forwarded-For: unknown"], "", id="that says nonsense"),
        pytest.param("10.0.0.1", ["X-Forwarded-For: 10.0.0.2"], "", id="another proxy"),
        pytest.param("", [], "", id="unix socket"),
    ],
)
def test_failures_count_for_whom_nobody_else_comes_through(asked, peer, lines, client):
    visit = admit(asked("GET / HTTP/1.1", *lines, peer=peer), PROXIES, "id")

    assert visit.client == client
    assert visit.again(visit.exchange, "other").client == client


def test_failures_through_a_balancer_that_names_nobody_count_for_nobody(asked):
    exchange = asked("GET / HTTP/1.1", peer="192.0.2.1")
    exchange.peer.is_unnamed = True

    assert admit(exchange, PROXIES, "id").client == ""


@pytest.mark.parametrize(
    ("lines", "request_id"),
    [
        pytest.param(["X-Request-Id: a.B_c-1"], "a.B_c-1", id="the client's"),
        pytest.param([f"X-Request-Id: {'a' * 128}"], "a" * 128, id="as long as may be"),
        pytest.param([f"X-Request-Id: {'a' * 129}"], "made", id="too long"),
        pytest.param([], "made", id="none"),
        pytest.param(["X-Request-Id:"], "made", id="empty"),
        pytest.param(['X-Request-Id: a","user":"root'], "made", id="log injection"),
        pytest.param(["X-Request-Id: a", "X-Request-Id: a"], "made", id="two"),
    ],
)
def test_request_has_one_id(asked, lines, request_id):
    head = asked("GET / HTTP/1.1", *lines).head

    assert request_id_of(head, lambda: "made") == request_id
