import pytest

from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import GRACE_S, Revocations, short
from pyproxy.store.revoked import SpreadRevocations
from pyproxy.store.roll_scripts import PUT
from tests.unit.store.test_roll import FakeLine, page

NOW = 1_800_000_000.0


def revocations_of(line, policy="local", most=9):
    return SpreadRevocations(Revocations(most), line, "p", policy, lambda: NOW)


async def test_revoking_is_local_and_spreading_waits_for_the_store():
    line = FakeLine([b"put", b"1"])
    revocations = revocations_of(line)
    revocations.revoke("x" * 100, NOW, NOW)
    assert (revocations.is_revoked("x" * 100), line.asked) == (True, [])

    await revocations.spread("x" * 100, NOW)
    name = short("x" * 100).encode()
    assert line.asked == [(PUT, (b"p:{revoked}", name, NOW + GRACE_S, 0.0, 100_000))]


@pytest.mark.parametrize(
    ("policy", "answer", "is_refused"),
    [
        ("deny", None, True),
        ("local", None, False),
        ("allow", None, False),
        ("local", [b"full", b"0"], True),
        ("deny", [b"known", b"0"], False),
    ],
)
async def test_what_a_store_that_is_down_or_full_means(policy, answer, is_refused):
    revocations = revocations_of(FakeLine(answer), policy)
    revocations.revoke("one", NOW, NOW)

    if is_refused:
        with pytest.raises(StoreUnavailable):
            await revocations.spread("one", NOW)
    else:
        await revocations.spread("one", NOW)
    assert revocations.is_revoked("one")


def test_what_others_revoke_is_refused_here_and_nobody_is_forgiven():
    revocations = revocations_of(FakeLine(), most=1)
    revocations.roll.hear(b"put %d 0 1 one" % (NOW + 9))
    revocations.roll.hear(b"put %d 0 2 two" % (NOW + 9))  # no room
    revocations.roll.hear(b"lift %d 0 3 one" % NOW)

    assert revocations.is_revoked("one")
    assert not revocations.is_revoked("two")


@pytest.mark.parametrize("policy", ["local", "allow", "deny"])
async def test_no_token_is_taken_for_good_before_the_list_was_read_where_that_is_denied(
    policy,
):
    revocations = revocations_of(FakeLine(page(), page()), policy)
    revocations.revoke("one", NOW, NOW)
    assert revocations.is_revoked("one")

    if policy == "deny":
        with pytest.raises(StoreUnavailable):
            revocations.is_revoked("two")
    await revocations.roll.merge(NOW)

    assert not revocations.is_revoked("two")


async def test_what_was_revoked_before_there_was_a_store_is_told_to_it():
    local = Revocations(9)
    local.revoke("one", NOW, NOW)
    line = FakeLine(page(), [b"put", b"1"])
    revocations = SpreadRevocations(local, line, "p", "local", lambda: NOW)
    await revocations.roll.merge(NOW)

    assert line.asked[1] == (PUT, (b"p:{revoked}", b"one", NOW + GRACE_S, 0.0, 100_000))
