"""The files of a configuration, judged together."""

import json

import pytest
import trustme

from pyproxy.assembly.sources import read_sources
from pyproxy.errors.fault import ConfigurationError
from pyproxy.identity.signing_keys import generate_key_set

CONFIG = """
[auth]
keys_file = "keys.txt"
[auth.jwt]
signing_keys_file = "signing.json"
[[routes]]
name = "one"
path = "/one"
upstream = "https://a"
tls = { ca = "ca.crt" }
[[routes]]
name = "two"
path = "/two"
upstream = "http://b"
[[routes]]
name = "three"
path = "/three"
upstream = "https://c"
tls = { ca = "ca.crt" }
"""


@pytest.fixture
def settings(configured, tmp_path):
    (tmp_path / "keys.txt").write_text("a-plain-key-of-somebody\n")
    (tmp_path / "signing.json").write_text(json.dumps(generate_key_set("ES256")))
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")
    return configured(CONFIG)


def test_everything_is_read(settings):
    sources = read_sources(settings)

    assert len(sources.keyring) == 1
    assert sources.local.minter is not None
    assert sources.tls["one"] is sources.tls["three"]
    assert "two" not in sources.tls
    assert list(sources.contexts.values()) == [sources.tls["one"]]


def test_a_context_that_is_known_is_kept(settings):
    first = read_sources(settings)

    assert read_sources(settings, first.contexts).tls["one"] is first.tls["one"]


def test_every_fault_is_told_at_once(settings, tmp_path):
    (tmp_path / "keys.txt").write_text("a b\n")
    (tmp_path / "signing.json").write_text("{}")
    (tmp_path / "ca.crt").unlink()

    with pytest.raises(ConfigurationError) as raised:
        read_sources(settings)

    assert [fault.path.rpartition("/")[2] for fault in raised.value.faults] == [
        "keys.txt:1",
        "signing.json",
        "ca.crt",
    ]
