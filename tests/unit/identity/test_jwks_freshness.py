import math

import pytest

from pyproxy.identity.jwks_freshness import Freshness


def _fetched(at=1000.0, failures=0):
    freshness = Freshness(ttl_s=300.0, max_age_s=86400.0)
    freshness.succeeded(at)
    for _ in range(failures):
        freshness.failed()
    return freshness


def test_nothing_is_trusted_before_the_first_fetch():
    assert not Freshness(300.0, 86400.0).is_trusted(0.0)


@pytest.mark.parametrize(
    ("elapsed", "trusted"),
    [
        pytest.param(0.0, True, id="just fetched"),
        pytest.param(301.0, True, id="past its ttl"),
        pytest.param(86399.0, True, id="almost too old"),
        pytest.param(86400.0, False, id="too old"),
        pytest.param(-5.0, True, id="clock went backwards"),
    ],
)
def test_keys_are_trusted_up_to_their_maximum_age(elapsed, trusted):
    assert _fetched().is_trusted(1000.0 + elapsed) is trusted


@pytest.mark.parametrize(
    ("failures", "wait_s"),
    [(0, 300.0), (1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (8, 60.0), (10_000, 60.0)],
)
def test_failures_double_the_wait_up_to_a_minute(failures, wait_s):
    freshness = _fetched(failures=failures)

    assert freshness.wait_s(1000.0) == wait_s
    assert freshness.failures == failures


def test_a_good_fetch_ends_the_backing_off():
    freshness = _fetched(failures=5)

    freshness.succeeded(1100.0)

    assert freshness.wait_s(1100.0) == 300.0


@pytest.mark.parametrize(
    ("now", "wait_s"),
    [
        pytest.param(87399.0, 1.0, id="a last attempt when trust ends"),
        pytest.param(87400.0, 60.0, id="trust has ended"),
        pytest.param(90000.0, 60.0, id="long ago"),
    ],
)
def test_a_failing_source_is_asked_when_trust_ends(now, wait_s):
    assert _fetched(failures=8).wait_s(now) == wait_s


def test_a_source_that_never_answered_is_asked_again_soon():
    freshness = Freshness(300.0, 86400.0)
    freshness.failed()

    assert freshness.wait_s(0.0) == 1.0


def test_a_maximum_age_below_the_ttl_wins():
    freshness = Freshness(ttl_s=300.0, max_age_s=100.0)
    freshness.succeeded(0.0)

    assert freshness.wait_s(0.0) == 100.0


@pytest.mark.parametrize(
    ("elapsed", "allowed"), [(0.0, False), (29.5, False), (30.0, True), (-1.0, False)]
)
def test_an_unscheduled_fetch_is_allowed_once_in_thirty_seconds(elapsed, allowed):
    freshness = _fetched()

    assert freshness.try_force(1000.0)
    assert freshness.try_force(1000.0 + elapsed) is allowed


def test_age_is_counted_from_the_last_good_fetch():
    freshness = Freshness(1.0, 10.0)
    assert freshness.age_s(5.0) == math.inf
    freshness.succeeded(5.0)
    freshness.failed()

    assert freshness.age_s(7.5) == 2.5
