import hashlib
from dataclasses import replace

import pytest

from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.keyring import KeyRing, fingerprint
from pyproxy.identity.keys_file import parse_keys_file, parse_plain_keys

BCRYPT = "$2b$04$/ktiB3ATfMjZpV./Vwk0Ru05TCYTlBLY2iMsXur4lOTsVsiriKljC"  # of "k"
KEY = "pyp_secret-of-some-length"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


def ring_of(text):
    return KeyRing.build(parse_keys_file(text, "keys.txt"))


def test_sha256_key_is_found_by_the_key():
    principal = ring_of(f"alice:sha256:{DIGEST} routes=a expires=2030-01-01 limit=1r/s").find(KEY)

    assert (principal.name, principal.kind, principal.key_id) == ("alice", "key", "alice")
    assert principal.routes == frozenset({"a"})
    assert principal.limit.per_second == 1.0
    assert principal.expires_at is not None


def test_key_without_a_name_is_called_by_its_fingerprint():
    principal = ring_of(KEY).find(KEY)

    assert principal.name == principal.key_id == DIGEST[:8] == fingerprint(KEY)


@pytest.mark.parametrize(
    "presented",
    [
        pytest.param("", id="empty"),
        pytest.param(KEY[:-1], id="one character short"),
        pytest.param(KEY.upper(), id="other case"),
        pytest.param(DIGEST, id="pass the hash"),
        pytest.param(f"sha256:{DIGEST}", id="pass the line"),
        pytest.param(BCRYPT, id="pass the bcrypt hash"),
        pytest.param("alice", id="the name"),
    ],
)
def test_nothing_but_the_key_is_the_key(presented):
    assert ring_of(f"alice:sha256:{DIGEST}\nbob:{BCRYPT}").find(presented) is None


def test_bcrypt_keys_wait_to_be_tried():
    ring = ring_of(f"bob:{BCRYPT}")

    assert ring.hashes == (BCRYPT.encode(),)
    assert ring.find("k") is None
    assert ring.holder(BCRYPT.encode(), "k").name == "bob"
    assert ring.holder(b"$2b$gone", "k") is None
    assert len(ring) == 1


def test_bcrypt_key_without_a_name_is_called_by_the_keys_fingerprint():
    holder = ring_of(BCRYPT).holder(BCRYPT.encode(), "k")

    assert (holder.name, holder.key_id) == (fingerprint("k"), fingerprint("k"))


def test_ring_vouches_for_the_holders_it_would_make_now():
    named, bare = ring_of(f"bob:{BCRYPT}"), ring_of(BCRYPT)
    bob, nameless = named.holder(BCRYPT.encode(), "k"), bare.holder(BCRYPT.encode(), "k")

    assert named.vouches(BCRYPT.encode(), bob)
    assert bare.vouches(BCRYPT.encode(), nameless)
    assert not named.vouches(BCRYPT.encode(), nameless)
    assert not bare.vouches(BCRYPT.encode(), replace(nameless, routes=frozenset()))
    assert not named.vouches(b"$2b$gone", bob)


def test_same_key_of_two_sources_with_the_same_meaning_is_one():
    entries = parse_plain_keys([KEY], "auth.keys") + parse_keys_file(KEY, "keys.txt")

    assert len(KeyRing.build(entries)) == 1


def test_same_key_with_another_meaning_is_a_fault():
    entries = parse_plain_keys([KEY], "auth.keys") + parse_keys_file(
        f"alice:sha256:{DIGEST}", "keys.txt"
    )

    with pytest.raises(ConfigurationError, match=r"keys.txt:1: the same key as at auth.keys\[0\]"):
        KeyRing.build(entries)


def test_same_name_in_two_files_is_a_fault():
    entries = parse_keys_file(f"a:sha256:{DIGEST}", "one") + parse_keys_file(f"a:{BCRYPT}", "two")

    with pytest.raises(ConfigurationError, match="two:1: the same name as at one:1"):
        KeyRing.build(entries)


def test_empty_ring_opens_for_nobody():
    ring = KeyRing.build(())

    assert (len(ring), ring.find(""), ring.hashes) == (0, None, ())
