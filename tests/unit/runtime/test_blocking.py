"""Calls that may never return hold up nobody."""

import asyncio
import threading

import pytest

from pyproxy.runtime.blocking import Blocking
from tests.waiting import turns, until


@pytest.fixture
def released():
    """Set at the end, so that what hangs ends with its test."""
    event = threading.Event()
    yield event
    event.set()


async def test_the_result_comes_from_another_thread():
    assert await Blocking().call("work", threading.get_ident) != threading.get_ident()


@pytest.mark.parametrize("error", [ValueError("broken"), TimeoutError("its own")])
async def test_what_a_call_raises_is_raised(error):
    def fail():
        raise error

    with pytest.raises(type(error), match=str(error)):
        await Blocking().call("work", fail)


async def test_what_hangs_is_given_up(released):
    with pytest.raises(TimeoutError, match=r"^keys: no end within 0.01 s$"):
        await Blocking(timeout_s=0.01).call("keys", released.wait)


async def until_free(blocking):
    """Wait for threads, which tell nobody when they end."""
    await until(lambda: not blocking.running)


async def test_threads_that_hang_are_bounded_and_come_free(released):
    blocking = Blocking(timeout_s=0.01, most=1)
    with pytest.raises(TimeoutError):
        await blocking.call("keys", released.wait)
    with pytest.raises(TimeoutError, match="1 calls hang already"):
        await blocking.call("keys", int)

    released.set()
    async with asyncio.timeout(5.0):
        await until_free(blocking)

    assert await blocking.call("keys", int) == 0


async def test_a_cancellation_is_never_lost():
    """Whenever it comes: ``asyncio.wait_for`` of Python 3.11 lost one that met the result."""
    lost = 0
    for count in range(200):
        calling = asyncio.ensure_future(Blocking().call("work", int))
        await turns(count % 20)
        calling.cancel()
        await asyncio.wait([calling])
        lost += not calling.cancelled() and calling.result() != 0

    assert lost == 0


def test_a_call_that_hangs_does_not_keep_the_loop_from_ending(released):
    async def give_up():
        with pytest.raises(TimeoutError):
            await Blocking(timeout_s=0.01).call("keys", released.wait)

    asyncio.run(give_up())

    assert not released.is_set()
