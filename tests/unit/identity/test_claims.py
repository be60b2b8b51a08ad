import json

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import ExpiredToken, InvalidToken
from pyproxy.identity.claims import TokenRules, read_claims
from pyproxy.identity.jws_algorithms import ALGORITHMS

WALL = 1_750_000_000.0
OPEN = TokenRules("", "", leeway_s=30.0, max_lifetime_s=86400.0, algorithms=ALGORITHMS)
CLOSED = TokenRules("https://idp", "pyproxy", 30.0, 86400.0, ALGORITHMS)
GOOD = {"sub": "bob", "exp": WALL + 3600, "iat": WALL}
ADDRESSED = {**GOOD, "iss": "https://idp", "aud": "pyproxy"}


def _read(members, rules=OPEN, wall=WALL):
    payload = members if isinstance(members, bytes) else json.dumps(members).encode()
    return read_claims(payload, b"header.payload", "k1", rules, wall)


def test_good_claims_are_told():
    claims = _read({**GOOD, "jti": "t1"})

    assert (claims.subject, claims.token_id, claims.key_id) == ("bob", "t1", "k1")
    assert (claims.expires_at, claims.issued_at) == (WALL + 3600, WALL)


def test_a_token_without_jti_is_named_by_what_was_signed():
    first = _read(GOOD)

    assert first.token_id.startswith("sha256:")
    assert len(first.token_id) == 39
    assert _read({**GOOD, "sub": "eve"}).token_id == first.token_id


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        pytest.param({}, OPEN, id="nothing asked"),
        pytest.param({"iss": "x", "aud": ["a", "b"]}, OPEN, id="not asked, not minded"),
        pytest.param({"iss": "https://idp", "aud": "pyproxy"}, CLOSED, id="aud string"),
        pytest.param({"iss": "https://idp", "aud": ["x", "pyproxy"]}, CLOSED, id="aud list"),
        pytest.param({"exp": WALL + 0.5}, OPEN, id="exp with a fraction"),
        pytest.param({"exp": WALL - 29.5}, OPEN, id="exp within the leeway"),
        pytest.param({"nbf": WALL + 30}, OPEN, id="nbf within the leeway"),
        pytest.param({"iat": WALL + 30}, OPEN, id="iat within the leeway"),
        pytest.param({"nbf": -1, "iat": WALL - 7}, OPEN, id="nbf long ago"),
        pytest.param({"exp": WALL + 86400}, OPEN, id="the longest life"),
        pytest.param({"sub": "J\u00fcrgen"}, OPEN, id="sub beyond ASCII"),
        pytest.param({"sub": "s" * 256}, OPEN, id="sub of 256 characters"),
        pytest.param({"scope": {"any": [None, 1.5]}}, OPEN, id="further claims"),
    ],
)
def test_claims_that_are_let_pass(changes, rules):
    assert _read({**GOOD, **changes}, rules).expires_at > WALL - 30


def test_a_token_without_iat_is_counted_from_now():
    assert _read({"sub": "bob", "exp": WALL + 86400}).issued_at is None
    with pytest.raises(InvalidToken, match="max_lifetime"):
        _read({"sub": "bob", "exp": WALL + 86401})


