import pytest

from pyproxy.config.quantities import Rate
from pyproxy.limits.limit import Limit
from pyproxy.store.lease import MOST_TOKENS, REFUSING_S, Lease, Portion

# Four a second, a quarter second each; 128 at once, of which one may hold six.
LIMIT = Limit("api", Rate(4.0, 1.0), 127)
NOW = 1024.0


def lease_of(tokens, reset_s=32.0, held_s=0.0):
    lease = Lease(NOW)
    assert lease.add(tokens, NOW, reset_s, held_s, LIMIT, NOW) == 0
    return lease


@pytest.mark.parametrize(
    ("portion", "now", "usable", "returnable"),
    [
        (Portion(), NOW, 0.0, 0),
        (Portion(4.0, NOW + 8.0), NOW, 4.0, 4),
        (Portion(4.0, NOW + 8.0), NOW + 7.5, 2.0, 2),
        (Portion(4.0, NOW + 8.0), NOW + 9.0, 0.0, 0),
        (Portion(4.0, NOW, NOW + 0.5), NOW + 0.25, 4.0, 0),
        (Portion(4.0, NOW + 8.0, NOW + 0.5), NOW + 0.5, 0.0, 0),
    ],
    ids=["nothing", "fresh", "shrunk", "void", "held", "held no more"],
)
def test_a_portion_is_worth_what_the_bucket_lacks(portion, now, usable, returnable):
    assert portion.usable(now, 0.25) == usable
    assert portion.returnable(now, 0.25) == returnable


def test_what_is_held_is_spent_and_then_the_bucket_is_asked():
    lease = lease_of(2)

    assert [lease.take(LIMIT, 1.0, NOW).wait_s for _ in range(2)] == [0.0, 0.0]
    assert lease.take(LIMIT, 1.0, NOW) is None


def test_a_refusal_is_repeated_for_a_moment():
    lease = Lease(NOW)
    lease.refuse(NOW, 2.0, 32.0)
    taken = lease.take(LIMIT, 1.0, NOW + REFUSING_S / 2)

    assert (taken.wait_s, taken.reset_s) == (2.0 - REFUSING_S / 2, 32.0 - REFUSING_S / 2)
    assert lease.take(LIMIT, 1.0, NOW + REFUSING_S) is None


def test_a_short_refusal_is_not_repeated_for_longer_than_it_was():
    lease = Lease(NOW)
    lease.refuse(NOW, 0.125, 32.0)

    assert lease.take(LIMIT, 1.0, NOW + 0.125) is None


def test_what_was_given_back_ends_a_refusal():
    lease = Lease(NOW)
    lease.refuse(NOW, 2.0, 32.0)
    lease.forget_refusal()

    assert lease.take(LIMIT, 1.0, NOW) is None


def test_a_lease_that_is_there_outlives_a_refusal_of_more():
    lease = lease_of(1)
    lease.refuse(NOW, 2.0, 16.0)

    assert lease.take(LIMIT, 1.0, NOW).reset_s == 32.0


def test_it_fetches_by_the_pace_of_late_up_to_a_share_of_the_quota():
    lease = Lease(NOW)
    wanted = []
    for _ in range(10):
        lease.take(LIMIT, 1.0, NOW)
        wanted.append(lease.more(LIMIT))

    assert wanted == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]
    lease.take(LIMIT, 1.0, NOW + 60.0)
    assert lease.more(LIMIT) == 0


def test_small_limits_are_never_leased_and_large_ones_only_so_far():
    lease = Lease(NOW)
    for _ in range(2 * MOST_TOKENS):
        lease.take(LIMIT, 1.0, NOW)

    assert lease.more(Limit("few", Rate(4.0, 1.0), 38)) == 0
    assert lease.more(Limit("wide", Rate(1e6, 1.0), 999_999)) == MOST_TOKENS - 1


def test_it_is_low_when_half_is_gone_and_nothing_is_on_its_way():
    lease = lease_of(6)
    lows = []
    for _ in range(6):
        lease.take(LIMIT, 1.0, NOW)
        lows.append(lease.is_low(LIMIT, NOW))

    assert lows == [False, False, False, False, True, True]
    lease.is_asking = True
    assert not lease.is_low(LIMIT, NOW)


def test_of_three_portions_the_oldest_goes_back():
    lease = lease_of(2)
    assert lease.add(3, NOW, 32.0, 0.0, LIMIT, NOW) == 0
    assert lease.add(0, NOW, 32.0, 0.0, LIMIT, NOW) == 0

    assert lease.add(4, NOW, 32.0, 0.0, LIMIT, NOW) == 2
    assert lease.surrender(LIMIT, NOW) == 7
    assert lease.surrender(LIMIT, NOW) == 0


def test_what_the_bucket_waits_for_does_not_go_back_besides():
    assert lease_of(4, held_s=0.5).surrender(LIMIT, NOW) == 0


def test_a_clock_that_goes_back_is_no_pause():
    lease = Lease(NOW)
    lease.take(LIMIT, 1.0, NOW)
    lease.take(LIMIT, 1.0, NOW - 1.0)

    assert lease.more(LIMIT) == 1
