import pytest

from pyproxy.limits.bans import CLIENT_BYTES, Ban, in_order, stored


@pytest.mark.parametrize(
    "client",
    ["192.0.2.1", "2001:db8:1:2::/64", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/64"],
)
def test_every_address_has_room(client):
    assert stored(client) == client.encode()


@pytest.mark.parametrize("client", ["", "x" * (CLIENT_BYTES + 1), "caf\xe9", "1.2.3.4\0"])
def test_what_is_no_address_is_refused(client):
    with pytest.raises(ValueError, match=r"address|ascii"):
        stored(client)


def test_the_one_that_ends_last_is_the_first_and_what_is_over_is_left_out():
    ends = {"b": 130.0, "over": 100.0, "c": 190.0, "a": 130.0}

    assert in_order(ends.items(), 100.0) == (Ban("c", 90.0), Ban("a", 30.0), Ban("b", 30.0))
