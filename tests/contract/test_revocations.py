"""What every list of revoked tokens promises (`identity.revocations.RevokedTokens`)."""

import time

import pytest

from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import GRACE_S, Revocations, short
from pyproxy.identity.shared_revocations import SharedRevocations, revocations_bytes
from pyproxy.store.revoked import SpreadRevocations
from tests.redis_server import flush
from tests.shared_store import line_to


class NoLock:
    def acquire(self, number):
        pass

    def release(self, number):
        pass


def shared(capacity):
    return SharedRevocations(memoryview(bytearray(revocations_bytes(capacity))), NoLock(), b"k")


@pytest.fixture(params=["memory", "shared", "redis"])
async def make(request):
    if request.param != "redis":
        yield {"memory": Revocations, "shared": shared}[request.param]
        return
    servers = request.getfixturevalue("one_redis")
    flush(servers)
    async with line_to(servers[0].url) as line:
        yield lambda most: SpreadRevocations(Revocations(most), line, "pyproxy", "local", time.time)


def test_revoked_is_revoked_and_others_are_not(make):
    revocations = make(9)
    revocations.revoke("one", 100.0, 0.0)

    assert revocations.is_revoked("one")
    assert not revocations.is_revoked("two")
    assert not revocations.is_revoked("")


def test_ids_of_any_length_are_told_apart(make):
    revocations = make(9)
    revocations.revoke("x" * 5000, 100.0, 0.0)

    assert revocations.is_revoked("x" * 5000)
    assert not revocations.is_revoked("x" * 4999)


def test_token_without_an_id_cannot_be_revoked(make):
    with pytest.raises(ValueError, match="without an id"):
        make(9).revoke("", 100.0, 0.0)


def test_revoking_again_takes_no_room_and_never_shortens(make):
    revocations = make(1)
    revocations.revoke("one", 1000.0, 0.0)
    revocations.revoke("one", 100.0, 0.0)

    with pytest.raises(StoreUnavailable):
        revocations.revoke("two", 100.0, 100.0 + GRACE_S)
    assert revocations.is_revoked("one")


def test_full_list_forgets_nobody_and_refuses_more(make):
    revocations = make(2)
    revocations.revoke("one", 1000.0, 0.0)
    revocations.revoke("two", 2000.0, 0.0)

    for wall in (0.0, 1.0):  # the second time it is known that nothing can have expired
        with pytest.raises(StoreUnavailable):
            revocations.revoke("three", 1000.0, wall)
    revocations.revoke("two", 2000.0, 1.0)

    assert [revocations.is_revoked(name) for name in ("one", "two", "three")] == [True, True, False]


def test_full_list_makes_room_when_tokens_expire(make):
    revocations = make(3)
    for name, expires_at in (("one", 100.0), ("stays", 9000.0), ("two", 100.0)):
        revocations.revoke(name, expires_at, 0.0)

    revocations.revoke("three", 9000.0, 1000.0)

    assert len(getattr(revocations, "_local", revocations)) == 2
    assert [revocations.is_revoked(name) for name in ("one", "stays", "three")] == [
        False,
        True,
        True,
    ]


async def test_spreading_what_is_revoked_waits_for_nobody_who_is_not_there(make):
    revocations = make(9)
    revocations.revoke("one", 100.0, 0.0)

    await revocations.spread("one", 100.0)
    assert revocations.is_revoked("one")


def test_taken_over_is_revoked_by_the_id_that_another_list_kept(make):
    revocations = make(9)
    for token_id in ("one", "x" * 5000):
        revocations.take_over(short(token_id), 1000.0, 0.0)

    assert revocations.is_revoked("one")
    assert revocations.is_revoked("x" * 5000)
