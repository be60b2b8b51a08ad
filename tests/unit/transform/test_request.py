import re

import pytest
from hypothesis import given, settings, strategies as st

from pyproxy.transform.credential_places import CREDENTIAL_FIELDS
from pyproxy.transform.request import (
    Sender,
    upward_end,
    upward_head,
    upward_rules,
    versioned,
)
from pyproxy.wire.forwarded import CLAIMS
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import read_request_head

PLAIN = upward_rules(via=False, tells_client=False)
INJECTING = upward_rules(
    injected=((b"Authorization", b"Bearer PROVIDER"),), via=False,
    tells_client=False,
)  # fmt: skip


def sender(**changes):
    values = {
        "peer": "192.0.2.1",
        "address": "192.0.2.1",
        "is_trusted": False,
        "scheme": "https",
        "host": b"gw.example",
        "name": "alice",
        "credential_fields": frozenset(),
        "credential_query": frozenset(),
    }
    return Sender(**(values | changes))


def request(*lines, method=b"GET"):
    return read_request_head(b"\r\n".join([method + b" / HTTP/1.1", *lines, b"", b""]))


def up(*lines, method=b"GET", path=b"/a", query=None, length=0, rules=PLAIN, **of_sender):
    head = request(*lines, method=method)
    shaped = upward_head(head, path, query, rules, sender(**of_sender))
    host = b"Host: up.example\r\n"
    text = shaped.start + host + shaped.lines + upward_end(shaped, "id-1", length)
    assert text.endswith(b"\r\n\r\n")
    return text[:-4].split(b"\r\n")


def values(lines, name):
    return [
        line[len(name) + 2 :] for line in lines if line.lower().startswith(name.lower() + b": ")
    ]


def test_a_request_passes_as_it_is_to_the_upstreams_host():
    assert up(b"Host: gw.example", b"aCCept:*/*", b"X-Two: 1", b"x-two:  2") == [
        b"GET /a HTTP/1.1",
        b"Host: up.example",
        b"aCCept:*/*",
        b"X-Two: 1",
        b"x-two:  2",
        b"X-Request-Id: id-1",
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"Connection: close", id="Connection"),
        pytest.param(b"Keep-Alive: timeout=5", id="Keep-Alive"),
        pytest.param(b"Proxy-Connection: close", id="Proxy-Connection"),
        pytest.param(b"Upgrade: h2c", id="h2c"),
        pytest.param(b"HTTP2-Settings: AAMA", id="h2c settings"),
        pytest.param(b"Transfer-Encoding: x", id="framing: TE"),
        pytest.param(b"Trailer: X-A", id="Trailer"),
        pytest.param(b"TE: gzip", id="TE"),
        pytest.param(b"Proxy-Authorization: Basic x", id="Proxy-Authorization"),
        pytest.param(b"X-Request-Id: theirs", id="request id"),
        pytest.param(b"X_Forwarded_For: 1.1.1.1", id="underscore"),
    ],
)
def test_what_speaks_to_this_hop_stays(line):
    assert line not in up(line, b"Accept: */*")


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_what_a_stranger_claims_about_the_client_stays(name):
    # RFC 9700 section 4.13
    assert not values(up(name + b": evil"), name)


def test_what_connection_names_stays():
    assert not values(up(b"Connection: X-Trace", b"X-Trace: 1"), b"X-Trace")


@pytest.mark.parametrize(
    "name", [b"Authorization", b"Via", b"X-Forwarded-For", b"X-Request-Id", b"X-User", b"X-Set"]
)
def test_connection_cannot_remove_ours(name):
    # CVE-2022-31813
    rules = upward_rules(
        injected=((b"Authorization", b"Bearer PROVIDER"),),
        set_fields={b"X-Set": b"1"},
        identity_field=b"X-User",
    )

    assert values(up(b"Connection: close, " + name, name + b": evil", rules=rules), name) not in (
        [],
        [b"evil"],
    )


