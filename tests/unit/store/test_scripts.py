import hashlib

import pytest

from pyproxy.store.scripts import CLOCK, BucketScripts, Script, key_of


def test_a_script_is_known_by_the_digest_of_its_text():
    assert Script("return 1").digest == hashlib.sha1(b"return 1").hexdigest()  # noqa: S324


def test_buckets_go_by_the_servers_clock_unless_told_otherwise():
    scripts = BucketScripts.timed_by()

    assert scripts.take.text.startswith(CLOCK)
    assert scripts.give_back.text.startswith(CLOCK)
    assert scripts.take.folds


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("api\x1fip\x1f192.0.2.1", b"p:{api\x1fip\x1f192.0.2.1}"),
        ("\ud800", b"p:{\xed\xa0\x80}"),
        ("x" * 201, b"p:{sha256:" + hashlib.sha256(b"x" * 201).hexdigest().encode() + b"}"),
    ],
    ids=["readable", "lone surrogate", "long"],
)
def test_a_key_has_its_name_in_braces(name, key):
    assert key_of("p", name) == key
