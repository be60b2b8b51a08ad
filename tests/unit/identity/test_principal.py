import pytest

from pyproxy.identity.principal import ANONYMOUS, Principal


def test_anonymous_has_no_name_and_no_end():
    assert (ANONYMOUS.name, ANONYMOUS.kind, ANONYMOUS.is_expired(1e12)) == ("", "anonymous", False)


@pytest.mark.parametrize(
    ("expires_at", "wall", "is_expired"),
    [
        pytest.param(None, 1e12, False, id="without an end"),
        pytest.param(100.0, 99.5, False, id="before"),
        pytest.param(100.0, 100.0, True, id="on the moment"),
        pytest.param(100.0, 100.5, True, id="after"),
    ],
)
def test_expiry(expires_at, wall, is_expired):
    assert Principal("alice", "key", expires_at=expires_at).is_expired(wall) is is_expired