def _but(name):
    return {key: value for key, value in ADDRESSED.items() if key != name}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param(b"", "JSON", id="empty"),
        pytest.param(b"[]", "object", id="list"),
        pytest.param(b'"bob"', "object", id="string"),
        pytest.param(b"\xff", "UTF-8", id="not UTF-8"),
        pytest.param(b'{"sub":"bob","sub":"root","exp":1}', "twice", id="duplicate sub"),
        pytest.param(b'{"sub":"bob","exp":1,"exp":9e9}', "twice", id="duplicate exp"),
        pytest.param(b'{"sub":"bob","exp":NaN}', "NaN", id="exp NaN"),
        pytest.param(b'{"sub":"bob","exp":Infinity}', "Infinity", id="exp Infinity"),
        pytest.param(b'{"sub":"bob","exp":1e400}', "range", id="exp 1e400"),
        pytest.param(b'{"sub":"bob","exp":' + b"9" * 7000 + b"}", "digits", id="exp huge"),
        pytest.param(b'{"sub":"bob","x":' + b"[" * 3000 + b"]" * 3000 + b"}", "deep", id="deep"),
        pytest.param(_but("exp"), "exp is missing", id="no exp"),
        pytest.param({**ADDRESSED, "exp": None}, "exp is not", id="exp null"),
        pytest.param({**ADDRESSED, "exp": str(WALL + 60)}, "exp is not", id="exp string"),
        pytest.param({**ADDRESSED, "exp": True}, "exp is not", id="exp bool"),
        pytest.param({**ADDRESSED, "exp": [WALL + 60]}, "exp is not", id="exp list"),
        pytest.param({**ADDRESSED, "exp": {}}, "exp is not", id="exp object"),
        pytest.param({**ADDRESSED, "exp": "2999-01-01T00:00:00Z"}, "exp is not", id="exp ISO"),
        pytest.param({**ADDRESSED, "exp": 10**31}, "max_lifetime", id="exp far away"),
        pytest.param({**ADDRESSED, "exp": (WALL + 60) * 1000}, "max_lif", id="exp milliseconds"),
        pytest.param({**ADDRESSED, "exp": WALL + 86401}, "max_lifetime", id="exp-iat too long"),
        pytest.param({**ADDRESSED, "iat": -(10**30)}, "max_lifetime", id="iat far away"),
        pytest.param({**ADDRESSED, "iat": WALL + 31}, "iat lies", id="iat in the future"),
        pytest.param({**ADDRESSED, "iat": str(WALL)}, "iat is not", id="iat string"),
        pytest.param({**ADDRESSED, "iat": False}, "iat is not", id="iat bool"),
        pytest.param({**ADDRESSED, "iat": None}, "iat is not", id="iat null"),
        pytest.param({**ADDRESSED, "nbf": WALL + 31}, "nbf lies", id="nbf in the future"),
        pytest.param({**ADDRESSED, "nbf": "0"}, "nbf is not", id="nbf string"),
        pytest.param({**ADDRESSED, "nbf": True}, "nbf is not", id="nbf bool"),
        pytest.param({**ADDRESSED, "nbf": None}, "nbf is not", id="nbf null"),
        pytest.param(_but("iss"), "iss", id="no iss"),
        pytest.param({**ADDRESSED, "iss": "https://idp/"}, "iss", id="iss with a slash"),
        pytest.param({**ADDRESSED, "iss": "HTTPS://IDP"}, "iss", id="iss in another case"),
        pytest.param({**ADDRESSED, "iss": ["https://idp"]}, "iss", id="iss list"),
        pytest.param({**ADDRESSED, "iss": None}, "iss", id="iss null"),
        pytest.param(_but("aud"), "aud is missing", id="no aud"),
        pytest.param({**ADDRESSED, "aud": "pyproxy2"}, "aud", id="aud prefix"),
        pytest.param({**ADDRESSED, "aud": "x pyproxy y"}, "aud", id="aud substring"),
        pytest.param({**ADDRESSED, "aud": "PYPROXY"}, "aud", id="aud in another case"),
        pytest.param({**ADDRESSED, "aud": []}, "aud", id="aud empty list"),
        pytest.param({**ADDRESSED, "aud": ["pyproxy", 1]}, "aud", id="aud mixed list"),
        pytest.param({**ADDRESSED, "aud": [["pyproxy"]]}, "aud", id="aud nested list"),
        pytest.param({**ADDRESSED, "aud": {"pyproxy": 1}}, "aud", id="aud object"),
        pytest.param({**ADDRESSED, "aud": None}, "aud", id="aud null"),
        pytest.param(_but("sub"), "sub", id="no sub"),
        pytest.param({**ADDRESSED, "sub": ""}, "sub", id="sub empty"),
        pytest.param({**ADDRESSED, "sub": None}, "sub", id="sub null"),
        pytest.param({**ADDRESSED, "sub": 0}, "sub", id="sub number"),
        pytest.param({**ADDRESSED, "sub": ["bob"]}, "sub", id="sub list"),
        pytest.param({**ADDRESSED, "sub": "s" * 257}, "sub", id="sub of 257 characters"),
        pytest.param({**ADDRESSED, "sub": "bob\r\nX-Role: root"}, "sub", id="sub with CRLF"),
        pytest.param({**ADDRESSED, "sub": "bob\x00"}, "sub", id="sub with NUL"),
        pytest.param({**ADDRESSED, "sub": "\ud83d"}, "sub", id="sub half a surrogate pair"),
        pytest.param({**ADDRESSED, "jti": 7}, "jti", id="jti number"),
        pytest.param({**ADDRESSED, "jti": ""}, "jti", id="jti empty"),
        pytest.param({**ADDRESSED, "jti": None}, "jti", id="jti null"),
        pytest.param({**ADDRESSED, "jti": "j" * 257}, "jti", id="jti of 257 characters"),
    ],
)
def test_claims_that_do_not_hold_are_refused(members, reason):
    with pytest.raises(InvalidToken, match=reason):
        _read(members, CLOSED)


