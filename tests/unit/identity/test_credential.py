import hashlib

import pytest
from hypothesis import given, strategies as st

from pyproxy.errors.refusal import AmbiguousCredentials, BadRequest, InvalidToken
from pyproxy.identity.credential import Credential, CredentialRules, find_credential

RULES = CredentialRules()
SHORT = CredentialRules.compile(max_header_bytes=24, max_token_bytes=8)
OWN = CredentialRules.compile(8192, 4096, ["X-Gateway-Authorization", "X-Gateway-Key"])


def find(fields, query=b"", rules=RULES, repeated=()):
    index = {b"host": b"localhost", **{name.encode(): value for name, value in fields.items()}}
    return find_credential(index, repeated, query, rules)


@pytest.mark.parametrize(
    ("fields", "query", "token", "places"),
    [
        pytest.param({"authorization": b"Bearer K1"}, b"", "K1", {"authorization"}, id="Bearer"),
        pytest.param({"authorization": b"bEARER K1"}, b"", "K1", {"authorization"}, id="any case"),
        pytest.param({"authorization": b"Bearer   K1"}, b"", "K1", {"authorization"}, id="spaces"),
        pytest.param({"authorization": b"K1"}, b"", "K1", {"authorization"}, id="bare"),
        pytest.param({"x-api-key": b"K1"}, b"", "K1", {"x-api-key"}, id="x-api-key"),
        pytest.param({"api-key": b" K1\t"}, b"", "K1", {"api-key"}, id="api-key, white space"),
        pytest.param({"x-goog-api-key": b"K1"}, b"", "K1", {"x-goog-api-key"}, id="Google"),
        pytest.param({}, b"key=K1", "K1", {"?key"}, id="query"),
        pytest.param({}, b"alt=sse&key=K1&x", "K1", {"?key"}, id="query, among others"),
        pytest.param({}, b"%6Bey=K%31", "K1", {"?key"}, id="query, escaped"),
        pytest.param({}, b"key=K%2531", "K%31", {"?key"}, id="query, decoded once"),
        pytest.param({}, b"key=a+b", "a+b", {"?key"}, id="query, plus stays"),
        pytest.param({}, b"100%=1&key=K1", "K1", {"?key"}, id="query, other name broken"),
        pytest.param(
            {"sec-websocket-protocol": b"realtime, openai-insecure-api-key.K1,x"},
            b"",
            "K1",
            {"sec-websocket-protocol"},
            id="sub-protocol",
        ),
        pytest.param(
            {"authorization": b"Bearer K1", "x-api-key": b"K1"},
            b"key=K1&key=K1",
            "K1",
            {"authorization", "x-api-key", "?key"},
            id="the same everywhere",
        ),
        pytest.param(
            {"authorization": b"Bearer", "x-api-key": b"K1"},
            b"key=&key",
            "K1",
            {"x-api-key"},
            id="empty ones are none",
        ),
        pytest.param(
            {"authorization": b"Bearer K1"}, b"beta=true", "K1", {"authorization"}, id="other query"
        ),
        pytest.param(
            {"authorization": b"Bearer K1"}, b"monkey=x", "K1", {"authorization"}, id="monkey"
        ),
    ],
)
def test_found(fields, query, token, places):
    assert find(fields, query) == Credential(token, frozenset(places), is_jwt=False)


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        pytest.param({}, b"", id="nothing"),
        pytest.param({"authorization": b""}, b"", id="empty Authorization"),
        pytest.param({"authorization": b"Bearer "}, b"", id="Bearer without a token"),
        pytest.param({"x-api-key": b""}, b"key=", id="empty key"),
        pytest.param({"sec-websocket-protocol": b"realtime"}, b"", id="other sub-protocols"),
        pytest.param({"xi-api-key": b"K1"}, b"apikey=K1", id="places of others"),
    ],
)
def test_nothing_is_none(fields, query):
    assert find(fields, query) is None


