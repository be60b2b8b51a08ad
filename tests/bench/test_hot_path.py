import asyncio
from collections import Counter

import pytest

from bench.hot_path import KEY, Course, measure, request_for
from bench.shares import Sampler, by_package


async def test_a_course_is_run_and_timed():
    assert await measure(Course(), count=5, rounds=1) > 0


async def test_requests_take_turns():
    known, unknown = (request_for("/v1", key) for key in (KEY, "sk-unknown"))

    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError, match="refused"):
            await measure(Course(requests=[known, known, unknown]), count=3, rounds=1)


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        pytest.param(Course(requests=[request_for("/v1", "sk-unknown")]), "refused", id="refused"),
        pytest.param(Course(must_send=b"never sent"), "must be sent", id="not what must go up"),
    ],
)
async def test_what_does_not_work_is_not_timed(course, reason):
    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError, match=reason):
            await measure(course, count=5, rounds=1)


async def test_shares_are_those_of_modules():
    with Sampler() as sampler:
        while not sampler.samples.total():
            await measure(Course(), count=500, rounds=1)

    assert all("/" not in module for module in sampler.samples)


def test_modules_of_a_package_count_together():
    samples = Counter({"wire.head": 3, "wire.framing": 2, "timers": 1})

    assert by_package(samples) == {"wire": 5, "timers": 1}
