"""The API keys of a configuration."""

import hashlib

import pytest

from pyproxy.assembly.keys import read_entries, read_file_entries, read_keyring
from pyproxy.errors.fault import ConfigurationError

KEY = "a-plain-key-of-somebody"
HASHED = f"alice:sha256:{hashlib.sha256(KEY.encode()).hexdigest()}\n"


def test_keys_of_both_sources_open(configured, tmp_path):
    (tmp_path / "keys.txt").write_text(HASHED)
    auth = configured('[auth]\nkeys = ["another-plain-key-0123"]\nkeys_file = "keys.txt"\n').auth

    ring = read_keyring(auth)

    assert len(ring) == 2
    assert ring.find(KEY).name == "alice"
    assert ring.find("another-plain-key-0123").kind == "key"


def test_without_a_file_the_plain_keys_are_all(configured):
    assert len(read_entries(configured(f'[auth]\nkeys = ["{KEY}"]\n').auth)) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(None, "cannot be read: no such file", id="missing"),
        pytest.param(b"\xff\xfe", "is not UTF-8 text", id="not UTF-8"),
        pytest.param(b"a b c\n", "after the key only", id="malformed line"),
    ],
)
def test_a_faulty_file_is_named(tmp_path, content, problem):
    path = tmp_path / "keys.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=problem) as raised:
        read_file_entries(str(path))

    assert raised.value.faults[0].path.startswith(str(path))
