import pytest

from pyproxy.identity.principal import Principal
from pyproxy.identity.recall import Recall

SECRET = b"s" * 32
ALICE = Principal("alice", "key")


@pytest.fixture
def recall():
    return Recall(SECRET, capacity=3)


@pytest.mark.parametrize(
    ("wall", "found"),
    [
        pytest.param(100.0, ALICE, id="at once"),
        pytest.param(109.5, ALICE, id="shortly before the end"),
        pytest.param(110.0, None, id="at the end"),
        pytest.param(99.5, None, id="clock set back"),
    ],
)
def test_verified_credential_is_known_for_its_time(recall, wall, found):
    recall.remember("key", ALICE, 100.0, 110.0)

    assert recall.get("key", wall) is found


def test_what_has_run_out_is_dropped(recall):
    recall.remember("key", ALICE, 100.0, 110.0)
    recall.get("key", 110.0)

    assert len(recall) == 0


@pytest.mark.parametrize("wall", [110.0, 99.5], ids=["run out", "clock set back"])
def test_of_a_hashed_key_it_stays_known_which_hash_to_try(recall, wall):
    recall.remember("key", ALICE, 100.0, 110.0, b"hash")
    found = recall.get("key", wall)

    assert found is None
    assert recall.lapsed("key") == b"hash"
    assert recall.lapsed("other") == b""
    recall.forget(lambda memory: memory.proof == b"hash")
    assert recall.lapsed("key") == b""


def test_other_credentials_are_unknown(recall):
    recall.remember("key", ALICE, 0.0, 10.0)

    assert recall.get("Key", 1.0) is None


def test_least_recently_used_makes_room(recall):
    for key in ("a", "b", "c"):
        recall.remember(key, ALICE, 0.0, 10.0)
    recall.get("a", 1.0)
    recall.remember("d", ALICE, 0.0, 10.0)

    assert [key for key in "abcd" if recall.get(key, 1.0)] == ["a", "c", "d"]


def test_remembering_again_renews(recall):
    for key in ("a", "b", "c", "a", "d"):
        recall.remember(key, ALICE, 0.0, 10.0)

    assert [key for key in "abcd" if recall.get(key, 1.0)] == ["a", "c", "d"]


def test_failures_are_known_for_their_time(recall):
    recall.remember_failure("wrong", 10.0)

    assert recall.is_known_failure("wrong", 9.5)
    assert not recall.is_known_failure("wrong", 10.0)
    assert not recall.is_known_failure("other", 0.0)


def test_guessing_pushes_nobody_out(recall):
    recall.remember("key", ALICE, 0.0, 10.0)
    for guess in range(100):
        recall.remember_failure(str(guess), 10.0)

    assert recall.get("key", 1.0) is ALICE
    assert [guess for guess in range(100) if recall.is_known_failure(str(guess), 1.0)] == [
        97,
        98,
        99,
    ]


def test_forgets_what_it_is_told_to(recall):
    recall.remember("a", ALICE, 0.0, 10.0, b"hash a")
    recall.remember("b", ALICE, 0.0, 10.0, b"hash b")

    recall.forget(lambda memory: memory.proof == b"hash a")

    assert recall.get("a", 1.0) is None
    assert recall.get("b", 1.0) is ALICE


def test_failures_are_forgotten_alone(recall):
    recall.remember("a", ALICE, 0.0, 10.0)
    recall.remember_failure("b", 10.0)

    recall.forget_failures()

    assert not recall.is_known_failure("b", 1.0)
    assert recall.get("a", 1.0) is ALICE


def test_clear_forgets_everything(recall):
    recall.remember("a", ALICE, 0.0, 10.0)
    recall.remember_failure("b", 10.0)

    recall.clear()

    assert recall.get("a", 1.0) is None
    assert not recall.is_known_failure("b", 1.0)


def test_credentials_themselves_are_not_kept(recall):
    recall.remember("pyp_secret", ALICE, 0.0, 10.0)
    recall.remember_failure("pyp_secret", 10.0)

    assert "pyp_secret" not in repr((recall._good, recall._failed))
