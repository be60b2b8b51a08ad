"""Something that is awaited ends at its deadline, and not because the loop was busy."""

import asyncio
import socket
import time

import pytest
import uvloop

from pyproxy.timers.deadline import LATE_S
from pyproxy.timers.limit import limit_at
from tests.waiting import turns


async def test_what_takes_too_long_is_cancelled():
    loop = asyncio.get_running_loop()

    with pytest.raises(TimeoutError):
        async with limit_at(loop, loop.time() + 0.01):
            await asyncio.Event().wait()


async def test_what_ends_in_time_is_left_alone_from_then_on():
    loop = asyncio.get_running_loop()

    async with limit_at(loop, loop.time() + 0.01):
        pass
    await asyncio.sleep(0.02)


async def test_a_cancellation_from_elsewhere_stays_one():
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()

    async def work():
        async with limit_at(loop, loop.time() + 60.0):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_what_came_while_the_loop_was_busy_came_in_time(loop_factory):
    ours, theirs = socket.socketpair()

    async def received():
        loop = asyncio.get_running_loop()
        async with limit_at(loop, loop.time() + LATE_S):
            return await loop.sock_recv(ours, 9)

    async def run():
        receiving = asyncio.ensure_future(received())
        await turns()
        theirs.send(b"in time")
        busy_until = time.monotonic() + 3 * LATE_S
        while time.monotonic() < busy_until:
            pass
        return await receiving

    with ours, theirs, asyncio.Runner(loop_factory=loop_factory) as runner:
        ours.setblocking(False)
        assert runner.run(run()) == b"in time"