OTHERS = (
    b"X-Authorization Authentication X-Auth X-Auth-Key Token X-Token X-Key X-Secret Access-Token "
    b"Helicone-Auth X-OpenAI-Api-Key x-portkey-api-key X-Gemini-APIKEY Private-Token "
    b"x-goog-iam-authorization-token Subscription-Key X-GitHub-Token"
).split()


@pytest.mark.parametrize(
    "name", sorted({*CREDENTIAL_FIELDS, *OTHERS, b"proxy-authorization", b"X_Api_Key"})
)
def test_client_credential_never_travels_on_beside_an_injected_one(name):
    lines = up(name + b": CLIENT", rules=INJECTING)

    assert not [line for line in lines if b"CLIENT" in line]
    assert values(lines, b"Authorization") == [b"Bearer PROVIDER"]


@pytest.mark.parametrize(
    "name",
    (
        b"Idempotency-Key Sec-WebSocket-Key Copilot-Session-Token X-Stainless-Auth-Mode "
        b"anthropic-beta openai-organization X-Api-Key-Hint X-Author"
    ).split(),
)
def test_what_is_no_credential_travels_on_beside_an_injected_one(name):
    assert values(up(name + b": v", rules=INJECTING), name) == [b"v"]


def test_an_injected_credential_does_not_print():
    rules = upward_rules(injected=((b"X", b"PROVIDER"),), injected_query=b"key=PROVIDER")
    head = upward_head(request(b"X-Note: CLIENT"), b"/a", b"", rules, sender())

    assert not {"PROVIDER", "CLIENT"} & {*re.findall("[A-Z]{6,}", f"{rules} {head}")}


def test_without_injection_the_clients_credential_is_the_upstreams():
    assert up(b"Authorization: Bearer C", b"Cookie: a")[2:4] == [
        b"Authorization: Bearer C",
        b"Cookie: a",
    ]


def test_the_gateways_own_credential_never_travels_on():
    lines = up(b"X-Api-Key: GW", b"Authorization: up", credential_fields=frozenset({b"x-api-key"}))

    assert not values(lines, b"X-Api-Key")
    assert values(lines, b"Authorization") == [b"up"]


