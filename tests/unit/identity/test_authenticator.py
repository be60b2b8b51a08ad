import hashlib

import bcrypt
import pytest

from pyproxy.errors.refusal import AttemptsSpent, ExpiredToken, InvalidToken, RateLimited
from pyproxy.identity.authenticator import Authenticator
from pyproxy.identity.credential import Credential
from pyproxy.identity.keyring import KeyRing
from pyproxy.identity.keys_file import parse_keys_file
from pyproxy.identity.principal import Principal
from pyproxy.identity.recall import Recall
from pyproxy.identity.revocations import Revocations

PLAIN = "a-plain-key-of-24-letter"
SLOW = "bcrypt-key"
HASH = bcrypt.hashpw(SLOW.encode(), bcrypt.gensalt(4)).decode()
OTHER_HASH = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
TTL_S = 60.0
WALL = 1_000.0
JWT = "header.payload.signature"


def ring_of(*lines):
    return KeyRing.build(parse_keys_file("\n".join(lines), "keys.txt"))


def key(token):
    return Credential(token, frozenset({"authorization"}), is_jwt=False)


def jwt(token=JWT):
    return Credential(token, frozenset({"authorization"}), is_jwt=True)


class FakeGate:
    """Really hashes, in place; counts attempts and does what a test has in mind meanwhile."""

    def __init__(self):
        self.attempts = self.confirmed = 0
        self.clients = []
        self.forsaken = []
        self.trying, self.refused = set(), []
        self.refusal = None
        self.meanwhile = lambda: None

    async def confirm(self, secret, key_hash):
        self.confirmed += 1
        return bcrypt.checkpw(secret, key_hash)

    def is_trying(self, secret, _hashes):
        return secret in self.trying

    def untried(self, secret, refusal):
        self.refused.append(secret)
        return refusal

    async def matches(self, secret, hashes, client):
        self.attempts += 1
        self.clients.append(client)
        self.meanwhile()
        if self.refusal:
            raise self.refusal
        for index, key_hash in enumerate(hashes):
            if bcrypt.checkpw(secret, key_hash):
                return index
        return None


class FakeTokens:
    """Knows tokens by heart."""

    def __init__(self):
        self.generation = 1
        self.good = {JWT: Principal("bob", "jwt", "kid-1", expires_at=2_000.0, token_id="jti-1")}
        self.refusal = InvalidToken("bad signature")
        self.attempts = 0
        self.meanwhile = lambda: None

    async def verify(self, token, _wall):
        self.attempts += 1
        self.meanwhile()
        if token not in self.good:
            raise self.refusal
        return self.good[token]


class FakeBudget:
    """Has so many failures left, and writes down what is asked of it."""

    client = "192.0.2.1"

    def __init__(self, left=3):
        self.left = left
        self.log = []

    async def reserve(self):
        self._take("reserve")

    async def refund(self):
        self.log.append("refund")
        self.left += 1

    async def spend(self):
        self._take("spend")

    def _take(self, what):
        self.log.append(what)
        if not self.left:
            raise AttemptsSpent
        self.left -= 1


class House:
    """An authenticator with everything around it."""

    def __init__(self, *lines, with_tokens=True):
        self.gate = FakeGate()
        self.tokens = FakeTokens()
        self.revocations = Revocations()
        self.budget = FakeBudget()
        self.authenticator = Authenticator(
            ring_of(*lines),
            Recall(b"r" * 32),
            self.gate,
            self.tokens if with_tokens else None,
            self.revocations,
            cache_ttl_s=TTL_S,
        )

    def recall(self, credential, wall=WALL):
        return self.authenticator.recall(credential, wall)

    async def verify(self, credential, wall=WALL):
        return await self.authenticator.verify(credential, wall, self.budget)

    async def refusal(self, credential, wall=WALL):
        with pytest.raises((InvalidToken, ExpiredToken, RateLimited)) as caught:
            await self.verify(credential, wall)
        return type(caught.value)


async def test_plain_key_needs_no_waiting_and_no_budget():
    house = House(PLAIN, f"alice:{HASH}")

    assert house.recall(key(PLAIN)).kind == "key"
    assert (await house.verify(key(PLAIN))).kind == "key"
    assert (house.gate.attempts, house.budget.log) == (0, [])


