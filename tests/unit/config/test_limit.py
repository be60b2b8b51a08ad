import pytest
from pydantic import ValidationError

from pyproxy.config.limit import LimitSettings, with_default_limits
from pyproxy.config.quantities import Rate


@pytest.mark.parametrize(
    ("value", "per"),
    [
        pytest.param("ip", ("ip",), id="one"),
        pytest.param(["user", "route"], ("user", "route"), id="several"),
        pytest.param(["user", "user"], ("user",), id="twice the same"),
    ],
)
def test_a_limit_counts_by_one_thing_or_several(value, per):
    limit = LimitSettings.model_validate({"rate": "1r/s", "per": value})

    assert limit.per == per
    assert limit.model_dump(mode="json") == {"rate": "1r/s", "burst": 0, "per": list(per)}


@pytest.mark.parametrize("value", ["address", [], ["ip", "x"], 1, {}], ids=repr)
def test_it_counts_by_nothing_else(value):
    with pytest.raises(ValidationError, match="or a list of them"):
        LimitSettings.model_validate({"rate": "1r/s", "per": value})


def test_a_limit_can_be_made_of_a_rate():
    assert LimitSettings(rate=Rate(1, 1)).rate.per_second == 1.0


def test_the_limits_that_exist_always_keep_what_is_not_said():
    limits = with_default_limits({"api": {"burst": 3}, "mine": {"rate": "1r/h"}, "auth": 7})

    assert limits == {
        "api": {"rate": "10r/s", "burst": 3},
        "auth": 7,
        "health": {"rate": "10r/s", "burst": 5},
        "mine": {"rate": "1r/h"},
    }
    assert with_default_limits("nonsense") == "nonsense"
