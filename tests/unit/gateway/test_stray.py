"""Keys and tokens of ours that nothing asked for are found, and foreign ones are not."""

import base64
import hashlib

import pytest

from pyproxy.errors.refusal import (
    AttemptsSpent,
    BadRequest,
    ExpiredToken,
    InvalidToken,
    RateLimited,
)
from pyproxy.gateway.stray import find_strays
from pyproxy.gateway.visit import admit
from pyproxy.identity.authenticator import Authenticator
from pyproxy.identity.keyring import KeyRing
from pyproxy.identity.keys_file import parse_keys_file
from pyproxy.identity.networks import Networks
from pyproxy.identity.principal import Principal
from pyproxy.identity.recall import Recall
from pyproxy.identity.revocations import Revocations
from pyproxy.identity.shared_secret import SharedSecret

OURS = "pyp_ours-0123456789abcdef"
EXPIRED = "pyp_expired-0123456789abcdef"
SLOW = "pyp_slow-0123456789abcdef"
FOREIGN = "sk-foreign-0123456789abcdef"
SECRET = "shared-0123456789abcdef"
LONG_TOKEN = "e" + "a" * 20 + ".good.token"
TOKEN, OLD_TOKEN, FOREIGN_TOKEN = "a.good.token", "an.old.token", "a.foreign.token"
WALL = 2_000_000_000.0
HASH = "$2b$10$" + "a" * 21 + "." + "a" * 31


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def sha256(name, key, options=""):
    return f"{name}:sha256:{hashlib.sha256(key.encode()).hexdigest()} {options}\n"


WAIT = ((b"Retry-After", b"12"),)


class Gate:
    """Finds that one key matches the one hash, without the work."""

    def __init__(self):
        self.tried = []
        self.is_busy = False

    def is_trying(self, _secret, _hashes):
        return False

    def untried(self, _secret, refusal):
        return refusal

    async def matches(self, secret, _hashes, _client):
        self.tried.append(secret)
        if self.is_busy:
            raise RateLimited
        return 0 if secret == SLOW.encode() else None


class Tokens:
    """Knows two tokens by heart."""

    generation = 1

    async def verify(self, token, _wall):
        if token == OLD_TOKEN:
            raise ExpiredToken
        if token not in {TOKEN, LONG_TOKEN}:
            raise InvalidToken
        return Principal("bob", "jwt", expires_at=WALL + 60, token_id="id")


class Budget:
    """Failures that a client has left."""

    client = "192.0.2.1"

    def __init__(self):
        self.left = 3

    async def reserve(self):
        if not self.left:
            raise AttemptsSpent(fields=WAIT)
        self.left -= 1

    async def refund(self):
        self.left += 1

    async def spend(self):
        raise AssertionError("nothing was claimed")


class House:
    """Keys and tokens of ours."""

    def __init__(self, *, hashes):
        text = sha256("alice", OURS) + sha256("old", EXPIRED, "expires=2001-01-01")
        if hashes:
            text += f"slow:{HASH}\n"
        self.gate, self.budget = Gate(), Budget()
        ring = KeyRing.build(parse_keys_file(text, "keys"))
        self.authenticator = Authenticator(
            ring, Recall(b"r" * 32), self.gate, Tokens(), Revocations(), cache_ttl_s=60.0
        )

    async def find(self, exchange):
        visit = admit(exchange, Networks(), "id")
        secrets = (SharedSecret("X-Gate", SECRET),)
        return await find_strays(self.authenticator, visit, self.budget, WALL, secrets)


@pytest.fixture
def house():
    return House(hashes=False)


@pytest.fixture
def slow_house():
    return House(hashes=True)


