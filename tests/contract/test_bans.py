"""What every list of bans promises (`limits.bans.Bans`)."""

import time

import pytest

from pyproxy.limits.bans import Ban, BanRules
from pyproxy.limits.memory_bans import MOST_BANS, MemoryBans
from pyproxy.runtime.zone import Zone
from pyproxy.store.banned import SpreadBans
from tests.redis_server import flush
from tests.shared_store import line_to

# Eight seconds a span, so that all numbers are exact.
RULES = BanRules(after=5, within_s=56.0, lasting_s=900.0)
NOW = 1024.0


@pytest.fixture(params=["memory", "zone", "redis"])
async def bans(request):
    if request.param == "memory":
        yield MemoryBans()
    elif request.param == "zone":
        zone = Zone.create()
        yield zone.bans
        zone.close()
    else:
        servers = request.getfixturevalue("one_redis")
        flush(servers)
        # What Redis counts besides goes by its own clock, and comes when the loop runs again.
        async with line_to(servers[0].url) as line:
            yield SpreadBans(MemoryBans(), line, "pyproxy", lambda: NOW, time.time, lambda *_: None)


def fail(bans, times, client="192.0.2.1", rules=RULES):
    """Whether each of these failures began a ban."""
    return [bans.failed(client, rules, now) for now in times]


def test_nobody_is_banned_at_first(bans):
    assert bans.left_s("192.0.2.1", NOW) == 0.0
    assert bans.in_force(NOW) == ()


def test_so_many_failures_begin_a_ban_once(bans):
    assert fail(bans, [NOW] * 9) == [False, False, False, False, True] + [False] * 4
    assert bans.left_s("192.0.2.1", NOW + 100.0) == 800.0
    assert bans.in_force(NOW) == (Ban("192.0.2.1", 900.0),)


def test_ban_ends_and_then_it_begins_anew(bans):
    fail(bans, [NOW] * 5)

    assert bans.left_s("192.0.2.1", NOW + 899.5) == 0.5
    assert bans.left_s("192.0.2.1", NOW + 900.0) == 0.0
    assert bans.in_force(NOW + 900.0) == ()
    assert fail(bans, [NOW + 900.0] * 5) == [False] * 4 + [True]


def test_failures_of_the_whole_window_count(bans):
    assert fail(bans, [NOW, NOW + 14, NOW + 28, NOW + 42, NOW + 56]) == [False] * 4 + [True]


def test_slow_failures_never_ban(bans):
    assert not any(fail(bans, [NOW + 20.0 * number for number in range(500)]))


def test_others_are_not_touched(bans):
    fail(bans, [NOW] * 5)

    assert bans.left_s("192.0.2.10", NOW) == 0.0
    assert fail(bans, [NOW] * 4, "192.0.2.10") == [False] * 4


@pytest.mark.parametrize(
    ("client", "rules"),
    [("192.0.2.1", BanRules(0, 56.0, 900.0)), ("", RULES)],
    ids=["no bans are wanted", "nobody"],
)
def test_who_is_not_counted(bans, client, rules):
    assert not any(fail(bans, [NOW] * 50, client, rules))
    assert bans.left_s(client, NOW) == 0.0


def test_another_window_counts_anew(bans):
    fail(bans, [NOW] * 4)
    wider = BanRules(5, 112.0, 900.0)

    assert fail(bans, [NOW] * 5, rules=wider) == [False] * 4 + [True]


def test_fewer_failures_are_enough_from_now_on_and_a_ban_in_force_keeps_its_length(bans):
    fail(bans, [NOW] * 4)
    fail(bans, [NOW] * 5, "192.0.2.2")
    stricter = BanRules(2, 56.0, 60.0)

    assert fail(bans, [NOW], rules=stricter) == [True]
    assert (bans.left_s("192.0.2.1", NOW), bans.left_s("192.0.2.2", NOW)) == (60.0, 900.0)


