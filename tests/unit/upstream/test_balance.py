"""Which endpoint is next."""

import pytest

from pyproxy.upstream.balance import Upstream
from pyproxy.upstream.endpoint import Address, Endpoint


def endpoints(*busy):
    """Endpoints with so many requests under way."""
    made = [Endpoint(Address(f"e{i}", 80), None) for i in range(len(busy))]
    for endpoint, count in zip(made, busy, strict=True):
        endpoint.busy = count
    return made


def picked(upstream, count, tried=()):
    """Which ones are picked, by number."""
    return [upstream.endpoints.index(upstream.pick(tried)) for _ in range(count)]


@pytest.mark.parametrize(
    ("busy", "is_round_robin", "order"),
    [
        pytest.param([0, 0, 0], True, [0, 1, 2, 0, 1, 2], id="in turn"),
        pytest.param([9, 0, 0], True, [0, 1, 2, 0, 1, 2], id="in turn, however busy"),
        pytest.param([2, 1, 3], False, [1, 1, 1, 1, 1, 1], id="the least busy"),
        pytest.param([0, 0, 0], False, [0, 1, 2, 0, 1, 2], id="in turn among equals"),
        pytest.param([0, 9, 0], False, [0, 2, 2, 0, 2, 2], id="the least busy in turn"),
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
        tried.append(upstream.pick(tried))

    assert set(tried) == set(upstream.endpoints)


@pytest.mark.parametrize("is_round_robin", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_attempts_go_on_when_all_were_tried(is_round_robin, count):
    upstream = Upstream(endpoints(*[0] * count), is_round_robin=is_round_robin)

    assert upstream.pick(upstream.endpoints) in upstream.endpoints
