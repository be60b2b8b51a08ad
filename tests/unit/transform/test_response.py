import pytest

from pyproxy.transform.response import downward_end, downward_head, downward_rules, interim_head
from pyproxy.wire.head import read_response_head

SECURITY = (b"X-Frame-Options: DENY\r\n", b"X-Frame-Options: DENY\r\nHSTS: 1\r\n")
NAMES = frozenset({b"x-frame-options"})
RULES = downward_rules(SECURITY, NAMES)
DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
WALL = 784111777.0  # the same moment (RFC 9110 section 5.6.7)


def response(*lines, start=b"HTTP/1.1 200 OK"):
    return read_response_head(b"\r\n".join([start, *lines, b"", b""]))


def down(*lines, start=b"HTTP/1.1 200 OK", rules=RULES, is_tls=False, cors=b"", keeps=False):
    shaped = downward_head(response(*lines, start=start), rules, is_tls, cors, keeps)
    text = shaped.lines + downward_end(shaped, "id-1", WALL)
    first, *others = text.split(b"\r\n")
    assert others.pop() == b""
    return [first, *others]


def test_an_answer_passes_as_it_is_with_ours_behind_it():
    assert down(b"Content-Type: text/plain", b"X-A:  b", b"set-cookie: a", b"set-cookie: b") == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/plain",
        b"X-A:  b",
        b"set-cookie: a",
        b"set-cookie: b",
        b"X-Frame-Options: DENY",
        b"X-Request-Id: id-1",
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT",
    ]


KEY = b"sk-the-providers-own-key+1"
HIDING = downward_rules(SECURITY, NAMES, hidden=(KEY, KEY.replace(b"+", b"%2B"), b"short"))


def test_an_injected_credential_that_comes_back_is_hidden():
    lines = (
        b"Location: /a/?key=sk-the-providers-own-key%2B1&b=2",
        b"X-Echo: Bearer " + KEY + b", " + KEY,
        b"X-Other: short",
    )
    hidden = [b"Location: /a/?key=***&b=2", b"X-Echo: Bearer ***, ***", b"X-Other: short"]

    assert down(*lines, rules=HIDING)[1:4] == hidden
    assert down(start=b"HTTP/1.1 400 No " + KEY, rules=HIDING)[0] == b"HTTP/1.1 400 No ***"
    interim = interim_head(response(*lines, start=b"HTTP/1.1 103 Early"), HIDING)
    assert interim.split(b"\r\n")[1:4] == hidden
    assert KEY not in repr(HIDING).encode()


@pytest.mark.parametrize(
    ("start", "line"),
    [
        pytest.param(b"HTTP/1.0 200 Fine", b"HTTP/1.1 200 Fine", id="version is ours"),
        pytest.param(b"HTTP/1.1 299", b"HTTP/1.1 299 ", id="no reason"),
        pytest.param(b"HTTP/1.1 418 Short \xe9", b"HTTP/1.1 418 Short \xe9", id="obs-text"),
    ],
)
def test_status_and_reason_are_the_upstreams(start, line):
    assert down(start=start)[0] == line


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"Connection: close", id="Connection"),
        pytest.param(b"Keep-Alive: timeout=5", id="Keep-Alive"),
        pytest.param(b"Transfer-Encoding: chunked", id="framing: TE"),
        pytest.param(b"Content-Length: 5", id="framing: CL"),
        pytest.param(b"Trailer: X-A", id="Trailer"),
        pytest.param(b"Upgrade: h2c", id="Upgrade"),
        pytest.param(b"Server: secret/1.0", id="Server"),
        pytest.param(b"Alt-Svc: h3=evil:443", id="Alt-Svc"),
        pytest.param(b"Proxy-Authenticate: Basic", id="Proxy-Authenticate"),
        pytest.param(b"Access-Control-Allow-Origin: *", id="CORS of the upstream"),
        pytest.param(b"Timing-Allow-Origin: *", id="timing of the upstream"),
        pytest.param(b"X-Frame-Options: ALLOWALL", id="protective field of the upstream"),
    ],
)
def test_what_is_not_for_the_client_stays(line):
    assert line not in down(line)


def test_what_connection_names_stays():
    assert b"X-Secret: 1" not in down(b"Connection: X-Secret", b"X-Secret: 1")


