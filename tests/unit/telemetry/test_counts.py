"""What a worker adds up, and that it does not grow with what clients make up."""

import pickle

import pytest

from pyproxy.errors.refusal import InvalidToken, NotFound, RateLimited, TooManyConcurrent
from pyproxy.telemetry.catalogue import (
    ABORTED,
    AUTH_FAILURES,
    BOUNDS_S,
    DURATION,
    FIRST_BYTE,
    IN_FLIGHT,
    LIMIT_EXCEEDED,
    REFUSALS,
    REQUEST_BYTES,
    REQUESTS,
    RESPONSE_BYTES,
    STREAMS,
    UPSTREAM_DURATION,
    USER_REQUESTS,
)
from pyproxy.telemetry.counts import MOST_USER_SERIES, Counts
from pyproxy.telemetry.record import Record

# A longest report: what pickles to more would be a leak.
MOST_BYTES = 16 * 1024


def record(**values):
    return Record(**{"route": "main", "method": "GET", "status": 200, **values})


@pytest.fixture
def counts():
    return Counts()


def series(counts, name):
    return {labels: n for (of, labels), n in counts.report().counters.items() if of == name}


def test_at_first_there_is_nothing_but_what_has_no_label(counts):
    report = counts.report()

    assert report.counters == {(AUTH_FAILURES, ()): 0}
    assert report.histograms == {}
    assert report.gauges == {(IN_FLIGHT, ()): 0, (STREAMS, ()): 0}


def test_requests_of_a_route_share_its_bytes_and_durations(counts):
    counts.ended(record(bytes_in=1, bytes_out=10), 0.0, 1.0)
    counts.ended(record(bytes_in=2, bytes_out=20, method="POST"), 0.0, 2.0)
    counts.ended(record(bytes_in=4, status=502, is_aborted=True), 0.0, 4.0)
    counts.ended(record(bytes_in=8, route="other"), 0.0, 8.0)

    assert series(counts, REQUESTS) == {
        ("main", "GET", "2xx"): 1, ("main", "POST", "2xx"): 1, ("main", "GET", "5xx"): 1,
        ("other", "GET", "2xx"): 1,
    }  # fmt: skip
    assert series(counts, REQUEST_BYTES) == {("main",): 7, ("other",): 8}
    assert series(counts, RESPONSE_BYTES) == {("main",): 30, ("other",): 0}
    assert series(counts, ABORTED) == {("main",): 1, ("other",): 0}
    duration = counts.report().histograms[DURATION, ("main",)]
    assert (sum(duration.counts), duration.total) == (3, 7.0)


@pytest.mark.parametrize("bound", BOUNDS_S)
def test_a_bound_is_the_last_of_its_bucket(counts, bound):
    bucket = BOUNDS_S.index(bound)
    counts.ended(record(), 0.0, bound)
    counts.ended(record(), 0.0, bound * 1.0001)

    found = counts.report().histograms[DURATION, ("main",)].counts
    assert [number for number, count in enumerate(found) if count] == [bucket, bucket + 1]


def test_a_clock_that_stands_still_or_goes_backwards_is_in_the_first_bucket(counts):
    counts.ended(record(), 5.0, 5.0)
    counts.ended(record(), 5.0, 4.0)

    assert counts.report().histograms[DURATION, ("main",)].counts[0] == 2


def test_what_did_not_happen_is_not_observed(counts):
    counts.ended(record(), 100.0, 108.0)
    counts.ended(record(asked_at=101.0, first_byte_at=102.0), 100.0, 108.0)

    histograms = counts.report().histograms
    first, upstream = (histograms[name, ("main",)] for name in (FIRST_BYTE, UPSTREAM_DURATION))
    assert (sum(first.counts), first.total) == (1, 2.0)
    assert (sum(upstream.counts), upstream.total) == (1, 7.0)


def test_a_refusal_is_counted_beside_its_request(counts):
    counts.refused(NotFound(), record(route=""))
    counts.refused(InvalidToken(), record())
    counts.refused(InvalidToken(), record(route="other"))

    assert series(counts, REQUESTS) == {}
    assert series(counts, REFUSALS) == {
        ("", "not_found"): 1, ("main", "invalid_token"): 1, ("other", "invalid_token"): 1,
    }  # fmt: skip
    assert series(counts, AUTH_FAILURES) == {(): 2}


def test_what_is_no_request_has_no_duration(counts):
    counts.rejected(NotFound(), Record(status=404))

    assert series(counts, REQUESTS) == {("", "other", "4xx"): 1}
    assert series(counts, REFUSALS) == {("", "not_found"): 1}
    assert sum(counts.report().histograms[DURATION, ("",)].counts) == 0


def test_only_rate_limits_are_counted_as_such(counts):
    for refusal in (RateLimited(limit="api"), RateLimited(), TooManyConcurrent()):
        counts.refused(refusal, record())

    assert series(counts, LIMIT_EXCEEDED) == {("api",): 1}
    assert sum(series(counts, REFUSALS).values()) == 3


def test_users_are_counted_where_wanted_and_forgotten_where_not(counts):
    counts.ended(record(user="alice"), 0.0, 1.0)
    counts.count_users(True)
    counts.ended(record(user="alice"), 0.0, 1.0)
    counts.ended(record(user="alice", status=404), 0.0, 1.0)
    counts.ended(record(user=""), 0.0, 1.0)
    known = series(counts, USER_REQUESTS)
    counts.count_users(False)

    assert known == {("alice", "main", "2xx"): 1, ("alice", "main", "4xx"): 1}
    assert series(counts, USER_REQUESTS) == {}


def test_users_past_the_bound_are_others_and_those_before_it_stay(counts):
    counts.count_users(True)
    for number in range(MOST_USER_SERIES + 10):
        counts.ended(record(user=f"user{number}"), 0.0, 1.0)
    counts.ended(record(user="user7"), 0.0, 1.0)
    found = series(counts, USER_REQUESTS)

    assert found["other", "main", "2xx"] == 10
    assert found["user7", "main", "2xx"] == 2
    assert sum(found.values()) == MOST_USER_SERIES + 11
    assert len(found) == MOST_USER_SERIES + 1


def test_a_million_users_paths_methods_and_addresses_do_not_make_it_grow(counts):
    for number in range(1_000_000):
        text = f"M{number}"
        counts.ended(Record(text, text, text, "main", text, text, 200, model=text), 0.0, 1.0)
    report = counts.report()

    assert series(counts, REQUESTS) == {("main", "other", "2xx"): 1_000_000}
    assert len(pickle.dumps(report)) < MOST_BYTES
    assert len(counts._tallies) == 1
    assert "M7" not in repr(report)


def test_a_report_does_not_change_after_it_was_made(counts):
    counts.ended(record(), 0.0, 1.0)
    report = counts.report()
    counts.ended(record(), 0.0, 1.0)

    assert report.counters[REQUESTS, ("main", "GET", "2xx")] == 1
    assert sum(report.histograms[DURATION, ("main",)].counts) == 1