def test_lifted_is_let_in_and_its_failures_are_forgotten(bans):
    fail(bans, [NOW] * 5)
    fail(bans, [NOW] * 4, "192.0.2.2")

    assert bans.lift("192.0.2.1", NOW)
    assert bans.left_s("192.0.2.1", NOW) == 0.0
    assert not bans.lift("192.0.2.1", NOW)
    assert not bans.lift("192.0.2.2", NOW)
    assert fail(bans, [NOW] * 5) == [False] * 4 + [True]
    assert fail(bans, [NOW] * 5, "192.0.2.2") == [False] * 4 + [True]


@pytest.mark.parametrize("client", ["", "nonsense", "x" * 99, "caf\xe9"])
def test_lifting_what_is_not_banned_is_harmless(bans, client):
    assert not bans.lift(client, NOW)


def test_ban_that_is_over_cannot_be_lifted(bans):
    bans.ban("192.0.2.1", 10.0, NOW)

    assert not bans.lift("192.0.2.1", NOW + 10.0)


def test_banned_again_it_is_the_longer_one_that_counts(bans):
    bans.ban("192.0.2.1", 100.0, NOW)
    bans.ban("192.0.2.1", 50.0, NOW)
    assert bans.left_s("192.0.2.1", NOW) == 100.0
    bans.ban("192.0.2.1", 200.0, NOW)
    assert bans.left_s("192.0.2.1", NOW) == 200.0
    assert bans.in_force(NOW) == (Ban("192.0.2.1", 200.0),)


def test_networks_are_listed_as_they_are_written(bans):
    for number, client in enumerate(["2001:db8::/64", "ffff:ffff:ffff:ffff::/64", "192.0.2.1"]):
        bans.ban(client, 60.0 + number, NOW)

    assert [ban.client for ban in bans.in_force(NOW)] == [
        "192.0.2.1",
        "ffff:ffff:ffff:ffff::/64",
        "2001:db8::/64",
    ]


@pytest.mark.parametrize("client", ["", "x" * 49, "caf\xe9", "1.2.3.4\0"])
def test_what_is_no_address_is_not_banned(bans, client):
    with pytest.raises(ValueError, match=r"address|ascii"):
        bans.ban(client, 60.0, NOW)
    assert bans.in_force(NOW) == ()


def test_clock_that_went_backwards_lets_nobody_in(bans):
    fail(bans, [NOW] * 5)

    assert bans.left_s("192.0.2.1", NOW - 512.0) > 0.0
    assert fail(bans, [NOW, NOW - 1, NOW - 2, NOW - 3, NOW - 4], "192.0.2.2")[-1]


def test_at_the_bound_the_ban_that_ends_first_makes_room(bans):
    for number in range(MOST_BANS):
        bans.ban(f"{number}", 100.0 + number, NOW)
    bans.ban("longer", 1e6, NOW)
    bans.ban("shorter", 1.0, NOW)

    assert bans.left_s("longer", NOW) == 1e6
    assert bans.left_s("shorter", NOW) == 0.0
    assert bans.left_s("0", NOW) == 0.0
    assert bans.left_s("1", NOW) == 101.0
    assert len(bans.in_force(NOW)) == MOST_BANS


def test_strangers_who_fail_help_nobody_who_keeps_failing(bans):
    fail(bans, [NOW] * 4)
    bans.ban("192.0.2.2", 900.0, NOW)
    for number in range(100_000):
        bans.failed(f"2001:db8:{number:x}::/64", RULES, NOW + number / 100_000)

    assert fail(bans, [NOW + 1.0]) == [True]
    assert bans.left_s("192.0.2.2", NOW) == 900.0
    assert len(bans.in_force(NOW)) == 2


def test_they_are_counted_as_they_are_listed(bans):
    bans.ban("192.0.2.1", 10.0, NOW)
    bans.ban("192.0.2.2", 20.0, NOW)
    bans.ban("192.0.2.3", 20.0, NOW)
    bans.lift("192.0.2.3", NOW)

    for later in (0.0, 10.0, 20.0):
        assert bans.count(NOW + later) == len(bans.in_force(NOW + later))