@pytest.mark.parametrize(
    ("fields", "query", "repeated", "refusal"),
    [
        pytest.param(
            {"authorization": b"Bearer K1", "x-api-key": b"K2"},
            b"",
            (),
            AmbiguousCredentials,
            id="two headers",
        ),
        pytest.param(
            {"authorization": b"Bearer K1"}, b"key=K2", (), AmbiguousCredentials, id="query differs"
        ),
        pytest.param(
            {"authorization": b"Bearer K1"},
            b"k%65y=K2",
            (),
            AmbiguousCredentials,
            id="escaped query differs",
        ),
        pytest.param({}, b"key=K1&key=K2", (), AmbiguousCredentials, id="two in the query"),
        pytest.param(
            {"sec-websocket-protocol": b"openai-insecure-api-key.A, openai-insecure-api-key.B"},
            b"",
            (),
            AmbiguousCredentials,
            id="two sub-protocols",
        ),
        pytest.param(
            {"authorization": b"Bearer K1"},
            b"",
            {b"authorization"},
            AmbiguousCredentials,
            id="Authorization twice",
        ),
        pytest.param(
            {"x-api-key": b"K1"}, b"", {b"x-api-key"}, AmbiguousCredentials, id="x-api-key twice"
        ),
        pytest.param({"authorization": b"Basic dTpw"}, b"", (), InvalidToken, id="Basic"),
        pytest.param({"authorization": b"Digest a=1, b=2"}, b"", (), InvalidToken, id="Digest"),
        pytest.param({"authorization": b"Bearer a b"}, b"", (), InvalidToken, id="two tokens"),
        pytest.param({"authorization": b"Bearer \xc3\xa9"}, b"", (), InvalidToken, id="not ASCII"),
        pytest.param({"x-api-key": b"a b"}, b"", (), InvalidToken, id="space within"),
        pytest.param({}, b"key=a%00b", (), InvalidToken, id="NUL in the query"),
        pytest.param({}, b"key=a%0d%0ab", (), InvalidToken, id="line break in the query"),
        pytest.param({}, b"key=%zz", (), BadRequest, id="broken escape"),
        pytest.param({}, b"key=a%4", (), BadRequest, id="cut escape"),
    ],
)
def test_refused(fields, query, repeated, refusal):
    with pytest.raises(refusal) as caught:
        find(fields, query, repeated=repeated)

    assert "K1" not in caught.value.detail


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        pytest.param({"authorization": b"Bearer 123456789"}, b"", id="token over its bound"),
        pytest.param({"authorization": b"123456789"}, b"", id="bare token over its bound"),
        pytest.param({"authorization": b"Bearer " + b" " * 16 + b"12"}, b"", id="long field"),
        pytest.param({"x-api-key": b"123456789"}, b"", id="key over its bound"),
        pytest.param({"x-api-key": b"1" + b" " * 24}, b"", id="long x-api-key"),
        pytest.param({"sec-websocket-protocol": b"a," * 13}, b"", id="long sub-protocols"),
        pytest.param({}, b"key=123456789", id="query over its bound"),
    ],
)
def test_too_long_is_a_bad_request(fields, query):
    with pytest.raises(BadRequest):
        find(fields, query, SHORT)


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(CredentialRules(8192, 2), id="token as long as allowed"),
        pytest.param(CredentialRules(9, 4096), id="field as long as allowed"),
    ],
)
def test_as_long_as_allowed_is_fine(rules):
    assert find({"authorization": b"Bearer K1"}, rules=rules).token == "K1"


def test_field_bound_counts_where_it_is_the_smaller_one():
    with pytest.raises(BadRequest):
        find({"authorization": b"Bearer K1"}, rules=CredentialRules(8, 4096))


@pytest.mark.parametrize(
    ("token", "is_jwt"),
    [
        pytest.param(b"abc", False, id="no dot"),
        pytest.param(b"a.b", False, id="one dot"),
        pytest.param(b"a.b.c", True, id="two dots"),
        pytest.param(b"..", True, id="two dots alone"),
        pytest.param(b"a.b.c.d", False, id="three dots"),
    ],
)
@pytest.mark.parametrize("field", ["authorization", "x-api-key"])
def test_exactly_two_dots_make_a_jwt(field, token, is_jwt):
    value = b"Bearer " + token if field == "authorization" else token

    assert find({field: value}).is_jwt is is_jwt


def test_fields_of_the_routes_own_are_looked_at_alone():
    others = {"authorization": b"Basic dTpw", "x-api-key": b"sk-provider"}

    assert find(others, b"key=K3", OWN, {b"x-api-key"}) is None
    assert find({**others, "x-gateway-key": b"K1"}, b"key=K3", OWN).token == "K1"
    assert find({**others, "x-gateway-authorization": b"bearer K1"}, b"", OWN).token == "K1"


def test_token_never_prints_and_has_a_fingerprint():
    credential = find({"authorization": b"Bearer pyp_secret"})

    assert "secret" not in repr(credential)
    assert credential.fingerprint == hashlib.sha256(b"pyp_secret").hexdigest()[:8]


WORDS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12).map(str.encode)


@given(st.one_of(WORDS, WORDS.map(lambda word: b"Bearer " + word)))
def test_short_way_and_long_way_agree(value):
    def outcome(index):
        try:
            found = find_credential(index, (), b"", RULES)
        except InvalidToken:
            return InvalidToken
        return found and (found.token, found.is_jwt)

    assert outcome({b"authorization": value}) == outcome(
        {b"authorization": value, b"sec-websocket-protocol": b"x"}
    )


@pytest.mark.parametrize(
    ("token", "is_jwt"),
    [
        pytest.param(b"a.b.c", True, id="two dots"),
        pytest.param(b"a.b", False, id="one dot"),
        pytest.param(b"a.b.c.d", False, id="three dots"),
    ],
)
def test_what_stands_in_one_place_is_a_credential_too(token, is_jwt):
    assert Credential.of(token, "cookie") == Credential(
        token.decode(), frozenset({"cookie"}), is_jwt
    )


def test_a_place_of_the_routes_own_counts_beside_the_usual_ones():
    rules = CredentialRules.compile(8192, 4096, also=["xi-api-key", "Authorization"])

    assert find({"xi-api-key": b"K1"}, rules=rules).places == {"xi-api-key"}
    assert find({"authorization": b"Bearer K1"}, rules=rules).places == {"authorization"}
    assert find({}, b"key=K1", rules=rules).places == {"?key"}
    assert find({"xi-api-key": b"K1"}) is None


def test_two_that_differ_are_ambiguous_in_a_place_of_the_routes_own_too():
    rules = CredentialRules.compile(8192, 4096, also=["xi-api-key"])

    with pytest.raises(AmbiguousCredentials):
        find({"authorization": b"Bearer K1", "xi-api-key": b"K2"}, rules=rules)
