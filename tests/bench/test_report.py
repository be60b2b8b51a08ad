import pytest

from bench import report
from bench.scenarios import Scenario

RATE, COST = "requests_per_s", "cpu_us_per_request"


def scenario(figure, *, is_more_better, cost=COST, is_among_ours=False):
    return Scenario(
        "an API key", figure, cost, is_more_better, "key", run=None, is_among_ours=is_among_ours
    )


def runs(ours, theirs, figure=RATE):
    return {
        "pyproxy": [{figure: value, COST: 10.0, "failed": 0.0} for value in ours],
        "envoy": [{figure: value, COST: 20.0, "failed": 0.0} for value in theirs],
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "is_more_better", "expected"),
    [
        pytest.param([200.0], [100.0], True, 2.0, id="twice the rate is twice as good"),
        pytest.param([200.0], [100.0], False, 0.5, id="twice the cost is half as good"),
        pytest.param([50.0], [100.0], False, 2.0, id="half the cost is twice as good"),
        pytest.param([1.0, 30.0, 2.0], [1.0, 10.0, 1.0], True, 2.0, id="median of the rounds"),
        pytest.param([2.0, 9.0], [1.0], True, 2.0, id="only rounds that both were in"),
        pytest.param([0.0, 4.0], [1.0, 2.0], True, 2.0, id="a round without a figure"),
    ],
)
def test_above_one_is_better_for_ours(ours, theirs, is_more_better, expected):
    found = report.ratio(runs(ours, theirs), "envoy", RATE, is_more_better=is_more_better)

    assert found == expected


@pytest.mark.parametrize(
    ("present", "name"),
    [
        pytest.param(runs([1.0], [1.0]), "nginx", id="the other was not there"),
        pytest.param({"envoy": [{RATE: 1.0}]}, "envoy", id="ours was not there"),
        pytest.param(runs([1.0], [1.0]), "pyproxy", id="ours beside itself"),
        pytest.param(runs([0.0], [1.0]), "envoy", id="no figure in any round"),
    ],
)
def test_there_is_no_ratio_of_what_is_missing(present, name):
    assert report.ratio(present, name, RATE, is_more_better=True) is None


def test_tables_leave_a_place_empty_where_a_contender_took_no_part():
    scenarios = {
        "key": scenario(RATE, is_more_better=True),
        "bcrypt": scenario(RATE, is_more_better=True),
    }
    results = {"key": runs([300.0], [100.0]), "bcrypt": {"pyproxy": runs([5.0], [])["pyproxy"]}}

    assert report.ratios(scenarios, results).splitlines() == [
        "| Scenario | Ratio of | envoy |",
        "| --- | --- | --- |",
        "| key: an API key | requests/s | 3.00 |",
        "|  | CPU per request | 2.00 |",
        "| bcrypt: an API key | requests/s | \N{EN DASH} |",
        "|  | CPU per request | \N{EN DASH} |",
    ]
    assert report.figures(scenarios, results).splitlines()[2:] == [
        "| key | requests/s | 300 | 100 |",
        "|  | CPU per request, \N{MICRO SIGN}s | 10 | 20 |",
        "| bcrypt | requests/s | 5 | \N{EN DASH} |",
        "|  | CPU per request, \N{MICRO SIGN}s | 10 | \N{EN DASH} |",
    ]


def test_a_figure_that_is_the_cost_itself_has_one_row():
    scenarios = {"sse": scenario(COST, is_more_better=False)}

    assert len(report.ratios(scenarios, {"sse": runs([1.0], [1.0])}).splitlines()) == 3


def test_the_picture_has_what_decides_and_no_more():
    scenarios = {
        "latency": scenario("p50_us", is_more_better=False),
        "alone": scenario(RATE, is_more_better=True),
        "provider": scenario(RATE, is_more_better=True, is_among_ours=True),
    }
    alone = {"pyproxy": runs([5.0], [])["pyproxy"]}

    results = {
        "latency": runs([100.0], [300.0], "p50_us"),
        "alone": alone,
        "provider": runs([1.0], [1.0]),
    }

    (group,) = report.groups(scenarios, results)

    assert (group.name, group.figure) == ("latency", "median")
    assert group.ratios == {"envoy": pytest.approx(3.0)}


def test_what_failed_in_any_round_is_named():
    results = {"key": {"envoy": [{"failed": 0.0}, {"failed": 3.0}], "pyproxy": [{"failed": 0.0}]}}

    assert report.failures(results) == ["key: envoy: 3 failed"]


def test_details_say_which_direction_is_better():
    text = report.details("latency", scenario(RATE, is_more_better=False), runs([50.0], [100.0]))

    assert "less is better" in text
    assert text.splitlines()[-1].split()[0] == "envoy"
    assert text.splitlines()[-1].split()[-1] == "2.00"