async def test_bcrypt_key_is_hashed_once_and_then_remembered_for_its_time():
    house = House(f"alice:{HASH}")

    assert house.recall(key(SLOW)) is None
    assert (await house.verify(key(SLOW))).name == "alice"
    assert house.gate.clients == [house.budget.client]
    assert house.recall(key(SLOW), WALL + TTL_S - 1).name == "alice"
    assert house.recall(key(SLOW), WALL + TTL_S) is None
    assert (house.gate.attempts, house.budget.log) == (1, ["reserve", "refund"])


async def test_bcrypt_key_verified_twice_is_hashed_once():
    house = House(f"alice:{HASH}")
    await house.verify(key(SLOW))
    await house.verify(key(SLOW))

    assert house.gate.attempts == 1


async def test_wrong_key_costs_one_hash_however_often_it_comes_and_counts_each_time():
    house = House(f"alice:{HASH}")

    assert [await house.refusal(key("wrong")) for _ in range(3)] == [InvalidToken] * 3
    assert house.gate.attempts == 1
    assert house.budget.log == ["reserve", "spend", "spend"]
    assert await house.refusal(key("wrong")) is AttemptsSpent


async def test_exhausted_budget_stops_before_any_hashing():
    house = House(f"alice:{HASH}")
    house.budget.left = 0

    assert await house.refusal(key(SLOW)) is AttemptsSpent
    assert house.gate.attempts == 0


@pytest.mark.parametrize("left", [3, 0], ids=["some", "none"])
@pytest.mark.parametrize(
    ("secret", "log"), [(SLOW, []), ("wrong", ["spend"])], ids=["good", "wrong"]
)
async def test_key_that_is_being_tried_already_costs_nothing_unless_it_is_wrong(secret, log, left):
    house = House(f"alice:{HASH}")
    house.gate.trying, house.budget.left = {secret.encode()}, left
    if secret == SLOW:
        assert (await house.verify(key(secret))).name == "alice"
    else:
        assert await house.refusal(key(secret)) is (InvalidToken if left else AttemptsSpent)

    assert house.budget.log == log
    assert house.gate.refused == []


async def test_key_that_another_began_to_try_while_the_store_was_asked_waits_for_that():
    house = House(f"alice:{HASH}")
    house.budget.left = 0

    async def reserve():
        house.gate.trying = {SLOW.encode()}
        raise AttemptsSpent

    house.budget.reserve = reserve

    assert (await house.verify(key(SLOW))).name == "alice"


async def test_gate_says_what_a_key_hears_that_is_not_tried():
    house = House(f"alice:{HASH}")
    house.budget.left = 0
    plain = RateLimited("again")
    house.gate.untried = lambda _secret, _refusal: plain

    assert await house.refusal(key("wrong")) is RateLimited
    assert house.authenticator.untried(key("wrong"), AttemptsSpent()) is plain


async def test_good_keys_never_use_up_the_budget():
    house = House(f"alice:{HASH}")
    house.budget.left = 1
    for hour in range(5):
        await house.verify(key(SLOW), WALL + hour * 3600)

    assert (house.gate.attempts, house.gate.confirmed, house.budget.left) == (1, 4, 1)


async def test_key_that_was_known_is_known_again_whoever_crowds_the_gate():
    house = House(f"alice:{HASH}")
    await house.verify(key(SLOW))
    house.gate.refusal, house.budget.left = RateLimited("queue"), 0

    assert (await house.verify(key(SLOW), WALL + 2 * TTL_S)).name == "alice"
    assert house.recall(key(SLOW), WALL + 2.5 * TTL_S).name == "alice"
    assert house.budget.log == ["reserve", "refund"]


async def test_key_that_was_known_and_has_expired_is_a_failure():
    house = House(f"alice:{HASH} expires=1970-01-02")
    await house.verify(key(SLOW))

    assert await house.refusal(key(SLOW), 200_000.0) is ExpiredToken
    assert house.budget.log == ["reserve", "refund", "spend"]
    assert house.gate.confirmed == 1


async def test_key_whose_hash_was_taken_off_is_not_tried_with_it():
    house = House(f"alice:{HASH}", f"bob:{OTHER_HASH}")
    await house.verify(key(SLOW))
    house.authenticator.replace_keys(ring_of(f"bob:{OTHER_HASH}"))

    assert await house.refusal(key(SLOW), WALL + 2 * TTL_S) is InvalidToken
    assert house.gate.confirmed == 0


