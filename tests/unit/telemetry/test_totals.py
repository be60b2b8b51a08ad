"""Reports of several workers become one."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from pyproxy.telemetry.catalogue import (
    BANS_IN_FORCE,
    BUCKETS,
    BY_NAME,
    CERTIFICATE_EXPIRY,
    CONNECTIONS,
    DURATION,
    JWKS_AGE,
    JWKS_KEYS,
    REFUSALS,
    REQUESTS,
    STORE_UP,
    UPSTREAM_UP,
)
from pyproxy.telemetry.report import (
    CertificateState,
    EndpointState,
    Histogram,
    KeySetState,
    Report,
    StoreState,
)
from pyproxy.telemetry.totals import merge, retired, state_series

ENDPOINT = EndpointState("main", "a:1", "up", under_way=1, idle=2)
CERTIFICATE = CertificateState("[::]:1", "a.crt", ("a",), not_after=1000.0)
KEY_SET = KeySetState("https://a/b", keys=3, age_s=5.0, state="fresh")
STORE = StoreState("redis", is_up=True, failures=1)

LABELS = st.tuples(st.sampled_from(["one", "two", ""]))
# Whole numbers, as counts are, so that sums do not depend on their order.
NUMBERS = st.integers(0, 2**40).map(float)
HISTOGRAMS = st.builds(
    Histogram, NUMBERS, st.lists(st.integers(0, 2**40), min_size=BUCKETS, max_size=BUCKETS)
)
REPORTS = st.builds(
    Report,
    counters=st.dictionaries(st.tuples(st.sampled_from([REQUESTS, REFUSALS]), LABELS), NUMBERS),
    histograms=st.dictionaries(st.tuples(st.just(DURATION), LABELS), HISTOGRAMS),
    gauges=st.dictionaries(
        st.tuples(st.sampled_from([CONNECTIONS, BANS_IN_FORCE]), st.just(())), NUMBERS
    ),
    endpoints=st.lists(
        st.builds(
            EndpointState, st.just("main"), st.sampled_from("ab"),
            st.sampled_from(["up", "out", "unhealthy"]), st.integers(0, 9), st.integers(0, 9),
        ),
        max_size=1,
    ).map(tuple),
    store=st.builds(StoreState, st.just("redis"), is_up=st.booleans(), failures=st.integers(0, 9)),
)  # fmt: skip


def test_of_nobody_there_is_an_empty_report():
    assert merge([]) == Report()


@given(REPORTS)
def test_of_one_worker_the_report_is_its_own(report):
    assert merge([report]) == report


@given(st.lists(REPORTS, max_size=4))
def test_counters_and_histograms_add_up_and_no_report_is_changed(reports):
    before = copy.deepcopy(reports)
    total = merge(reports)

    assert reports == before
    assert sum(total.counters.values()) == sum(sum(r.counters.values()) for r in reports)
    for series, histogram in total.histograms.items():
        each = [r.histograms[series] for r in reports if series in r.histograms]
        assert histogram.total == sum(one.total for one in each)
        assert histogram.counts == [sum(n) for n in zip(*(x.counts for x in each), strict=True)]


@given(st.lists(REPORTS, max_size=4), st.integers(0, 4))
def test_it_is_all_one_in_which_order_and_in_how_many_steps(reports, cut):
    in_steps = merge([merge(reports[:cut]), merge(reports[cut:])])
    at_once = merge(reports)
    turned = merge(reversed(reports))

    for total in (in_steps, turned):
        assert total.counters == at_once.counters
        assert total.histograms == at_once.histograms
        assert total.gauges == at_once.gauges
        assert set(total.endpoints) == set(at_once.endpoints)


@given(st.lists(REPORTS, min_size=1, max_size=4), st.data())
def test_a_worker_that_ends_takes_no_count_with_it(reports, data):
    ending = data.draw(st.integers(0, len(reports) - 1))
    before = merge(reports)
    after = merge(retired(r) if n == ending else r for n, r in enumerate(reports))

    assert after.counters == before.counters
    assert after.histograms == before.histograms


def test_gauges_become_one_as_the_catalogue_says():
    series = [(CONNECTIONS, ()), (BANS_IN_FORCE, ())]
    reports = [Report(gauges=dict.fromkeys(series, value)) for value in (2.0, 3.0)]

    assert [BY_NAME[name].joining for name, _ in series] == ["sum", "max"]
    assert merge(reports).gauges == {series[0]: 5.0, series[1]: 3.0}


def test_what_has_ended_works_with_nothing_any_more():
    report = Report(
        {(REQUESTS, ("a", "GET", "2xx")): 1.0}, {}, {(CONNECTIONS, ()): 4.0},
        (ENDPOINT,), (CERTIFICATE,), (KEY_SET,), replace(STORE, is_up=False),
    )  # fmt: skip

    assert retired(report) == Report(counters=report.counters)


@pytest.mark.parametrize(
    ("states", "joined"),
    [
        (["up", "up"], "up"),
        (["up", "out"], "out"),
        (["unhealthy", "out", "up"], "unhealthy"),
    ],
    ids=str,
)
def test_an_endpoint_is_what_the_worst_judgement_says_and_its_connections_add_up(states, joined):
    other = replace(ENDPOINT, name="b:1")
    reports = [Report(endpoints=(replace(ENDPOINT, state=state), other)) for state in states]
    found = merge(reports).endpoints

    count = len(states)
    assert found == (
        EndpointState("main", "a:1", joined, count, 2 * count),
        replace(other, under_way=count, idle=2 * count),
    )


def test_an_endpoint_is_due_where_one_worker_would_try_it():
    out = replace(ENDPOINT, state="out")
    reports = [Report(endpoints=(out,)), Report(endpoints=(replace(out, is_due=True),))]

    assert merge(reports).endpoints[0].is_due
    assert not merge(reports[:1]).endpoints[0].is_due


def test_of_a_certificate_that_one_worker_has_yet_to_renew_the_earlier_end_counts():
    renewed = replace(CERTIFICATE, not_after=2000.0)
    other = replace(CERTIFICATE, file="b.crt")

    assert merge(
        [Report(certificates=(renewed, other)), Report(certificates=(CERTIFICATE, other))]
    ).certificates == (CERTIFICATE, other)


def test_a_key_set_is_as_old_and_as_bad_as_the_worst_off_worker_has_it():
    stale = KeySetState(KEY_SET.source, keys=2, age_s=9.0, state="stale")
    lost = KeySetState(KEY_SET.source, keys=0, age_s=7.0, state="lost")

    assert merge([Report(key_sets=(KEY_SET,)), Report(key_sets=(stale,))]).key_sets == (stale,)
    assert merge(Report(key_sets=(each,)) for each in (stale, lost)).key_sets == (
        KeySetState(KEY_SET.source, keys=0, age_s=9.0, state="lost"),
    )


def test_a_store_is_up_if_it_is_for_all_and_who_has_ended_does_not_say_which_it_is():
    down = replace(STORE, is_up=False, failures=2)

    assert merge([Report(), Report(store=STORE)]).store == STORE
    assert merge([Report(store=STORE), Report(store=down)]).store == StoreState(
        "redis", is_up=False, failures=3
    )


def test_states_become_numbers():
    report = Report(
        endpoints=(ENDPOINT, replace(ENDPOINT, name="b:1", state="out")),
        certificates=(CERTIFICATE,),
        key_sets=(KEY_SET,),
        store=replace(STORE, is_up=False),
    )

    assert state_series(report) == {
        (UPSTREAM_UP, ("main", "a:1")): 1.0,
        (UPSTREAM_UP, ("main", "b:1")): 0.0,
        (CERTIFICATE_EXPIRY, ("[::]:1", "a.crt")): 1000.0,
        (JWKS_AGE, ("https://a/b",)): 5.0,
        (JWKS_KEYS, ("https://a/b",)): 3.0,
        (STORE_UP, ()): 0.0,
    }