@pytest.mark.parametrize(
    ("target", "lines", "places"),
    [
        pytest.param("/", [f"Authorization: Bearer {OURS}"], {"authorization"}, id="key"),
        pytest.param("/", [f"Authorization: Bearer {TOKEN}"], {"authorization"}, id="token"),
        pytest.param("/", [f"x-api-key: {EXPIRED}"], {"x-api-key"}, id="expired key"),
        pytest.param("/", [f"Authorization: {OLD_TOKEN}"], {"authorization"}, id="expired token"),
        pytest.param(
            "/", [f"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.{OURS}"],
            {"sec-websocket-protocol"}, id="sub-protocol",
        ),
        pytest.param(f"/?key={OURS}", [], {"?key"}, id="query"),
        pytest.param(f"/?%6bey={OURS}", [], {"?key"}, id="escaped name in the query"),
        pytest.param(
            f"/?key={OURS}", [f"api-key: {OURS}", f"x-goog-api-key: {TOKEN}"],
            {"?key", "api-key", "x-goog-api-key"}, id="everywhere",
        ),
        pytest.param(
            "/", [f"Authorization: Bearer {FOREIGN}", f"x-api-key: {OURS}"],
            {"x-api-key"}, id="beside a foreign one",
        ),
        pytest.param(
            "/", [f"x-api-key: {OURS}", f"x-api-key: {FOREIGN}"], {"x-api-key"},
            id="two in one place",
        ),
        pytest.param(
            f"/?key={FOREIGN}&key={OURS}", [], {"?key"}, id="two in the query",
        ),
        pytest.param("/", [f"x-api-key: {OURS}{' ' * 9000}"], {"x-api-key"}, id="padded"),
        pytest.param("/", [f"Authorization: Token {OURS}"], {"authorization"}, id="another scheme"),
        pytest.param("/", [f"Authorization: Bearer {OURS} x"], {"authorization"}, id="more behind"),
        pytest.param("/", [f"Authorization: {basic('u', OURS)}"], {"authorization"}, id="password"),
        pytest.param("/", [f"Authorization: {basic(OURS, '')}"], {"authorization"}, id="user"),
        pytest.param("/", [f"Authorization: {basic(OURS, 'x')}"], {"authorization"}, id="user too"),
        pytest.param("/", [f"x-api-key: Bearer {OURS}"], {"x-api-key"}, id="scheme in a key field"),
        pytest.param("/", [f"xi-api-key: {OURS}"], {"xi-api-key"}, id="xi-api-key"),
        pytest.param("/", [f"X-Auth-Token: {OURS}"], {"x-auth-token"}, id="x-auth-token"),
        pytest.param("/", [f"X-Other: {OURS}"], {"x-other"}, id="any field"),
        pytest.param("/", [f"X-Other: {EXPIRED}"], {"x-other"}, id="any field, expired"),
        pytest.param("/", [f"X-Other: a=b,k={OURS};c"], {"x-other"}, id="a word of any field"),
        pytest.param("/", [f'X-Other: {{"key":"{OURS}"}}'], {"x-other"}, id="JSON in a field"),
        pytest.param("/", [f"Cookie: a=b; x={OURS}; c=d"], {"cookie"}, id="cookie"),
        pytest.param("/", [f"Cookie: x={LONG_TOKEN}"], {"cookie"}, id="token in a cookie"),
        pytest.param("/", [f"Referer: https://x/a?b={OURS}&c"], {"referer"}, id="Referer"),
        pytest.param(f"/?api_key={OURS}&a=b", [], {"?api_key"}, id="?api_key"),
        pytest.param(f"/?Access_Token={OURS}", [], {"?access_token"}, id="?access_token"),
        pytest.param(f"/?token={OURS}", [], {"?token"}, id="?token"),
        pytest.param(f"/?x=a%20{OURS[:8]}%2d{OURS[9:]}", [], {"?x"}, id="any parameter, escaped"),
        pytest.param(f"/?a=b;token={OURS}", [], {"?a"}, id="behind a semicolon"),
        pytest.param(
            f"/?x={OURS}", [f"X-Api-Key: {OURS}", f"Cookie: y={OURS}"],
            {"?x", "x-api-key", "cookie"}, id="the same here and there",
        ),
        pytest.param(
            "/", [f"X-Gate: {SECRET}", f"X-Copy: {SECRET}"], {"x-gate", "x-copy"},
            id="another route's shared secret",
        ),
        pytest.param(
            "/", ["X-Gate: foreign", f"X-Gate: {SECRET}"], {"x-gate"}, id="shared secret, twice",
        ),
    ],
)  # fmt: skip
async def test_what_is_ours_is_found(house, asked, target, lines, places):
    found = await house.find(asked(f"GET {target} HTTP/1.1", *lines))

    assert found.places == places
    assert found.token == ""


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        pytest.param("/", [], id="nothing"),
        pytest.param("/?a=b", [], id="another query"),
        pytest.param(f"/?key={FOREIGN}", [f"x-api-key: {FOREIGN}"], id="foreign keys"),
        pytest.param("/", [f"Authorization: Bearer {FOREIGN_TOKEN}"], id="foreign token"),
        pytest.param("/", ["Authorization: Basic dXNlcjpwYXNz"], id="Basic"),
        pytest.param("/", ["x-api-key:"], id="empty field"),
        pytest.param("/?key=", [], id="empty parameter"),
        pytest.param("/?key=a%00b", [], id="control character"),
        pytest.param("/", [f"x-api-key: {'a' * 10_000}"], id="longer than any of ours"),
        pytest.param(f"/?token={FOREIGN}", [f"Cookie: a={FOREIGN}"], id="foreign keys elsewhere"),
        pytest.param("/", [f"x-api-key: {FOREIGN}", f"x-api-key: {FOREIGN}"], id="foreign twice"),
        pytest.param("/", [f"Accept: {OURS}"], id="a field of a fixed form"),
        pytest.param("/", ["Authorization: Basic"], id="Basic without credentials"),
        pytest.param("/", ["Authorization: Basic x"], id="Basic that is no Base64"),
        pytest.param("/?&&=&%ff=b", [], id="parameters without names"),
    ],
)
async def test_what_is_not_ours_is_not(house, asked, target, lines):
    assert await house.find(asked(f"GET {target} HTTP/1.1", *lines)) is None


