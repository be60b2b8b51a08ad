import pytest

from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import GRACE_S, Revocations


def test_revoked_is_revoked_and_others_are_not():
    revocations = Revocations()
    revocations.revoke("one", 100.0, 0.0)

    assert revocations.is_revoked("one")
    assert not revocations.is_revoked("two")
    assert not revocations.is_revoked("")


def test_long_ids_are_kept_as_digests():
    revocations = Revocations()
    revocations.revoke("x" * 5000, 100.0, 0.0)

    assert revocations.is_revoked("x" * 5000)
    assert not revocations.is_revoked("x" * 4999)
    assert max(map(len, revocations._until)) < 100


def test_token_without_an_id_cannot_be_revoked():
    with pytest.raises(ValueError, match="without an id"):
        Revocations().revoke("", 100.0, 0.0)


@pytest.mark.parametrize(
    ("wall", "is_held"),
    [
        pytest.param(100.0, True, id="expired, but a verifier may be lenient"),
        pytest.param(100.0 + GRACE_S, False, id="expired for everybody"),
    ],
)
def test_sweep_forgets_what_has_expired(wall, is_held):
    revocations = Revocations()
    revocations.revoke("one", 100.0, 0.0)

    revocations.sweep(wall)

    assert revocations.is_revoked("one") is is_held


def test_revoking_again_never_shortens():
    revocations = Revocations()
    revocations.revoke("one", 1000.0, 0.0)
    revocations.revoke("one", 100.0, 0.0)

    revocations.sweep(500.0)

    assert revocations.is_revoked("one")


def test_tells_what_it_holds():
    revocations = Revocations()
    revocations.revoke("one", 100.0, 0.0)

    assert list(revocations.tokens()) == [("one", 100.0 + GRACE_S)]


def test_full_table_forgets_nobody_and_refuses_more():
    revocations = Revocations(capacity=2)
    revocations.revoke("one", 1000.0, 0.0)
    revocations.revoke("two", 2000.0, 0.0)

    with pytest.raises(StoreUnavailable):
        revocations.revoke("three", 1000.0, 0.0)
    with pytest.raises(StoreUnavailable):  # nothing can have expired: not even swept
        revocations.revoke("three", 1000.0, 1.0)
    revocations.revoke("two", 2000.0, 1.0)

    assert [revocations.is_revoked(name) for name in ("one", "two", "three")] == [
        True,
        True,
        False,
    ]


def test_full_table_makes_room_when_tokens_expire():
    revocations = Revocations(capacity=2)
    for name in ("one", "two"):
        revocations.revoke(name, 100.0, 0.0)

    revocations.revoke("three", 9000.0, 1000.0)

    assert len(revocations) == 1
