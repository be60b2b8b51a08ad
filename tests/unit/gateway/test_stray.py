"""Keys and tokens of ours that nothing asked for are found, and foreign ones are not."""

import hashlib

import pytest

from pyproxy.errors.refusal import ExpiredToken, InvalidToken, RateLimited
from pyproxy.gateway.stray import find_strays
from pyproxy.gateway.visit import admit
from pyproxy.identity.authenticator import Authenticator
from pyproxy.identity.keyring import KeyRing
from pyproxy.identity.keys_file import parse_keys_file
from pyproxy.identity.networks import Networks
from pyproxy.identity.principal import Principal
from pyproxy.identity.recall import Recall
from pyproxy.identity.revocations import Revocations

OURS = "pyp_ours-0123456789abcdef"
EXPIRED = "pyp_expired-0123456789abcdef"
SLOW = "pyp_slow-0123456789abcdef"
FOREIGN = "sk-foreign-0123456789abcdef"
TOKEN, OLD_TOKEN, FOREIGN_TOKEN = "a.good.token", "an.old.token", "a.foreign.token"
WALL = 2_000_000_000.0
HASH = "$2b$10$" + "a" * 21 + "." + "a" * 31


def sha256(name, key, options=""):
    return f"{name}:sha256:{hashlib.sha256(key.encode()).hexdigest()} {options}\n"


class Gate:
    """Finds that one key matches the one hash, without the work."""

    def __init__(self):
        self.tried = []
        self.is_busy = False

    async def matches(self, secret, _hashes):
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
        if token != TOKEN:
            raise InvalidToken
        return Principal("bob", "jwt", expires_at=WALL + 60, token_id="id")


class Budget:
    """Failures that a client has left."""

    def __init__(self):
        self.left = 3

    async def reserve(self):
        if not self.left:
            raise RateLimited
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
        return await find_strays(self.authenticator, visit, self.budget, WALL)


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
            "/", [f"x-api-key: {FOREIGN}", f"x-api-key: {FOREIGN}"], {"x-api-key"},
            id="two in one place",
        ),
        pytest.param(
            f"/?key={FOREIGN}&key={OURS}", [], {"?key"}, id="two in the query",
        ),
        pytest.param("/", [f"x-api-key: {OURS}{' ' * 9000}"], {"x-api-key"}, id="padded"),
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
        pytest.param("/", [f"X-Other: {OURS}"], id="a field where no credential is"),
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
    with pytest.raises(RateLimited):
        await slow_house.find(asked("GET / HTTP/1.1", f"x-api-key: {FOREIGN}"))


async def test_key_that_nobody_can_look_at_now_is_refused(slow_house, asked):
    # Passed on, it might be one of ours.
    slow_house.gate.is_busy = True
    with pytest.raises(RateLimited):
        await slow_house.find(asked("GET / HTTP/1.1", f"x-api-key: {SLOW}"))

    assert slow_house.budget.left == 3