async def test_foreign_key_costs_nothing(house, asked):
    await house.find(asked("GET / HTTP/1.1", f"x-api-key: {FOREIGN}"))

    assert house.budget.left == 3


async def test_foreign_key_is_paid_for_where_keys_are_hashed_but_once(slow_house, asked):
    for _ in range(3):
        await slow_house.find(asked("GET / HTTP/1.1", f"x-api-key: {FOREIGN}"))

    assert slow_house.gate.tried == [FOREIGN.encode()]
    assert slow_house.budget.left == 2


async def test_hashed_key_of_ours_is_found_and_costs_nothing(slow_house, asked):
    found = [await slow_house.find(asked("GET / HTTP/1.1", f"api-key: {SLOW}")) for _ in range(2)]

    assert [credential.places for credential in found] == [{"api-key"}] * 2
    assert slow_house.gate.tried == [SLOW.encode()]
    assert slow_house.budget.left == 3


async def test_token_is_never_hashed(slow_house, asked):
    await slow_house.find(asked("GET / HTTP/1.1", f"Authorization: Bearer {FOREIGN_TOKEN}"))

    assert slow_house.gate.tried == []


async def test_too_many_unknown_keys_are_refused(slow_house, asked):
    slow_house.budget.left = 0
    with pytest.raises(RateLimited) as caught:
        await slow_house.find(asked("GET / HTTP/1.1", f"x-api-key: {FOREIGN}"))

    assert not caught.value.is_failed_attempt
    assert caught.value.fields == WAIT


async def test_key_that_nobody_can_look_at_now_is_refused(slow_house, asked):
    # Passed on, it might be one of ours.
    slow_house.gate.is_busy = True
    with pytest.raises(RateLimited):
        await slow_house.find(asked("GET / HTTP/1.1", f"x-api-key: {SLOW}"))

    assert slow_house.budget.left == 3


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(f"/openai/{OURS}/v1", id="path"),
        pytest.param(f"/openai/%70{OURS[1:]}", id="escaped in the path"),
        pytest.param(f"/openai/key={OURS};x", id="part of a segment"),
        pytest.param(f"/?{OURS}", id="a parameter's name"),
        pytest.param(f"/?{OURS}=a", id="a parameter's name with a value"),
        pytest.param(f"/?%ff={OURS}", id="a parameter with a name that is not ASCII"),
    ],
)
async def test_key_that_cannot_be_taken_off_is_refused(house, asked, target):
    with pytest.raises(BadRequest):
        await house.find(asked(f"GET {target} HTTP/1.1"))


@pytest.mark.parametrize(
    ("target", "line", "tried"),
    [
        pytest.param("/", f"Authorization: Token {FOREIGN}", [FOREIGN], id="another scheme"),
        pytest.param("/", f"Authorization: {basic('u', FOREIGN)}", [FOREIGN], id="password"),
        pytest.param("/", f"Authorization: {basic(FOREIGN, '')}", [FOREIGN], id="user"),
        pytest.param(f"/?token={FOREIGN}", "Accept: */*", [FOREIGN], id="parameter"),
        pytest.param(
            "/", f"Sec-WebSocket-Protocol: a, openai-insecure-api-key.{FOREIGN}, b", [FOREIGN],
            id="sub-protocol",
        ),
        pytest.param("/", "Sec-WebSocket-Protocol: a, b", [], id="other sub-protocols"),
        pytest.param("/", f"Cookie: a={FOREIGN}", [], id="cookie"),
        pytest.param(f"/{FOREIGN}?x={FOREIGN}", f"X: {FOREIGN}", [], id="where keys seldom are"),
    ],
)  # fmt: skip
async def test_only_what_most_likely_is_a_key_is_hashed(slow_house, asked, target, line, tried):
    await slow_house.find(asked(f"GET {target} HTTP/1.1", line))

    assert [secret.decode() for secret in slow_house.gate.tried] == tried


async def test_hashed_key_that_was_used_is_found_anywhere(slow_house, asked):
    await slow_house.find(asked("GET / HTTP/1.1", f"x-api-key: {SLOW}"))
    found = await slow_house.find(asked("GET / HTTP/1.1", f"Cookie: a={SLOW}"))

    assert found.places == {"cookie"}
