import pickle

import pytest

from pyproxy.config.secret import Secret
from pyproxy.config.store_address import StoreAddress
from pyproxy.config.surroundings import Surroundings

AROUND = Surroundings({"PW": "redis://:from-env@h"}, str, lambda path: f"redis://:{path}@h")


def parse(value):
    return StoreAddress.parse(value, AROUND)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("memory:", "memory:"),
        ("redis://h", "redis://h:6379/0"),
        ("REDIS://H:1/15", "redis://h:1/15"),
        ("redis://[2001:DB8::1]:7", "redis://[2001:db8::1]:7/0"),
        ("rediss://u:pw@h:6380/1", "rediss://***@h:6380/1"),
        ("redis://:pw@h", "redis://***@h:6379/0"),
        ("redis+unix:///run/r.sock", "redis+unix:///run/r.sock?db=0"),
        ("unix://:pw@/run/r.sock?db=2", "redis+unix://***@/run/r.sock?db=2"),
        ("redis+sentinel://a,b:1/m", "redis+sentinel://a:26379,b:1/m/0"),
        ("rediss+sentinel://:pw@a/m.x/3", "rediss+sentinel://***@a:26379/m.x/3"),
        ("redis+cluster://a,[::1]:2", "redis+cluster://a:6379,[::1]:2"),
        ("rediss+cluster://:pw@a/0", "rediss+cluster://***@a:6379"),
    ],
)
def test_a_url_is_read_and_shown_without_its_credentials(url, shown):
    address = parse(url)

    assert str(address) == shown
    assert "pw" not in f"{address!r} {address} {address.name}"
    assert address.is_memory == (url == "memory:")
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301 - our own


def test_credentials_are_decoded():
    address = parse("redis://us%65r:p%40:%2F%25@h")

    assert (address.user, address.password.reveal()) == ("user", "p@:/%")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://:pw@h", "h:6379"),
        ("redis://:pw@[::1]:7/2", "[::1]:7"),
        ("unix://:pw@/run/r.sock", "unix:/run/r.sock"),
        ("redis+sentinel://:pw@a,b/m", "m@a:26379,b:26379"),
    ],
)
def test_its_name_says_where_it_is(url, name):
    assert parse(url).name == name


def test_it_may_be_in_a_file_or_a_variable():
    assert parse({"file": "pw"}).password.reveal() == "pw"
    assert parse({"file": "pw"}).origin == "file pw"
    assert parse({"env": "PW"}).password.reveal() == "from-env"
    assert parse(Secret("redis://h", "env X")).origin == "env X"
    assert parse(parse("redis://h")) == parse("redis://h")


def test_two_are_the_same_whatever_they_are_from_but_not_with_another_password():
    assert parse({"file": "pw"}) == parse("redis://:pw@h")
    assert parse("redis://:pw@h") != parse("redis://:other@h")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("memory", 'must be "memory:", or a URL'),
        ("http://h", 'must be "memory:", or a URL'),
        ("redis:h", 'must be "memory:", or a URL'),
        ("redis://", 'must be "memory:", or a URL'),
        ("redis://h h", 'must be "memory:", or a URL'),
        ("redis://h:0", "a port outside 1 to 65535"),
        ("redis://h:65536", "a port outside 1 to 65535"),
        ("redis://h/x", "a database that is no number"),
        ("redis://h/9999999", "a database that is no number"),
        ("redis://a,b", "names several hosts"),
        ("redis://h?ssl_ca_certs=x", "store.ca"),
        ("redis://h?db=1", "only a unix socket's URL may have"),
        ("redis://p w@h", "must be percent-encoded"),
        ("redis://u:p%zz@h", "must be percent-encoded"),
        ("redis://u@h", "a user without a password"),
        ("redis://u:%ff@h", "no UTF-8"),
        ("redis+unix://run/r.sock", "absolute path"),
        ("redis+unix:///r.sock?db=x", "a database that is no number"),
        ("redis+sentinel://h", "needs the master's name"),
        ("redis+sentinel://h/a b", "needs the master's name"),
        ("redis+cluster://h/1", "a cluster has none but 0"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_it(url, problem):
    secret = url.replace("://", "://:hunter2@") if "://" in url and "@" not in url else url
    for each in (url, secret):
        with pytest.raises(ValueError, match=r".") as caught:
            parse(each)
        assert "hunter2" not in str(caught.value)
        if each == url:
            assert problem in str(caught.value)


def test_neither_user_nor_password_prints():
    address = parse("redis://alice:hunter2@h")

    assert (address.user, address.password.reveal()) == ("alice", "hunter2")
    for text in (str(address), repr(address), address.name):
        assert "alice" not in text
        assert "hunter2" not in text
