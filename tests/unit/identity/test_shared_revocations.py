import pytest

from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.identity.revocations import Revocations
from pyproxy.identity.shared_revocations import SharedRevocations, revocations_bytes
from tests.unit.counting_lock import CountingLock
from tests.unit.killed import kill_points


def memory(capacity=4):
    return memoryview(bytearray(revocations_bytes(capacity)))


def reader(shared):
    return SharedRevocations(shared, CountingLock(), b"k")


def revoked(revocations, *names):
    return [name for name in names if revocations.is_revoked(name)]


def test_revoked_by_one_is_revoked_for_all():
    shared = memory()
    one, other = reader(shared), reader(shared)
    assert not other.is_revoked("a")
    one.revoke("a", 100.0, 0.0)
    one.revoke("x" * 99, 100.0, 0.0)

    assert revoked(other, "a", "b", "x" * 99, "x" * 98) == ["a", "x" * 99]
    other.revoke("b", 100.0, 0.0)
    assert revoked(one, "a", "b", "c") == ["a", "b"]
    assert (len(one), len(other)) == (3, 3)


def test_looking_takes_the_lock_only_after_a_change():
    shared = memory()
    one, other = reader(shared), reader(shared)
    for _ in range(5):
        other.is_revoked("a")
    before = other._lock.times
    one.revoke("a", 100.0, 0.0)
    for _ in range(5):
        other.is_revoked("a")

    assert (before, other._lock.times) == (0, 1)


def test_token_without_an_id_cannot_be_revoked():
    with pytest.raises(ValueError, match="without an id"):
        reader(memory()).revoke("", 100.0, 0.0)


def test_revoking_again_takes_no_room_and_never_shortens():
    revocations = reader(memory(1))
    revocations.revoke("a", 1000.0, 0.0)
    revocations.revoke("a", 100.0, 0.0)

    with pytest.raises(StoreUnavailable):
        revocations.revoke("b", 100.0, 500.0)
    assert not revocations._lock.is_held


def test_full_list_makes_room_when_tokens_expire():
    shared = memory(3)
    one, other = reader(shared), reader(shared)
    for name, expires_at in (("a", 100.0), ("b", 9000.0), ("c", 100.0)):
        one.revoke(name, expires_at, 0.0)
    assert revoked(other, "a", "b", "c") == ["a", "b", "c"]
    one.revoke("d", 9000.0, 1000.0)

    assert revoked(one, "a", "b", "c", "d") == ["b", "d"]
    assert revoked(other, "a", "b", "c", "d") == ["b", "d"]
    other.revoke("b", 9500.0, 1000.0)  # where it is now, not where it was
    assert other._until[0] == 9800.0


def test_list_that_cannot_shrink_is_swept_once():
    revocations = reader(memory(1))
    revocations.revoke("a", 1000.0, 0.0)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            revocations.revoke("b", 1000.0, 0.0)

    assert revocations._words[1] == 1
    assert revoked(revocations, "a", "b") == ["a"]


def test_adopts_what_one_process_revoked():
    before, shared = Revocations(), reader(memory())
    before.revoke("a", 100.0, 0.0)
    before.revoke("x" * 99, 200.0, 0.0)
    shared.adopt(before)

    assert revoked(shared, "a", "b", "x" * 99) == ["a", "x" * 99]
    assert sorted(shared._until[:2].tolist()) == sorted(until for _, until in before.tokens())


def test_adopting_more_than_fits_is_refused():
    before, shared = Revocations(), reader(memory(1))
    for name in ("a", "b"):
        before.revoke(name, 100.0, 0.0)

    with pytest.raises(StoreUnavailable):
        shared.adopt(before)
    assert not shared._lock.is_held


def test_killed_at_any_moment_no_refused_token_is_good_again():
    tokens = [("a", 100.0), ("b", 9000.0), ("c", 100.0), ("d", 9000.0), ("e", 9000.0)]

    def full():
        shared = memory(len(tokens))
        for name, expires_at in tokens:
            reader(shared).revoke(name, expires_at, 0.0)
        return shared, reader(shared)

    def sweep(subject):
        reader(subject[0]).revoke("f", 9000.0, 1000.0)

    for shared, other in kill_points(full, sweep):
        assert revoked(other, "b", "d", "e") == ["b", "d", "e"]
        other.revoke("g", 9000.0, 1000.0)
        assert revoked(other, "b", "d", "e", "g") == ["b", "d", "e", "g"]
        reader(shared)._sweep(1001.0)
        assert revoked(reader(shared), "b", "d", "e", "g") == ["b", "d", "e", "g"]
        assert revoked(other, "b", "d", "e", "g") == ["b", "d", "e", "g"]


def test_closed_lets_go_of_the_memory():
    shared = memory()
    reader(shared).close()
    shared.release()
