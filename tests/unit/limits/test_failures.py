from array import array
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from pyproxy.limits.failures import COUNTERS, MOST, SPANS, clear, count, is_over, span_of

# A second a span, so that all numbers are exact.
WITHIN_S = float(SPANS)


def counted(times, within_s=WITHIN_S):
    """What the counters hold after each failure."""
    counters, latest, totals = array("H", bytes(2 * COUNTERS)), 0, []
    for now in times:
        latest = count(counters, 0, latest, span_of(now, within_s))
        totals.append(sum(counters))
    return totals


def within(times, now, within_s):
    """The oracle: how many there really were, exactly."""
    return sum(0 <= Fraction(now) - Fraction(time) <= Fraction(within_s) for time in times)


steps = st.lists(st.integers(0, 64).map(lambda eighths: eighths / 8), max_size=60)


@given(steps)
def test_never_counts_less_than_the_window_nor_more_than_eight_sevenths_of_it(gaps):
    times, now = [], 1024.0
    for gap in gaps:
        now += gap
        times.append(now)

    for index, total in enumerate(counted(times)):
        so_far, at = times[: index + 1], times[index]
        assert within(so_far, at, WITHIN_S) <= total
        assert total <= within(so_far, at, WITHIN_S * COUNTERS / SPANS)


@given(steps, st.sampled_from([0.5, 1.0, 60.0, 86400.0 * 365]))
def test_so_it_is_with_windows_of_any_length(gaps, within_s):
    times, now = [], 1024.0
    for gap in gaps:
        now += gap * within_s / 16
        times.append(now)

    for index, total in enumerate(counted(times, within_s)):
        so_far, at = times[: index + 1], times[index]
        assert within(so_far, at, within_s * (1 - 1e-9)) <= total
        assert total <= within(so_far, at, within_s * (COUNTERS / SPANS + 1e-9))


def test_failures_at_the_very_ends_of_the_window_are_both_counted():
    assert counted([1024.0, 1024.0 + WITHIN_S]) == [1, 2]


@pytest.mark.parametrize("every_s", [2.0, 1.5])
def test_who_fails_slowly_is_never_counted_as_fast(every_s):
    most = int(WITHIN_S * COUNTERS / SPANS / every_s) + 1

    assert max(counted([1024.0 + every_s * number for number in range(1000)])) <= most


def test_after_a_pause_it_begins_anew():
    assert counted([1024.0] * 5 + [1024.0 + COUNTERS]) == [1, 2, 3, 4, 5, 1]
    assert counted([1024.0] * 5 + [9e9]) == [1, 2, 3, 4, 5, 1]


def test_clock_that_went_backwards_counts_as_standing_still():
    assert counted([1024.0, 1023.0, 1020.0, 1018.0]) == [1, 2, 3, 4]


def test_clock_that_went_far_back_begins_anew():
    assert counted([1024.0, 1024.0, 512.0, 512.0, 1024.0]) == [1, 2, 1, 2, 1]


def test_counter_that_is_full_stays_full():
    counters = array("H", [MOST] * COUNTERS)
    count(counters, 0, 1024, 1024)

    assert list(counters) == [MOST] * COUNTERS


def test_ring_in_the_midst_of_others_touches_none_of_them():
    counters = array("H", [9] * 3 * COUNTERS)
    latest = 0
    for span in (0, 5, 20, 3, 1000):
        latest = count(counters, COUNTERS, latest, span)
    clear(counters, COUNTERS)

    assert list(counters) == [9] * COUNTERS + [0] * COUNTERS + [9] * COUNTERS


@pytest.mark.parametrize(
    ("latest", "span", "over"),
    [
        pytest.param(100, 100, False, id="now"),
        pytest.param(100, 107, False, id="a window later"),
        pytest.param(100, 108, True, id="later than that"),
        pytest.param(100, 93, False, id="clock went backwards"),
        pytest.param(100, 92, True, id="clock went far back"),
    ],
)
def test_what_is_over(latest, span, over):
    assert is_over(latest, span) is over