async def test_key_that_matches_its_hash_no_more_is_tried_with_all():
    house = House(f"alice:{HASH}")
    alice = await house.verify(key(SLOW))
    house.authenticator._recall.remember("wrong", alice, WALL - 9, WALL - 5, HASH.encode())

    assert await house.refusal(key("wrong")) is InvalidToken
    assert (house.gate.confirmed, house.gate.attempts) == (1, 2)


async def test_client_that_is_forsaken_is_forsaken_by_the_gate():
    house = House(f"alice:{HASH}")
    house.gate.forsake = house.gate.forsaken.append
    house.authenticator.forsake("192.0.2.1")

    assert house.gate.forsaken == ["192.0.2.1"]


async def test_full_gate_refuses_without_counting_a_failure():
    house = House(f"alice:{HASH}")
    house.gate.refusal = RateLimited("queue")

    assert await house.refusal(key(SLOW)) is RateLimited
    assert house.budget.log == ["reserve", "refund"]


async def test_unknown_key_is_refused_without_hashing_where_no_bcrypt_key_is():
    house = House(PLAIN)

    assert house.recall(key("wrong")) is None
    assert await house.refusal(key("wrong")) is InvalidToken
    assert (house.gate.attempts, house.budget.log) == (0, ["spend"])


@pytest.mark.parametrize(
    ("line", "presented"),
    [
        pytest.param(f"{PLAIN} expires=1970-01-02", PLAIN, id="plain"),
        pytest.param(f"alice:{HASH} expires=1970-01-02", SLOW, id="bcrypt"),
    ],
)
async def test_key_past_its_day_is_expired(line, presented):
    house = House(line)
    after = 2 * 86_400.0

    assert (await house.verify(key(presented), after - 1)).kind == "key"
    assert house.recall(key(presented), after - 1) is not None
    assert house.recall(key(presented), after) is None
    assert await house.refusal(key(presented), after) is ExpiredToken
    assert house.gate.attempts <= 1


async def test_expired_bcrypt_key_is_hashed_once_and_each_attempt_counts():
    house = House(f"alice:{HASH} expires=1970-01-02")
    after = 2 * 86_400.0

    assert [await house.refusal(key(SLOW), after) for _ in range(2)] == [ExpiredToken] * 2
    assert (house.gate.attempts, house.budget.log) == (1, ["reserve", "spend"])


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((), id="all keys removed"),
        pytest.param((f"alice:{OTHER_HASH}",), id="same name, new key"),
        pytest.param((f"bob:{HASH}",), id="same key, new name"),
        pytest.param((f"alice:{HASH} routes=openai",), id="same key, fewer routes"),
    ],
)
async def test_changed_key_is_forgotten_at_once(lines):
    house = House(f"alice:{HASH}")
    await house.verify(key(SLOW))

    house.authenticator.replace_keys(ring_of(*lines))

    assert house.recall(key(SLOW)) is None


async def test_key_that_stays_is_still_remembered():
    house = House(f"alice:{HASH}")
    await house.verify(key(SLOW))

    house.authenticator.replace_keys(ring_of(f"alice:{HASH}", f"bob:{OTHER_HASH}"))

    assert house.recall(key(SLOW)).name == "alice"


async def test_plain_key_removed_is_out():
    house = House(PLAIN)
    house.authenticator.replace_keys(ring_of())

    assert house.recall(key(PLAIN)) is None
    assert await house.refusal(key(PLAIN)) is InvalidToken


async def test_key_that_was_wrong_may_be_right_after_a_reload():
    house = House(f"bob:{OTHER_HASH}")
    await house.refusal(key(SLOW))

    house.authenticator.replace_keys(ring_of(f"alice:{HASH}"))

    assert (await house.verify(key(SLOW))).name == "alice"


async def test_key_removed_while_it_is_hashed_is_refused_and_not_remembered():
    house = House(f"alice:{HASH}")
    house.gate.meanwhile = lambda: house.authenticator.replace_keys(ring_of(f"bob:{OTHER_HASH}"))

    assert await house.refusal(key(SLOW)) is InvalidToken
    assert house.recall(key(SLOW)) is None
    assert house.budget.log == ["reserve"]