def test_connection_cannot_remove_ours():
    lines = down(
        b"Connection: X-Frame-Options, Date, X-Request-Id", DATE.strip(), b"X-Request-Id: u"
    )

    assert b"X-Frame-Options: DENY" in lines
    assert DATE.strip() in lines
    assert b"X-Request-Id: u" in lines


def test_the_upstreams_own_request_id_and_date_stay_alone():
    lines = down(b"x-request-id: req_1", b"date: then")

    assert [line for line in lines if line.lower().startswith((b"x-request-id", b"date"))] == [
        b"x-request-id: req_1",
        b"date: then",
    ]


def test_hsts_is_said_over_tls_alone():
    # RFC 6797 section 7.2
    assert b"HSTS: 1" in down(is_tls=True)
    assert b"HSTS: 1" not in down(is_tls=False)


def test_the_clients_origin_is_answered():
    assert b"Vary: Origin" in down(cors=b"Vary: Origin\r\n")


def test_a_routes_rules_set_and_remove():
    rules = downward_rules(
        SECURITY,
        NAMES,
        set_fields=((b"X-Set", b"ours"), (b"X-Gone", b"")),
        server=b"web",
    )
    lines = down(b"x-set: theirs", b"X-Gone: 1", b"Server: theirs", rules=rules)

    assert b"X-Set: ours" in lines
    assert b"Server: web" in lines
    assert not {b"x-set: theirs", b"X-Gone: 1", b"Server: theirs"} & set(lines)
    assert not [line for line in lines if line.startswith(b"X-Gone")]


@pytest.mark.parametrize(
    ("start", "lines", "keeps", "expected"),
    [
        pytest.param(b"HTTP/1.1 200 OK", [b"Content-Length: 5"], True, True, id="HEAD"),
        pytest.param(b"HTTP/1.1 304 x", [b"Content-Length: 5"], True, True, id="304"),
        pytest.param(b"HTTP/1.1 204 x", [b"Content-Length: 5"], True, False, id="204 has none"),
        pytest.param(b"HTTP/1.1 200 OK", [b"Content-Length: 5"], False, False, id="GET"),
        pytest.param(b"HTTP/1.1 200 OK", [], True, False, id="HEAD without a length"),
        pytest.param(b"HTTP/1.1 200 OK", [b"Content-Length: +5"], True, False, id="no number"),
        pytest.param(b"HTTP/1.1 200 OK", [b"Content-Length: \xb2"], True, False, id="superscript"),
        pytest.param(
            b"HTTP/1.1 200 OK", [b"Content-Length: 5", b"Content-Length: 5"], True, False,
            id="CL.CL",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK", [b"Content-Length: 5", b"Transfer-Encoding: x"], True, False,
            id="CL.TE",
        ),
    ],
)  # fmt: skip
def test_a_length_without_a_body_is_kept_where_it_means_something(start, lines, keeps, expected):
    # RFC 9110 section 8.6
    found = down(*lines, start=start, keeps=keeps)

    assert (b"Content-Length: 5" in found) is expected
    assert len([line for line in found if line.startswith(b"Content-Length")]) == expected


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="the same"),
        pytest.param({"head": response(b"A: b")}, id="another head that reads the same"),
        pytest.param({"rules": downward_rules(SECURITY, NAMES)}, id="rules of another route"),
        pytest.param({"is_tls": True}, id="over TLS"),
        pytest.param({"cors": b"Vary: Origin\r\n"}, id="for another origin"),
        pytest.param({"keeps": True}, id="for HEAD"),
    ],
)
def test_a_head_serves_again_for_what_it_was_made_of_alone(change):
    made = {"head": response(b"A: b"), "rules": RULES, "is_tls": False, "cors": b"", "keeps": False}
    shaped = downward_head(**made)

    assert shaped.is_of(**(made | change)) is not bool(change)


def test_an_interim_answer_passes_without_ours():
    # RFC 9110 section 15.2
    head = response(
        b"Link: </a>; rel=preload", b"Connection: x-a", b"X-A: 1", b"Server: s",
        start=b"HTTP/1.1 103 Early Hints",
    )  # fmt: skip

    assert interim_head(head, RULES) == (b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n")
