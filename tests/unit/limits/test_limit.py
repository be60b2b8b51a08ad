import pytest

from pyproxy.config.quantities import Rate
from pyproxy.limits.limit import Limit, bucket_key, network, own_limit


def limit_per(*per):
    return Limit("api", Rate(10.0, 1.0), 20, per)


@pytest.mark.parametrize(
    ("rate", "burst", "interval_s", "capacity_s"),
    [
        pytest.param("4r/s", 3, 0.25, 1.0, id="a second"),
        pytest.param("5r/m", 10, 12.0, 132.0, id="a minute"),
        pytest.param("100r/h", 0, 36.0, 36.0, id="an hour, no burst"),
    ],
)
def test_limit_is_worked_out_once(rate, burst, interval_s, capacity_s):
    limit = Limit("api", Rate.parse(rate), burst)

    assert (limit.interval_s, limit.capacity_s, limit.quota) == (interval_s, capacity_s, burst + 1)


@pytest.mark.parametrize(
    ("rate", "burst"),
    [
        pytest.param("20r/s", 19, id="a second's worth at once"),
        pytest.param("0.5r/s", 0, id="less than one"),
        pytest.param("2.5r/m", 2, id="broken number"),
    ],
)
def test_limit_of_a_key(rate, burst):
    limit = own_limit(Rate.parse(rate))

    assert (limit.burst, limit.per) == (burst, ("user",))


def test_limit_of_a_key_is_worked_out_once_a_rate():
    assert own_limit(Rate(20.0, 1.0)) is own_limit(Rate(20.0, 1.0))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="v4"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="v6: its /64"),
        pytest.param("2001:DB8:1:2::", "2001:db8:1:2::/64", id="v6, other spelling"),
        pytest.param("::ffff:192.0.2.7", "192.0.2.7", id="v4 written in v6"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="with a zone"),
        pytest.param("unix:/run/x.sock", "unix:/run/x.sock", id="unix socket"),
        pytest.param("", "", id="no address"),
    ],
)
def test_network_of_an_address(address, expected):
    assert network(address) == expected


@pytest.mark.parametrize(
    ("per", "same", "different"),
    [
        pytest.param(("ip",), ("A", "v", "s"), ("B", "u", "r"), id="ip"),
        pytest.param(("user",), ("B", "u", "s"), ("A", "v", "r"), id="user"),
        pytest.param(("route",), ("B", "v", "r"), ("A", "u", "s"), id="route"),
        pytest.param(("user", "route"), ("B", "u", "r"), ("A", "u", "s"), id="user and route"),
        pytest.param(("ip", "user"), ("A", "u", "s"), ("A", "v", "r"), id="ip and user"),
        pytest.param(("user",), ("B", "u", "r"), ("A", "", "r"), id="user, anonymous"),
    ],
)
def test_who_shares_a_bucket(per, same, different):
    limit = limit_per(*per)
    mine = bucket_key(limit, "A", "u", "r")

    assert bucket_key(limit, *same) == mine
    assert bucket_key(limit, *different) != mine


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("9.9.9.9", "", "r"), ("1.1.1.1", "9.9.9.9", "r"), id="name like an address"),
        pytest.param(("A", "u", "r"), ("A", "", "r"), id="anonymous beside a user"),
        pytest.param(("A", "a|b", "c"), ("A", "a", "b|c"), id="separator in a name"),
    ],
)
def test_clever_names_share_no_bucket(one, other):
    limit = limit_per("user", "route")

    assert bucket_key(limit, *one) != bucket_key(limit, *other)


def test_anonymous_callers_are_told_apart_by_address():
    limit = limit_per("user")

    assert bucket_key(limit, "A", "", "r") != bucket_key(limit, "B", "", "r")


def test_limits_share_no_bucket():
    one, other = Limit("api", Rate(1.0, 1.0), 1), Limit("auth", Rate(1.0, 1.0), 1)

    assert bucket_key(one, "A", "u", "r") != bucket_key(other, "A", "u", "r")
