import asyncio
from dataclasses import replace

import pytest

from bench.growths import injection
from bench.hot_path import measure
from pyproxy.wire.head import read_request_head

ALL = pytest.mark.parametrize(
    "course_of",
    [
        injection.with_credential,
        injection.repeated,
        injection.new_heads,
        injection.new_paths,
    ],
)


@ALL
async def test_the_upstreams_credential_takes_the_place_of_the_clients(course_of):
    assert await measure(course_of(1), count=5, rounds=1) > 0


@ALL
async def test_without_it_the_clients_own_is_taken_off_and_nothing_put_in(course_of):
    course = course_of(0)
    assert await measure(course, count=5, rounds=1) > 0

    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError, match="must be sent"):
            await measure(replace(course, must_send=b"sk-bench-upstream"), count=5, rounds=1)


@pytest.mark.parametrize("number", [0, 1])
def test_what_is_to_be_new_is_new_each_time(number):
    traced, paths = (
        [
            read_request_head(each.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            for each in course.requests
        ]
        for course in (injection.new_heads(number), injection.new_paths(number))
    )

    assert len({head.index[b"traceparent"] for head in traced}) == len(traced) > 1
    assert len({head.target for head in paths}) == len(paths) > 1
