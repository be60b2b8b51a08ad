import pytest

from pyproxy.config.outline import every_key
from pyproxy.config.pending import _IGNORED, _PENDING, ignored, unsupported


@pytest.mark.parametrize(
    ("tree", "where"),
    [
        ({"metrics": {"users": True}}, ("metrics", "users")),
    ],
    ids=str,
)
def test_what_a_version_cannot_do_is_refused(tree, where, monkeypatch):
    monkeypatch.setattr("pyproxy.config.pending._PENDING", {("metrics", "users"): (False,)})
    (finding,) = unsupported(tree)

    assert finding.where == where
    assert finding.problem.startswith("is not supported by this version; leave it out")


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"server": {"workers": "auto"}},
        {"auth": {"ban": {"after": 20}}, "store": {"url": "redis://h"}, "metrics": {"users": True}},
        {"server": 3, "listeners": "x", "routes": ["y", {"health": 1}], "auth": []},
    ],
    ids=str,
)
def test_what_asks_for_nothing_is_fine(tree):
    assert unsupported(tree) == ()
    assert ignored(tree) == ()


def test_the_admin_listener_is_remarked_on_alone():
    tree = {"server": {"admin": "127.0.0.1:9100"}}

    assert unsupported(tree) == ()
    assert [finding.where for finding in ignored(tree)] == [("server", "admin")]
    assert ignored({"server": {"admin": ""}}) == ()


def test_every_pending_key_is_a_key():
    keys = set(every_key())

    for path in (*_PENDING, *_IGNORED):
        assert path in keys or any(key[: len(path)] == path for key in keys), path
