import asyncio

from pyproxy.runtime.readable import readable
from tests.waiting import turns

PATIENCE_S = 5.0


async def waiting(ours):
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_S):
        await readable(ours, loop)


def test_what_there_is_stays(runner, pair):
    ours, theirs = pair
    theirs.send(b"x")

    runner.run(waiting(ours))

    assert ours.recv(2) == b"x"


def test_an_end_is_something_too(runner, pair):
    ours, theirs = pair
    theirs.close()

    runner.run(waiting(ours))


def test_nothing_is_waited_for_until_it_comes(runner, pair):
    ours, theirs = pair

    async def wait():
        task = asyncio.get_running_loop().create_task(waiting(ours))
        await turns(1)
        was_done = task.done()
        theirs.send(b"x")
        await task
        return was_done

    assert runner.run(wait()) is False


def test_nobody_waits_any_more_after_a_cancellation(runner, pair):
    ours, theirs = pair

    async def wait():
        loop = asyncio.get_running_loop()
        task = loop.create_task(waiting(ours))
        await turns(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        theirs.send(b"x")
        return loop.remove_reader(ours)

    assert not runner.run(wait())