@pytest.mark.parametrize(
    "exp",
    [
        pytest.param(WALL - 30, id="at the end of the leeway"),
        pytest.param(WALL - 3600, id="an hour ago"),
        pytest.param(0, id="exp 0"),
        pytest.param(-1, id="exp negative"),
        pytest.param(-1e308, id="exp long before time"),
    ],
)
def test_a_token_past_its_time_says_so(exp):
    with pytest.raises(ExpiredToken):
        _read({**ADDRESSED, "exp": exp}, CLOSED)


@pytest.mark.parametrize(
    "fault", [{"sub": ""}, {"iss": "x"}, {"aud": "x"}, {"nbf": WALL + 99}, {"jti": 1}]
)
def test_what_else_is_wrong_comes_before_expiry(fault):
    with pytest.raises(InvalidToken):
        _read({**ADDRESSED, "exp": WALL - 3600, **fault}, CLOSED)


@pytest.mark.parametrize(
    ("changes", "routes", "limit"),
    [
        pytest.param({}, None, None, id="neither"),
        pytest.param({"routes": ["a", "b"]}, {"a", "b"}, None, id="routes"),
        pytest.param({"routes": []}, set(), None, id="no route at all"),
        pytest.param({"limit": "5r/m"}, None, Rate(5, 60.0), id="limit"),
    ],
)
def test_a_tokens_own_bounds_are_read(changes, routes, limit):
    claims = _read({**GOOD, **changes})

    assert (claims.routes, claims.limit) == (routes, limit)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"routes": None}, id="routes null"),
        pytest.param({"routes": "a"}, id="routes string"),
        pytest.param({"routes": {"a": 1}}, id="routes object"),
        pytest.param({"routes": ["a", 1]}, id="routes of a number"),
        pytest.param({"routes": ["a", ""]}, id="routes of nothing"),
        pytest.param({"routes": [["a"]]}, id="routes nested"),
        pytest.param({"limit": None}, id="limit null"),
        pytest.param({"limit": 20}, id="limit number"),
        pytest.param({"limit": ""}, id="limit empty"),
        pytest.param({"limit": "0r/s"}, id="limit of nothing"),
        pytest.param({"limit": "20r/d"}, id="limit of an unknown unit"),
    ],
)
def test_malformed_bounds_are_not_taken_for_none(changes):
    with pytest.raises(InvalidToken, match=r"routes|limit"):
        _read({**GOOD, **changes})
