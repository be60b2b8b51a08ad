"""Which endpoint is next."""

import pytest

from pyproxy.upstream.balance import Upstream
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.health import CheckRules, HealthCheck
from pyproxy.upstream.news import silent
from pyproxy.upstream.standing import FAILURES, FIRST_TERM_S

NOW = 100.0
RULES = CheckRules((b"", b""), 1.0, 1.0, unhealthy_after=1, healthy_after=1)


def endpoints(*busy):
    """Endpoints with so many requests under way."""
    made = [Endpoint(Address(f"e{i}", 80), None) for i in range(len(busy))]
    for endpoint, count in zip(made, busy, strict=True):
        endpoint.busy = count
    return made


def picked(upstream, count, now=NOW, tried=()):
    """Which ones are picked, by number."""
    return [upstream.endpoints.index(upstream.pick(tried, now)) for _ in range(count)]


def put_out(*out):
    for endpoint in out:
        for _ in range(FAILURES):
            endpoint.failed(NOW)


@pytest.mark.parametrize(
    ("busy", "is_round_robin", "order"),
    [
        pytest.param([0, 0, 0], True, [0, 1, 2, 0, 1, 2], id="in turn"),
        pytest.param([9, 0, 0], True, [0, 1, 2, 0, 1, 2], id="in turn, however busy"),
        pytest.param([2, 1, 3], False, [1, 1, 1, 1, 1, 1], id="the least busy"),
        pytest.param([0, 0, 0], False, [0, 1, 2, 0, 1, 2], id="in turn among equals"),
        pytest.param([0, 9, 0], False, [0, 2, 0, 2, 0, 2], id="the least busy in turn"),
        pytest.param([5], False, [0, 0, 0, 0, 0, 0], id="the only one"),
        pytest.param([5], True, [0, 0, 0, 0, 0, 0], id="the only one, in turn"),
    ],
)
def test_endpoints_share_the_work(busy, is_round_robin, order):
    upstream = Upstream(endpoints(*busy), is_round_robin=is_round_robin)

    assert picked(upstream, 6) == order


@pytest.mark.parametrize("is_round_robin", [True, False])
def test_another_attempt_goes_elsewhere(is_round_robin):
    upstream = Upstream(endpoints(0, 0, 0), is_round_robin=is_round_robin)
    tried = []
    for _ in range(3):
        tried.append(upstream.pick(tried, NOW))

    assert set(tried) == set(upstream.endpoints)


@pytest.mark.parametrize("is_round_robin", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_attempts_go_on_when_all_were_tried(is_round_robin, count):
    upstream = Upstream(endpoints(*[0] * count), is_round_robin=is_round_robin)

    assert upstream.pick(upstream.endpoints, NOW) in upstream.endpoints


# --- Those that failed


@pytest.mark.parametrize("is_round_robin", [True, False])
def test_share_of_one_that_is_out_goes_to_all_others(is_round_robin):
    upstream = Upstream(endpoints(0, 0, 0), is_round_robin=is_round_robin)
    put_out(upstream.endpoints[1])

    assert picked(upstream, 6) == [0, 2, 0, 2, 0, 2]


def test_one_that_is_out_is_not_picked_for_having_nothing_to_do():
    upstream = Upstream(endpoints(5, 0, 5))
    put_out(upstream.endpoints[1])

    assert 1 not in picked(upstream, 6)


def test_one_request_finds_out_when_the_term_is_over():
    upstream = Upstream(endpoints(5, 0, 5))
    put_out(upstream.endpoints[1])

    assert picked(upstream, 6, NOW + FIRST_TERM_S) == [1, 2, 0, 2, 0, 2]


def test_one_that_works_again_is_in_at_once():
    upstream = Upstream(endpoints(5, 0, 5))
    put_out(upstream.endpoints[1])
    upstream.endpoints[1].worked()

    assert picked(upstream, 3) == [1, 1, 1]


def test_if_all_are_out_all_are_in():
    upstream = Upstream(endpoints(0, 0, 0))
    put_out(*upstream.endpoints)

    assert picked(upstream, 3) == [0, 1, 2]


def test_the_only_one_is_never_out():
    upstream = Upstream(endpoints(0))
    put_out(*upstream.endpoints)

    assert picked(upstream, 2) == [0, 0]


def test_one_that_is_out_is_better_than_one_that_was_tried():
    upstream = Upstream(endpoints(0, 0))
    put_out(upstream.endpoints[1])

    assert picked(upstream, 2, tried=upstream.endpoints[:1]) == [1, 1]


# --- Those that are not well


def checked(count, *unwell):
    made = endpoints(*[0] * count)
    checks = [HealthCheck(each, RULES, silent, lambda: 0.0) for each in made]
    for number in unwell:
        checks[number].take("answered 503")
    return Upstream(made, checks=checks)


@pytest.mark.parametrize(
    ("unwell", "order"),
    [
        pytest.param([], [0, 1, 2], id="all are well"),
        pytest.param([0], [1, 2, 1], id="one is not"),
        pytest.param([0, 1, 2], [0, 1, 2], id="none is, so all are in"),
    ],
)
def test_one_that_is_not_well_is_left_out(unwell, order):
    assert picked(checked(3, *unwell), 3) == order


def test_well_and_failing_is_out_as_well():
    upstream = checked(3, 0)
    put_out(upstream.endpoints[1])

    assert picked(upstream, 3) == [2, 2, 2]


@pytest.mark.parametrize(
    ("failures", "is_healthy", "state"),
    [
        pytest.param(0, True, "up", id="well"),
        pytest.param(FAILURES - 1, True, "up", id="less than enough failures"),
        pytest.param(FAILURES, True, "out", id="failed, and well by its check"),
        pytest.param(FAILURES, False, "unhealthy", id="both"),
        pytest.param(0, False, "unhealthy", id="not well"),
    ],
)
def test_what_is_known_of_an_endpoint(failures, is_healthy, state):
    endpoint, other = endpoints(0, 0)
    check = HealthCheck(endpoint, RULES, silent, lambda: 0.0)
    check.is_healthy = is_healthy
    upstream = Upstream([endpoint, other], checks=[check])
    for _ in range(failures):
        endpoint.failed(NOW)

    assert upstream.state_of(endpoint) == state
    assert upstream.state_of(other) == "up"