def test_a_public_api_gets_no_cookies_and_does_not_hear_of_us():
    rules = upward_rules(via=False, tells_client=False, drops_cookies=True)

    assert up(b"Cookie: a=b", rules=rules) == [
        b"GET /a HTTP/1.1", b"Host: up.example", b"X-Request-Id: id-1",
    ]  # fmt: skip


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_public_api_does_not_hear_whom_else_a_request_passed(is_trusted):
    rules = upward_rules(via=False, tells_client=False, drops_cookies=True)
    claims = (b"Via: 1.1 corp", b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Port: 1")

    assert up(*claims, b"True-Client-Ip: 10.0.0.1", rules=rules, is_trusted=is_trusted) == [
        b"GET /a HTTP/1.1", b"Host: up.example", b"X-Request-Id: id-1",
    ]  # fmt: skip


def test_set_fields_replace_and_remove():
    rules = upward_rules(
        set_fields={b"X-Set": b"ours", b"User-Agent": b""},
        also_dropped=frozenset({b"x-proxy-token"}),
    )
    lines = up(b"x-set: theirs", b"user-agent: curl", b"X-Proxy-Token: s", rules=rules)

    assert values(lines, b"X-Set") == [b"ours"]
    assert not values(lines, b"User-Agent")
    assert not values(lines, b"X-Proxy-Token")


def test_a_default_is_added_where_the_client_sent_none():
    rules = upward_rules(defaults={b"Anthropic-Version": b"2023-06-01"})

    assert values(up(rules=rules), b"Anthropic-Version") == [b"2023-06-01"]
    assert values(up(b"anthropic-version: x", rules=rules), b"Anthropic-Version") == [b"x"]


def test_the_gateway_names_itself():
    # RFC 9110 section 7.6.3
    assert values(up(b"Via: 1.0 other", rules=upward_rules()), b"Via") == [
        b"1.0 other",
        b"1.1 pyproxy",
    ]


TELLING = upward_rules(via=False)


def told(lines):
    names = (b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Real-IP")
    return [values(lines, name) for name in names]


def test_a_strangers_chain_begins_anew():
    lines = up(b"X-Forwarded-For: 1.1.1.1", b"X-Forwarded-Host: evil", rules=TELLING)

    assert told(lines) == [[b"192.0.2.1"], [b"https"], [b"gw.example"], [b"192.0.2.1"]]


def test_a_trusted_peers_chain_goes_on():
    lines = up(
        b"X-Forwarded-For: 203.0.113.9", b"X-Forwarded-For:10.0.0.7",
        b"X-Forwarded-Proto: http", b"X-Forwarded-Host: shop", b"X-Real-IP: x", b"Forwarded: for=x",
        b"X-Client-Ip: kept",
        rules=TELLING, peer="10.0.0.1", address="203.0.113.9", is_trusted=True,
    )  # fmt: skip

    assert told(lines) == [
        [b"203.0.113.9, 10.0.0.7, 10.0.0.1"], [b"http"], [b"shop"], [b"203.0.113.9"],
    ]  # fmt: skip
    assert not values(lines, b"Forwarded")
    assert values(lines, b"X-Client-Ip") == [b"kept"]


@pytest.mark.parametrize(
    ("line", "chain"),
    [
        pytest.param(b"X-Forwarded-For:", b"10.0.0.1", id="empty"),
        pytest.param(b"X-Forwarded-For: ,", b"10.0.0.1", id="a comma alone"),
        pytest.param(b"X-Forwarded-For: 203.0.113.9, ,", b"203.0.113.9, 10.0.0.1", id="behind"),
    ],
)
def test_a_trusted_peers_empty_elements_do_not_travel(line, chain):
    lines = up(line, rules=TELLING, peer="10.0.0.1", address="10.0.0.1", is_trusted=True)

    assert values(lines, b"X-Forwarded-For") == [chain]


def test_a_trusted_peer_that_says_nothing_is_the_client():
    lines = up(rules=TELLING, peer="10.0.0.1", address="10.0.0.1", is_trusted=True)

    assert told(lines) == [[b"10.0.0.1"], [b"https"], [b"gw.example"], [b"10.0.0.1"]]


NAMING = upward_rules(identity_field=b"X-User", via=False, tells_client=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("alice@example.com", b"alice@example.com", id="plain"),
        pytest.param("a\r\nX-Admin: 1", b"a%0D%0AX-Admin%3A 1", id="CRLF injection"),
        pytest.param("Zoë 王", b"Zo%C3%AB %E7%8E%8B", id="no ASCII"),
        pytest.param(" admin", b"%20admin", id="space in front"),
    ],
)
def test_the_upstream_learns_the_callers_name_and_only_from_us(name, value):
    lines = up(b"X-User: evil", b"x-user: evil", rules=NAMING, name=name)

    assert values(lines, b"X-User") == [value]


def test_nobody_has_no_name():
    assert not values(up(b"X-User: evil", rules=NAMING, name=""), b"X-User")


@settings(deadline=None)
@given(st.text(max_size=20))
def test_whatever_the_name_one_field_comes_of_it(name):
    lines = up(rules=NAMING, name=name)

    assert len(lines) == 3 + bool(name)


@pytest.mark.parametrize(
    ("method", "sent", "length", "framing"),
    [
        pytest.param(b"GET", [], 0, [], id="GET"),
        pytest.param(b"GET", [b"Content-Length: 0"], 0, [b"Content-Length: 0"], id="GET said so"),
        pytest.param(b"GET", [], 3, [b"Content-Length: 3"], id="GET with a body"),
        pytest.param(b"POST", [], 0, [b"Content-Length: 0"], id="POST without a body"),
        pytest.param(b"PUT", [], 7, [b"Content-Length: 7"], id="PUT"),
        pytest.param(b"DELETE", [], 0, [], id="DELETE"),
        pytest.param(b"POST", [], CHUNKED, [b"Transfer-Encoding: chunked"], id="chunked"),
        pytest.param(
            b"POST", [b"Content-Length: 0007"], 7, [b"Content-Length: 7"], id="written anew"
        ),
    ],
)
def test_a_body_is_framed_anew(method, sent, length, framing):
    # RFC 9110 section 8.6
    lines = up(*sent, method=method, length=length)

    assert [
        line for line in lines if line.startswith((b"Content-Length", b"Transfer-Encoding"))
    ] == framing


def test_trailers_are_taken_if_the_client_takes_them():
    # RFC 9110 section 10.1.4
    lines = up(b"TE: trailers, gzip", b"Connection: TE, close")

    assert values(lines, b"TE") == [b"trailers"]
    assert values(lines, b"Connection") == [b"TE"]
    assert not values(up(b"TE: gzip"), b"TE")


def target(path=b"/a", query=None, **rest):
    return up(path=path, query=query, **rest)[0].split(b" ")[1]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        pytest.param(b"/a%2Fb%20;c", None, b"/v1/a%2Fb%20;c", id="path as it was sent"),
        pytest.param(b"/", None, b"/v1/", id="root"),
        pytest.param(b"/a", b"", b"/v1/a?", id="empty query"),
        pytest.param(b"/a", b"x=%20&y&&z=/?", b"/v1/a?x=%20&y&&z=/?", id="query as it was sent"),
        pytest.param(b"*", None, b"*", id="asterisk-form"),
    ],
)
def test_the_target_is_the_upstreams_base_and_what_the_client_sent(path, query, expected):
    rules = upward_rules(base=b"/v1")

    assert target(path, query, rules=rules) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(b"key=C", b"/a", id="alone"),
        pytest.param(b"a=1&key=C&b=2", b"/a?a=1&b=2", id="in between"),
        pytest.param(b"key=C&key=D", b"/a", id="twice"),
        pytest.param(b"KEY=C&Api_Key=C&apikey=C", b"/a", id="any case"),
        pytest.param(b"%6bey=C&a", b"/a?a", id="escaped"),
        pytest.param(b"key", b"/a", id="without a value"),
        pytest.param(b"keys=1&a=key", b"/a?keys=1&a=key", id="other names"),
        pytest.param(b"access_token=C&b=1", b"/a?b=1", id="OAuth's"),
        pytest.param(b"api-key=C&API_KEY=C", b"/a", id="hyphen or underscore"),
        pytest.param(b"+key=C&key%20=C&%00key=C&key%00=C", b"/a", id="spaces and NULs"),
        pytest.param(b"a=1;key=C;b=2&c;d", b"/a?a=1;b=2&c;d", id="behind a semicolon"),
        pytest.param(b"a=1&;key=C&&b", b"/a?a=1&&&b", id="empty ones stay"),
        pytest.param(b"key=C;key=D", b"/a", id="twice with a semicolon"),
        pytest.param(b"", b"/a?", id="empty"),
        pytest.param(None, b"/a", id="none"),
    ],
)
def test_client_credential_in_a_query_never_travels_on(query, expected):
    assert target(query=query, rules=INJECTING) == expected
    assert target(query=query) == (b"/a" if query is None else b"/a?" + query)


