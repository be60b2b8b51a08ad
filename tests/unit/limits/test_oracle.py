"""The bucket against aiolimiter's, which others have relied on for years."""

import asyncio

import pytest
from aiolimiter import AsyncLimiter
from hypothesis import given, strategies as st

from pyproxy.limits.bucket import FULL, take


class FakeLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still until a test moves it."""

    now = 0.0

    def time(self):
        return self.now


@pytest.fixture(scope="module")
def loop():
    loop = FakeLoop()
    yield loop
    loop.close()


@given(st.integers(1, 30), st.lists(st.integers(0, 64), min_size=1, max_size=80))
def test_admits_what_aiolimiter_admits(loop, capacity, gaps):
    async def oracle():
        limiter = AsyncLimiter(capacity, float(capacity))  # a token a second
        admitted = []
        for gap in gaps:
            loop.now += gap / 8
            admitted.append(limiter.has_capacity())
            if admitted[-1]:
                await limiter.acquire()
        return admitted

    started = loop.now
    expected = loop.run_until_complete(oracle())
    now, full_at, admitted = started, FULL, []
    for gap in gaps:
        now += gap / 8
        full_at, wait_s = take(full_at, now, 1.0, float(capacity), 1.0)
        admitted.append(wait_s == 0.0)

    assert admitted == expected
