import json

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import ExpiredToken, InvalidToken
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.jwt_verifier import JwtVerifier
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.mint import Minter
from pyproxy.identity.signing_keys import generate_key_set
from pyproxy.identity.tokens import TokenRules, UnknownKey

WALL = 1_750_000_000.0
RULES = TokenRules("", "", 30.0, 86400.0, ALGORITHMS)
MINTER = Minter.parse(
    json.dumps(generate_key_set("ES256")).encode(),
    source="test",
    algorithms=ALGORITHMS,
    ttl_s=60,
    issuer="",
    audience="",
)
MINTED = MINTER.mint("alice", WALL, "t1")


class FakeRefresher:
    def __init__(self, sets, found=None):
        self.sets = sets
        self.found = found
        self.calls = 0

    async def freshen(self):
        self.calls += 1
        if self.found is not None:
            self.sets.replace_remote(self.found)


async def test_a_good_token_becomes_a_principal():
    verifier = JwtVerifier(KeySets(minted=MINTER.public), RULES)

    principal = await verifier.verify(MINTED.token, WALL)

    assert (principal.name, principal.kind, principal.token_id) == ("alice", "jwt", "t1")
    assert (principal.key_id, principal.routes) == (MINTED.kid, None)
    assert principal.expires_at == WALL + 60 + 30
    assert not principal.is_expired(WALL + 89)


async def test_a_tokens_bounds_are_its_bearers():
    minted = MINTER.mint("alice", WALL, "t2", routes=["openai"], limit=Rate(20, 1.0))

    principal = await JwtVerifier(KeySets(minted=MINTER.public), RULES).verify(minted.token, WALL)

    assert (principal.routes, principal.limit) == (frozenset({"openai"}), Rate(20, 1.0))


async def test_an_unknown_key_is_looked_for_once():
    sets = KeySets()
    refresher = FakeRefresher(sets, found=MINTER.public)
    verifier = JwtVerifier(sets, RULES, refresher)

    principal = await verifier.verify(MINTED.token, WALL)

    assert (principal.name, refresher.calls, verifier.generation) == ("alice", 1, 1)


async def test_a_key_that_stays_unknown_is_refused():
    sets = KeySets()
    refresher = FakeRefresher(sets)

    with pytest.raises(UnknownKey):
        await JwtVerifier(sets, RULES, refresher).verify(MINTED.token, WALL)

    assert refresher.calls == 1


async def test_without_a_source_an_unknown_key_is_refused_at_once():
    with pytest.raises(UnknownKey):
        await JwtVerifier(KeySets(), RULES).verify(MINTED.token, WALL)


@pytest.mark.parametrize(
    ("token", "wall", "refusal"),
    [
        pytest.param("a.b.c", WALL, InvalidToken, id="malformed"),
        pytest.param(MINTED.token[:-8] + "AAAAAAAA", WALL, InvalidToken, id="forged"),
        pytest.param(MINTED.token, WALL + 90, ExpiredToken, id="expired"),
    ],
)
async def test_no_other_fault_asks_the_source(token, wall, refusal):
    sets = KeySets(minted=MINTER.public)
    refresher = FakeRefresher(sets)

    with pytest.raises(refusal):
        await JwtVerifier(sets, RULES, refresher).verify(token, wall)

    assert refresher.calls == 0