def test_the_gateways_own_credential_in_a_query_never_travels_on():
    assert target(query=b"a&key=GW", credential_query=frozenset({b"key"})) == b"/a?a"


def test_a_client_does_not_name_the_injected_parameter_first():
    rules = upward_rules(injected_query=b"%74oken=PROVIDER")

    assert target(query=b"Token=C&a", rules=rules) == b"/a?a&%74oken=PROVIDER"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(None, b"/a?key=PROVIDER", id="none"),
        pytest.param(b"", b"/a?key=PROVIDER", id="empty"),
        pytest.param(b"key=C", b"/a?key=PROVIDER", id="the client's own"),
        pytest.param(b"a=1&key=C", b"/a?a=1&key=PROVIDER", id="others"),
    ],
)
def test_a_credential_is_injected_into_the_query(query, expected):
    rules = upward_rules(injected_query=b"key=PROVIDER")

    assert target(query=query, rules=rules) == expected


def test_a_peer_on_a_unix_socket_is_told_as_unknown():
    lines = up(rules=upward_rules(via=False), peer="", address="")

    assert values(lines, b"X-Forwarded-For") == [b"unknown"]
    assert values(lines, b"X-Real-IP") == [b"unknown"]


ASKS = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: k")


def test_what_a_request_asks_to_change_to_is_kept_apart_from_its_lines():
    head = request(*ASKS, b"TE: trailers")
    shaped = upward_head(head, b"/a", None, PLAIN, sender())

    assert shaped.protocols == (b"websocket",)
    assert shaped.lines == b"Sec-WebSocket-Key: k\r\n"
    assert upward_end(shaped, "id-1", 0, shaped.protocols) == (
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nX-Request-Id: id-1\r\n\r\n"
    )


