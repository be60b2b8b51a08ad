import json

import pytest

from pyproxy.identity.jwk_members import without_private
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jws_algorithms import ALGORITHMS
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.signing_keys import generate_signing_key


def _set(name):
    key = {**without_private(generate_signing_key("ES256")), "kid": name}
    document = json.dumps({"keys": [key]}).encode()
    return KeySet.parse(document, algorithms=ALGORITHMS, source=name, public_only=True)


LOCAL, OTHER_LOCAL, REMOTE, MINTED = map(_set, ("local", "other", "remote", "minted"))


def _names(sets):
    return [key.kid for key in sets.current.keys]


def test_nothing_configured_verifies_nothing():
    sets = KeySets()

    assert (_names(sets), sets.generation) == ([], 0)
    assert sets.find("local", "ES256") is None


def test_our_own_keys_and_the_files_verify_together():
    sets = KeySets(local=LOCAL, minted=MINTED)

    assert _names(sets) == ["minted", "local"]
    assert sets.find("local", "ES256") is LOCAL.keys[0]


def test_the_remote_set_wins_over_the_file_and_falls_back_to_it():
    sets = KeySets(local=LOCAL, minted=MINTED)

    sets.replace_remote(REMOTE)
    with_remote = _names(sets)
    sets.replace_remote(None)

    assert with_remote == ["minted", "remote"]
    assert _names(sets) == ["minted", "local"]
    assert sets.generation == 2


def test_no_source_takes_the_name_of_a_key_of_ours():
    sets = KeySets(minted=MINTED)

    sets.replace_remote(_set("minted"))

    assert sets.find("minted", "ES256") is MINTED.keys[0]
    assert len(sets.current.faults) == 1


@pytest.mark.parametrize(
    ("replace", "grows"),
    [
        pytest.param(lambda sets: sets.replace_local(OTHER_LOCAL), 1, id="another file"),
        pytest.param(lambda sets: sets.replace_local(LOCAL), 0, id="the same file"),
        pytest.param(lambda sets: sets.replace_minted(_set("new")), 1, id="rotated"),
        pytest.param(lambda sets: sets.replace_minted(MINTED), 0, id="not rotated"),
        pytest.param(lambda sets: sets.replace_remote(None), 0, id="still no remote"),
        pytest.param(lambda sets: sets.replace_remote(REMOTE), 1, id="first remote"),
    ],
)
def test_the_generation_grows_when_keys_change(replace, grows):
    sets = KeySets(local=LOCAL, minted=MINTED)

    replace(sets)

    assert sets.generation == grows


def test_a_file_that_changes_behind_a_remote_set_changes_nothing():
    sets = KeySets(local=LOCAL)
    sets.replace_remote(REMOTE)

    sets.replace_local(OTHER_LOCAL)

    assert (sets.generation, _names(sets)) == (1, ["remote"])


def test_sets_of_files_in_use_are_ours_and_the_local_one_only_without_a_remote_one():
    sets = KeySets(local=LOCAL, minted=MINTED)
    without = sets.of_files()
    sets.replace_remote(REMOTE)

    assert without == (MINTED, LOCAL)
    assert sets.of_files() == (MINTED,)


def test_a_local_set_is_not_stale_any_more_once_it_is_replaced():
    sets = KeySets(local=LOCAL)
    assert sets.stale_since is None
    sets.stale_since = 5.0
    sets.replace_remote(REMOTE)
    assert sets.stale_since == 5.0
    sets.replace_local(OTHER_LOCAL)

    assert sets.stale_since is None
