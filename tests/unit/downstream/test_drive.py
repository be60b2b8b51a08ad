"""A coroutine that callbacks take forward, and the task it becomes when it must wait."""

import asyncio
import inspect

import pytest

from pyproxy.downstream.drive import Drive, Signal
from tests.waiting import turns


class Driven:
    """A drive, the tasks it made and how often something came to its end."""

    def __init__(self):
        self.tasks = []
        self.ends = 0
        self.drive = Drive(self._spawn, self._end)

    def _spawn(self, work, name):
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))
        return self.tasks[-1]

    def _end(self):
        self.ends += 1


@pytest.fixture
async def driven():
    return Driven()


async def test_work_that_waits_for_nothing_is_done_at_once(driven):
    steps = []

    async def work():
        steps.append("done")

    driven.drive.start(work())

    assert (steps, driven.ends, driven.tasks) == (["done"], 1, [])


async def test_signal_takes_work_on_within_the_callback_that_sets_it(driven):
    signal, steps = Signal(driven.drive), []

    async def work():
        await signal
        steps.append("after")

    driven.drive.start(work())
    before = (list(steps), driven.ends)
    signal.set()

    assert before == ([], 0)
    assert (steps, driven.ends, driven.tasks) == (["after"], 1, [])


async def test_signal_that_is_set_before_is_not_waited_for(driven):
    signal = Signal(driven.drive)
    signal.set()

    async def work():
        await signal

    driven.drive.start(work())

    assert driven.ends == 1


async def test_failed_signal_raises_where_it_is_awaited(driven):
    signal, caught = Signal(driven.drive), []

    async def work():
        try:
            await signal
        except ValueError as error:
            caught.append(error)

    driven.drive.start(work())
    error = ValueError()
    signal.fail(error)
    signal.fail(KeyError())
    signal.set()

    assert caught == [error]
    assert driven.ends == 1


async def test_only_the_signal_that_is_waited_for_takes_work_on(driven):
    first, second = Signal(driven.drive), Signal(driven.drive)

    async def work():
        await second

    driven.drive.start(work())
    first.set()
    before = driven.ends
    second.set()
    second.set()

    assert (before, driven.ends) == (0, 1)


@pytest.mark.parametrize("is_failed", [False, True], ids=["set", "failed"])
async def test_work_that_waits_for_the_loop_goes_on_as_a_task(driven, is_failed):
    future, signal, steps = asyncio.get_running_loop().create_future(), Signal(driven.drive), []

    async def work():
        try:
            steps.append(await future)
        except ValueError:
            steps.append("error")
        async with asyncio.timeout(5):  # needs a task
            await signal
        steps.append("after")

    driven.drive.start(work())
    if is_failed:
        future.set_exception(ValueError())
    else:
        future.set_result("result")
    await turns()
    signal.set()
    await driven.tasks[0]

    assert steps == ["error" if is_failed else "result", "after"]
    assert (driven.ends, driven.drive.is_task) == (1, False)


async def test_work_may_ask_to_be_a_task_once(driven):
    steps = []

    async def work():
        await driven.drive.to_task()
        steps.append(asyncio.current_task())
        await driven.drive.to_task()

    driven.drive.start(work())
    await driven.tasks[0]

    assert steps == driven.tasks
    assert driven.ends == 1


async def test_work_follows_work_and_each_begins_without_a_task(driven):
    async def waits():
        await turns(1)

    async def runs():
        assert not driven.drive.is_task

    driven.drive.start(waits())
    await driven.tasks[0]
    driven.drive.start(runs())

    assert (driven.ends, len(driven.tasks)) == (2, 1)


@pytest.mark.parametrize("is_task", [False, True])
async def test_cancelled_work_cleans_up_and_tells_nobody(driven, is_task):
    signal, steps = Signal(driven.drive), []

    async def work():
        try:
            if is_task:
                await driven.drive.to_task()
                steps.append("task")
            await signal
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise
        finally:
            steps.append("cleaned up")

    driven.drive.start(work())
    await turns()
    driven.drive.cancel()
    await asyncio.gather(*driven.tasks, return_exceptions=True)
    signal.set()

    assert steps[-2:] == ["cancelled", "cleaned up"]
    assert driven.ends == 0


async def test_work_is_cancelled_on_its_way_to_a_task(driven):
    steps = []

    async def work():
        try:
            await driven.drive.to_task()
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise

    driven.drive.start(work())
    await turns(1)
    driven.drive.cancel()
    await asyncio.gather(*driven.tasks, return_exceptions=True)

    assert steps == ["cancelled"]
    assert driven.ends == 0


async def test_work_is_cancelled_whose_task_has_not_run_yet(driven):
    steps = []

    async def work():
        try:
            await driven.drive.to_task()
        finally:
            steps.append("cleaned up")

    driven.drive.start(work())
    driven.drive.cancel()
    driven.drive.cancel()
    await asyncio.gather(*driven.tasks, return_exceptions=True)

    assert steps == ["cleaned up"]
    assert driven.ends == 0


async def test_cancelled_work_that_waits_again_is_closed(driven):
    signal, steps = Signal(driven.drive), []

    async def work():
        try:
            await signal
        except asyncio.CancelledError:
            try:
                await Signal(driven.drive)
            finally:
                steps.append("closed")

    cancelled = work()
    driven.drive.start(cancelled)
    driven.drive.cancel()

    assert steps == ["closed"]
    assert inspect.getcoroutinestate(cancelled) == inspect.CORO_CLOSED
    assert driven.ends == 0


async def test_task_that_will_not_be_cancelled_tells_nobody_of_its_end(driven):
    steps = []

    async def work():
        try:
            await driven.drive.to_task()
        except asyncio.CancelledError:
            steps.append("went on")

    driven.drive.start(work())
    await turns(1)
    driven.drive.cancel()
    await asyncio.gather(*driven.tasks, return_exceptions=True)

    assert steps == ["went on"]
    assert driven.ends == 0


async def test_nothing_to_cancel_is_fine(driven):
    driven.drive.cancel()

    assert driven.ends == 0


async def test_signal_wakes_a_task_of_somebody_else():
    signal = Signal(None)
    task = asyncio.get_running_loop().create_task(_wait(signal))
    await turns(1)
    signal.set()

    assert await task == "woken"


async def test_signal_may_be_set_when_its_task_has_left():
    signal = Signal(None)
    task = asyncio.get_running_loop().create_task(_wait(signal))
    await turns(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    signal.set()

    assert signal.is_set


async def test_what_happened_cannot_fail_any_more():
    signal = Signal(None)
    task = asyncio.get_running_loop().create_task(_wait(signal))
    await turns(1)
    signal.set()
    signal.fail(ValueError())

    assert await task == "woken"


async def _wait(signal):
    await signal
    return "woken"
