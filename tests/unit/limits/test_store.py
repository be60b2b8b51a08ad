import pytest

from pyproxy.config.quantities import Rate
from pyproxy.limits.limit import Limit
from pyproxy.limits.store import Taken

LIMIT = Limit("api", Rate(4.0, 1.0), 3)


@pytest.mark.parametrize(
    ("reset_s", "remaining"),
    [
        pytest.param(0.0, 4, id="full"),
        pytest.param(0.25, 3, id="one taken"),
        pytest.param(0.3, 2, id="a part of a token is none"),
        pytest.param(1.0, 0, id="empty"),
        pytest.param(2.0, 0, id="never less than nothing"),
        pytest.param(-1.0, 4, id="never more than full"),
    ],
)
def test_remaining(reset_s, remaining):
    assert Taken(0.0, reset_s, LIMIT).remaining == remaining
