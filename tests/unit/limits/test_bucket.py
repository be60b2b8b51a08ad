import math

import pytest
from hypothesis import given, strategies as st

from pyproxy.limits.bucket import FULL, MAX_SLACK_S, give_back, slack, take

# Four a second with a burst of three: all numbers exact in binary.
INTERVAL_S = 0.25
CAPACITY_S = 1.0


@pytest.mark.parametrize(
    ("full_at", "now", "cost", "after", "wait"),
    [
        pytest.param(FULL, 8.0, 1.0, 8.25, 0.0, id="new bucket pays"),
        pytest.param(2.0, 8.0, 1.0, 8.25, 0.0, id="full bucket pays, and holds no more than full"),
        pytest.param(8.5, 8.0, 1.0, 8.75, 0.0, id="half full bucket pays"),
        pytest.param(8.75, 8.0, 1.0, 9.0, 0.0, id="last token"),
        pytest.param(9.0, 8.0, 1.0, 9.0, 0.25, id="empty bucket waits for a token"),
        pytest.param(9.0, 8.125, 1.0, 9.0, 0.125, id="half a token is none"),
        pytest.param(9.0, 8.25, 1.0, 9.25, 0.0, id="a token after an interval"),
        pytest.param(FULL, 8.0, 4.0, 9.0, 0.0, id="whole bucket at once"),
        pytest.param(8.25, 8.0, 4.0, 8.25, 0.25, id="whole bucket, one missing"),
        pytest.param(9.0, 6.0, 1.0, 7.0, 0.25, id="clock went backwards: empty, no worse"),
        pytest.param(9.0, 8.0, 0.5, 9.0, 0.125, id="half a token"),
    ],
)
def test_take(full_at, now, cost, after, wait):
    assert take(full_at, now, INTERVAL_S, CAPACITY_S, cost) == (after, wait)


@pytest.mark.parametrize(
    ("interval_s", "forgiven_s"),
    [
        pytest.param(3600.0, MAX_SLACK_S, id="slow limit"),
        pytest.param(1e-5, 1e-7, id="fast limit: a hundredth of an interval"),
    ],
)
def test_slack_is_small_in_every_measure(interval_s, forgiven_s):
    assert slack(interval_s) == pytest.approx(forgiven_s)


def test_given_back_is_as_if_never_taken():
    after, _ = take(8.5, 8.0, INTERVAL_S, CAPACITY_S, 1.0)

    assert give_back(after, INTERVAL_S, 1.0) == 8.5


def test_giving_back_never_makes_more_than_full():
    full_at = give_back(give_back(8.25, INTERVAL_S, 1.0), INTERVAL_S, 9.0)

    assert take(full_at, 8.0, INTERVAL_S, CAPACITY_S, 4.0) == (9.0, 0.0)
    assert take(full_at, 8.0, INTERVAL_S, CAPACITY_S, 4.25)[1] > 0


RATES = st.floats(0.001, 10_000)
BURSTS = st.integers(0, 200)
STARTS = st.floats(0, 1e7)  # four months of uptime


@given(RATES, BURSTS, STARTS)
def test_from_idle_burst_and_one_pass_and_then_one_each_interval(rate, burst, now):
    interval_s = 1 / rate
    capacity_s = (burst + 1) * interval_s
    full_at = FULL
    for _ in range(burst + 1):
        full_at, wait_s = take(full_at, now, interval_s, capacity_s, 1.0)
        assert wait_s == 0.0
    _, wait_s = take(full_at, now, interval_s, capacity_s, 1.0)
    assert wait_s == pytest.approx(interval_s, rel=1e-3, abs=1e-6)

    _, early_s = take(full_at, now + interval_s * 0.9, interval_s, capacity_s, 1.0)
    _, late_s = take(full_at, now + interval_s * 1.001 + 1e-6, interval_s, capacity_s, 1.0)
    assert early_s > 0.0 or interval_s < 1e-4  # where seconds of years have fewer digits than that
    assert late_s == 0.0


@given(RATES, BURSTS, STARTS, st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_nobody_waits_longer_than_a_bucket_takes_whatever_the_clock_does(rate, burst, now, steps):
    interval_s = 1 / rate
    capacity_s = (burst + 1) * interval_s
    full_at = FULL
    for step in steps:
        now += step
        full_at, wait_s = take(full_at, now, interval_s, capacity_s, 1.0)
        assert 0.0 <= wait_s <= interval_s * 1.001 + 1e-6


def nginx_limit_req(rate, burst, arrivals_ms):
    """What nginx's documentation says of limit_req with nodelay, in its own whole numbers.

    The excess is counted in thousandths of a request and falls by the rate; a
    request that would raise it over the burst is refused and changes nothing.
    """
    excess, last = 0, None
    for now in arrivals_ms:
        raised = 0 if last is None else max(0, excess - rate * (now - last) + 1000)
        if raised > burst * 1000:
            yield False
        else:
            excess, last = raised, now
            yield True


@given(
    st.sampled_from([1, 2, 4, 8, 10, 50, 125]),
    st.integers(0, 30),
    st.lists(st.integers(0, 2000), min_size=1, max_size=80),
)
def test_admits_what_nginx_admits(rate, burst, gaps_ms):
    arrivals = [sum(gaps_ms[: index + 1]) for index in range(len(gaps_ms))]
    interval_s = 1 / rate
    full_at = FULL
    admitted = []
    for now_ms in arrivals:
        full_at, wait_s = take(full_at, now_ms / 1000, interval_s, (burst + 1) * interval_s, 1.0)
        admitted.append(wait_s == 0.0)

    assert admitted == list(nginx_limit_req(rate, burst, arrivals))


@given(RATES, st.integers(0, 30), st.lists(st.floats(0, 100), max_size=60))
def test_never_more_in_any_window_than_burst_and_rate_allow(rate, burst, gaps):
    interval_s = 1 / rate
    now, full_at, passed = 0.0, FULL, []
    for gap in gaps:
        now += gap * interval_s
        full_at, wait_s = take(full_at, now, interval_s, (burst + 1) * interval_s, 1.0)
        if not wait_s:
            passed.append(now)

    for first in range(len(passed)):
        for last in range(first, len(passed)):
            window_s = passed[last] - passed[first]
            assert last - first + 1 <= burst + 1 + math.floor(window_s * rate + 0.002 * (last + 1))
