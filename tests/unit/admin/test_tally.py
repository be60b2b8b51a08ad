from pyproxy.admin.tally import buckets_by_route, total, totals_by
from pyproxy.telemetry.catalogue import CONNECTIONS, DURATION, REFUSALS, REQUESTS
from tests.admin_scene import report


def test_a_family_adds_up():
    counters = report().counters

    assert total(counters, REQUESTS) == 14
    assert total(counters, REQUESTS, route="one") == 10
    assert total(counters, REQUESTS, route="one", status="5xx") == 1
    assert total(counters, REQUESTS, route="three") == 0
    assert total(report().gauges, CONNECTIONS) == 9


def test_a_family_adds_up_by_a_label():
    counters = report().counters

    assert totals_by(counters, REQUESTS, "status") == {"2xx": 9, "5xx": 1, "4xx": 4}
    assert totals_by(counters, REQUESTS, "route", status="5xx") == {"one": 1}
    assert totals_by(counters, REFUSALS, "code") == {"rate_limited": 3, "invalid_token": 1}


def test_buckets_are_found_by_route():
    found = buckets_by_route(report().histograms, DURATION)

    assert found["one"][3:5] == (9, 1)
    assert sum(found["two"]) == 4
