from pyproxy.admin.window import STEPS, Sample, Window
from pyproxy.telemetry.catalogue import DURATION, REFUSALS, REQUESTS
from pyproxy.telemetry.report import Report
from tests.admin_scene import histogram, report


def counted(*, ok=0, failed=0, route="one", **buckets):
    counters = {
        (REQUESTS, (route, "GET", "2xx")): ok,
        (REQUESTS, (route, "GET", "5xx")): failed,
    }
    return Report(counters=counters, histograms={(DURATION, (route,)): histogram(**buckets)})


def window_of(*reports):
    window = Window()
    for second, each in enumerate(reports):
        window.add(Sample.of(each, 100.0 + second))
    return window


def test_before_the_first_sample_nothing_is_known():
    window = Window()

    assert window.pace().per_second == 0.0
    assert window.pace().latency_ms == {"p50": None, "p90": None, "p99": None}
    assert window.history()["per_second"] == [0.0] * STEPS
    assert window.history()["p50_ms"] == [None] * STEPS


def test_one_sample_says_nothing_of_the_pace():
    pace = window_of(report()).pace()

    assert pace.per_second == 0.0
    assert pace.latency_ms["p50"] is None


def test_what_was_before_the_window_does_not_count():
    window = window_of(counted(ok=100, b0=100), counted(ok=104, b0=100, b9=4))

    pace = window.pace()
    assert pace.per_second == 4.0
    assert pace.latency_ms["p50"] == 750.0


def test_the_pace_of_a_route_is_its_own():
    window = window_of(Report(), counted(ok=2, route="one", b0=2))

    assert window.pace("one").per_second == 2.0
    assert window.pace("two").per_second == 0.0
    assert window.pace("two").latency_ms["p99"] is None


def test_errors_are_paced_over_the_same_time_as_requests():
    window = window_of(counted(failed=7), counted(ok=6, failed=9), counted(ok=8, failed=9))

    assert (window.pace().per_second, window.pace().errors_per_second) == (5.0, 1.0)


def test_the_window_is_a_minute_long():
    window = window_of(*(counted(ok=second) for second in range(200)))

    assert window.pace().per_second == 1.0
    assert window.history()["per_second"] == [1.0] * STEPS


def test_the_history_has_the_oldest_first():
    window = window_of(counted(), counted(ok=3, b0=3), counted(ok=3, failed=2, b0=3, b9=2))

    history = window.history()
    assert history["step_s"] == 1
    assert history["per_second"][-3:] == [0.0, 3.0, 2.0]
    assert history["errors_per_second"][-2:] == [0.0, 2.0]
    assert history["p50_ms"][-3:] == [None, 0.5, 750.0]
    assert len(history["p99_ms"]) == STEPS


def test_a_step_that_took_longer_counts_by_the_second():
    window = Window()
    window.add(Sample.of(counted(), 100.0))
    window.add(Sample.of(counted(ok=10), 105.0))

    assert window.history()["per_second"][-1] == 2.0


def test_what_went_backwards_counts_as_nothing():
    window = window_of(counted(ok=10, b0=10), counted(ok=4, b0=4))

    assert window.pace().per_second == 0.0
    assert window.pace().latency_ms["p50"] is None


def refused(**counts):
    return Report(counters={(REFUSALS, ("one", code)): n for code, n in counts.items()})


def test_refusals_are_those_of_the_window_alone():
    window = window_of(refused(a=10, b=2, gone=9), refused(a=10, b=3), refused(a=10, b=5, c=1))

    assert window.refusals() == {"b": 3, "c": 1}


def test_refusals_of_no_window_yet_are_none():
    assert window_of().refusals() == {}
    assert window_of(refused(a=3)).refusals() == {}


def test_refusals_are_forgotten_after_a_minute():
    window = window_of(refused(), refused(a=4), *(refused(a=4) for _ in range(STEPS)))

    assert window.refusals() == {}