async def test_key_added_while_it_is_hashed_is_not_held_for_wrong():
    house = House(f"bob:{OTHER_HASH}")
    house.gate.meanwhile = lambda: house.authenticator.replace_keys(ring_of(f"alice:{HASH}"))
    await house.refusal(key(SLOW))

    assert (await house.verify(key(SLOW))).name == "alice"


async def test_token_is_verified_once_and_remembered_until_it_expires():
    house = House()

    assert house.recall(jwt()) is None
    assert (await house.verify(jwt())).name == "bob"
    assert house.recall(jwt(), 1_999.5).name == "bob"
    assert house.recall(jwt(), 2_000.0) is None
    assert (house.tokens.attempts, house.budget.log) == (1, [])


async def test_failed_token_is_never_tried_as_a_key():
    secret = "a.b.c"
    house = House(f"alice:{bcrypt.hashpw(secret.encode(), bcrypt.gensalt(4)).decode()}")

    assert await house.refusal(jwt(secret)) is InvalidToken
    assert (house.gate.attempts, house.budget.log) == (0, ["spend"])


async def test_key_is_never_tried_as_a_token():
    house = House()
    await house.refusal(key("wrong"))

    assert house.tokens.attempts == 0


async def test_failed_tokens_use_up_the_budget():
    house = House()

    outcomes = [await house.refusal(jwt("x.y.z")) for _ in range(4)]

    assert outcomes == [InvalidToken] * 3 + [AttemptsSpent]


async def test_expired_token_keeps_its_name():
    house = House()
    house.tokens.refusal = ExpiredToken("exp")

    assert await house.refusal(jwt("x.y.z")) is ExpiredToken


async def test_other_trouble_of_the_verifier_is_no_failure():
    house = House()
    house.tokens.refusal = RateLimited("later")

    assert await house.refusal(jwt("x.y.z")) is RateLimited
    assert house.budget.log == []


async def test_tokens_are_refused_where_none_can_be_verified():
    house = House(with_tokens=False)

    assert house.recall(jwt()) is None
    assert await house.refusal(jwt()) is InvalidToken


async def test_revoked_token_is_out_at_once():
    house = House()
    await house.verify(jwt())

    house.revocations.revoke("jti-1", 2_000.0, WALL)

    assert house.recall(jwt()) is None
    assert await house.refusal(jwt()) is InvalidToken
    assert house.budget.log == ["spend"]


async def test_new_key_set_forgets_tokens_and_keeps_keys():
    house = House(f"alice:{HASH}")
    await house.verify(jwt())
    await house.verify(key(SLOW))
    house.tokens.generation = 2
    house.tokens.good = {}

    assert house.recall(jwt()) is None
    assert house.recall(key(SLOW)) is not None
    assert await house.refusal(jwt()) is InvalidToken


async def test_reload_of_keys_keeps_tokens():
    house = House(f"alice:{HASH}")
    await house.verify(jwt())

    house.authenticator.replace_keys(ring_of())

    assert house.recall(jwt()).name == "bob"


async def test_token_verified_by_a_key_set_that_changed_meanwhile_is_not_remembered():
    house = House()

    def change():
        house.tokens.generation += 1

    house.tokens.meanwhile = change

    assert (await house.verify(jwt())).name == "bob"
    assert house.recall(jwt()) is None


async def test_token_without_an_end_is_not_remembered():
    house = House()
    house.tokens.good = {JWT: Principal("bob", "jwt", token_id="jti-1")}

    assert (await house.verify(jwt())).name == "bob"
    assert house.recall(jwt()) is None


async def test_key_of_ours_is_known_though_its_time_is_over():
    house = House(f"old:sha256:{hashlib.sha256(PLAIN.encode()).hexdigest()} expires=1970-01-01")

    assert house.authenticator.is_known_key(PLAIN, 1e9)
    assert not house.authenticator.is_known_key("another", 1e9)


async def test_hashed_key_is_known_once_it_was_used():
    house = House(f"alice:{HASH}")

    assert not house.authenticator.is_known_key(SLOW, WALL)
    await house.verify(key(SLOW))
    assert house.authenticator.is_known_key(SLOW, WALL)
