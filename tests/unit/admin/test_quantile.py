import pytest
from hypothesis import given, strategies as st

from pyproxy.admin.quantile import quantile

BOUNDS = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        pytest.param(0.5, (0, 0, 0, 0), None, id="nothing"),
        pytest.param(0.5, (4, 0, 0, 0), 0.5, id="half of the first bucket"),
        pytest.param(1.0, (4, 0, 0, 0), 1.0, id="its end"),
        pytest.param(0.5, (0, 0, 8, 0), 3.0, id="the middle of a later one"),
        pytest.param(0.75, (2, 0, 2, 0), 3.0, id="over an empty one"),
        pytest.param(0.5, (2, 0, 2, 0), 1.0, id="on the edge"),
        pytest.param(0.99, (0, 0, 0, 3), 4.0, id="beyond the highest bound"),
        pytest.param(0.0, (0, 4, 0, 0), 1.0, id="the smallest"),
    ],
)
def test_it_interpolates_within_a_bucket(share, counts, expected):
    assert quantile(share, BOUNDS, counts) == expected


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_never_ends_earlier(counts, one, other):
    low, high = (quantile(share, BOUNDS, counts) for share in sorted((one, other)))

    assert (low is None) == (high is None) == (not any(counts))
    assert low is None or 0.0 <= low <= high <= BOUNDS[-1]