OFFERS = b"Sec-WebSocket-Protocol:  chat,openai-insecure-api-key.K"


@pytest.mark.parametrize(
    ("rules", "of_sender", "line"),
    [
        pytest.param(PLAIN, {}, [OFFERS], id="somebody else's stays"),
        pytest.param(
            PLAIN, {"is_sub_protocol": True}, [b"Sec-WebSocket-Protocol: chat"], id="ours goes"
        ),
        pytest.param(INJECTING, {}, [b"Sec-WebSocket-Protocol: chat"], id="beside an injected"),
        pytest.param(
            PLAIN,
            {"credential_fields": frozenset({b"sec-websocket-protocol"})},
            [],
            id="the field held ours otherwise",
        ),
        pytest.param(
            INJECTING,
            {"credential_fields": frozenset({b"sec-websocket-protocol"})},
            [],
            id="otherwise, and beside an injected",
        ),
    ],
)
def test_credentials_among_sub_protocols(rules, of_sender, line):
    found = [
        each for each in up(OFFERS, rules=rules, **of_sender) if each.startswith(b"Sec-WebSocket")
    ]

    assert found == line


@pytest.mark.parametrize(
    "offer",
    [
        b"OpenAI-Insecure-Api-Key.C",
        b"Bearer.C",
        b'"openai-insecure-api-key.C"',
        b"base64url.bearer.authorization.k8s.io.C",
        b"xi-api-key.C",
    ],
)
def test_no_sub_protocol_that_may_be_a_credential_stands_beside_an_injected_one(offer):
    line = b"Sec-WebSocket-Protocol: realtime, " + offer + b", openai-beta.realtime-v1"
    kept = b"Sec-WebSocket-Protocol: realtime, openai-beta.realtime-v1"

    assert kept in up(line, rules=INJECTING)
    assert line in up(line)


def test_a_protocol_that_is_a_credential_of_ours_is_not_asked_for():
    head = request(b"Connection: Upgrade", b"Upgrade: C")
    ours = sender(credential_fields=frozenset({b"upgrade"}))

    assert upward_head(head, b"/a", None, PLAIN, sender()).protocols == (b"C",)
    assert upward_head(head, b"/a", None, PLAIN, ours).protocols == ()


@pytest.mark.parametrize(
    ("path", "version", "expected"),
    [
        pytest.param(b"/responses", b"/v1", b"/v1/responses", id="added"),
        pytest.param(b"/v1/responses", b"/v1", b"/v1/responses", id="never twice"),
        pytest.param(b"/v1", b"/v1", b"/v1", id="alone"),
        pytest.param(b"/v10/x", b"/v1", b"/v1/v10/x", id="segments are whole"),
        pytest.param(b"/", b"/v1", b"/v1/", id="root"),
        pytest.param(b"*", b"/v1", b"*", id="the server itself"),
        pytest.param(b"/responses", b"", b"/responses", id="no version"),
    ],
)
def test_a_version_is_added_once(path, version, expected):
    assert versioned(path, version) == expected
