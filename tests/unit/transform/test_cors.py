import pytest

from pyproxy.transform.cors import Cors

PREFLIGHT = {b"origin": b"https://app.example", b"access-control-request-method": b"POST"}
GRANT = (
    b"Access-Control-Allow-Methods: GET, POST\r\n"
    b"Access-Control-Allow-Headers: Authorization\r\n"
    b"Access-Control-Max-Age: 600\r\n"
)


def cors(*origins):
    return Cors.of(
        origins=origins,
        methods=("GET", "POST"),
        headers=("Authorization",),
        max_age_s=600.0,
    )


def allowed_origin(block):
    lines = dict(line.split(b": ", 1) for line in block.split(b"\r\n") if line)
    return lines.get(b"Access-Control-Allow-Origin")


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param(b"https://evil.example", id="stranger"),
        pytest.param(b"https://app.example.evil.example", id="suffix"),
        pytest.param(b"https://app.exampl", id="prefix"),
        pytest.param(b"http://app.example", id="scheme"),
        pytest.param(b"https://app.example:444", id="port"),
        pytest.param(b"https://APP.example", id="case"),
        pytest.param(b"null", id="null"),
        pytest.param(b"", id="empty"),
        pytest.param(None, id="none"),
    ],
)
def test_another_origin_is_allowed_nothing_and_caches_are_told(origin):
    assert cors("https://app.example").response_block(origin) == b"Vary: Origin\r\n"


def test_an_origin_on_the_list_is_allowed():
    block = cors("https://app.example", "https://b.example").response_block(b"https://b.example")

    assert allowed_origin(block) == b"https://b.example"
    assert b"Vary: Origin\r\n" in block


def test_any_origin_is_the_same_answer_for_all():
    anyone = cors("*")

    assert allowed_origin(anyone.response_block(b"https://x.example")) == b"*"
    assert anyone.response_block(None) == anyone.response_block(b"https://x.example")
    assert b"Vary" not in anyone.response_block(None)


def test_cookies_are_never_allowed():
    block = cors("https://app.example").preflight_block(b"https://app.example")

    assert b"Allow-Credentials" not in block


def test_a_preflight_grants_methods_and_headers():
    block = cors("https://app.example").preflight_block(b"https://app.example")

    assert allowed_origin(block) == b"https://app.example"
    assert block.endswith(GRANT)


def test_a_preflight_of_any_origin_is_granted():
    assert cors("*").preflight_block(b"https://x.example").endswith(GRANT)


def test_a_strangers_preflight_grants_nothing():
    block = cors("https://app.example").preflight_block(b"https://evil.example")

    assert block == b"Vary: Origin\r\n"


@pytest.mark.parametrize(
    ("method", "index", "expected"),
    [
        pytest.param(b"OPTIONS", PREFLIGHT, True, id="preflight"),
        pytest.param(b"POST", PREFLIGHT, False, id="another method"),
        pytest.param(b"OPTIONS", {b"origin": b"https://app.example"}, False, id="no method asked"),
        pytest.param(b"OPTIONS", {b"access-control-request-method": b"GET"}, False, id="no origin"),
    ],
)
def test_a_preflight_is_told_from_other_requests(method, index, expected):
    assert cors("https://app.example").is_preflight(method, index) is expected


def test_without_origins_there_is_no_cors():
    off = cors()

    assert not off.is_on
    assert not off.is_preflight(b"OPTIONS", PREFLIGHT)
    assert off.response_block(b"https://app.example") == b""
    assert off.preflight_block(b"https://app.example") == b""
