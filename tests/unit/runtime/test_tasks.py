"""Background tasks are held, heard of, and ended."""

import asyncio

import pytest

from pyproxy.runtime.tasks import Tasks


class Reports(list[tuple[str, str]]):
    def __call__(self, name: str, error: BaseException) -> None:
        self.append((name, repr(error)))


async def forever():
    await asyncio.Event().wait()


async def fail():
    raise LookupError("gone")


async def test_a_task_that_ends_is_let_go_and_not_reported():
    reports = Reports()
    tasks = Tasks(reports)
    ended = asyncio.Event()
    task = tasks.start(ended.wait(), "nap")
    assert len(tasks) == 1

    ended.set()
    await task

    assert len(tasks) == 0
    assert reports == []


async def test_a_failed_task_is_reported_with_its_traceback():
    heard = []
    tasks = Tasks(lambda name, error: heard.append((name, error)))
    await asyncio.wait([tasks.start(fail(), "refresh")])

    [(name, error)] = heard

    assert name == "refresh"
    assert isinstance(error, LookupError)
    assert error.__traceback__ is not None


async def test_the_end_of_the_block_ends_every_task():
    reports = Reports()
    async with Tasks(reports) as tasks:
        first, second = tasks.start(forever(), "a"), tasks.start(forever(), "b")

    assert first.cancelled()
    assert second.cancelled()
    assert reports == []


async def test_closing_without_tasks_is_fine_twice():
    tasks = Tasks(Reports())

    await tasks.close()
    await tasks.close()

    assert len(tasks) == 0


async def test_no_task_starts_after_the_end():
    tasks = Tasks(Reports())
    await tasks.close()

    with pytest.raises(RuntimeError, match="refresh"):
        tasks.start(forever(), "refresh")


async def test_a_task_that_will_not_end_is_reported_and_left():
    reports = Reports()
    begun, released = asyncio.Event(), asyncio.Event()

    async def stubborn():
        begun.set()
        try:
            await forever()
        except asyncio.CancelledError:
            await released.wait()

    tasks = Tasks(reports)
    task = tasks.start(stubborn(), "stubborn")
    await begun.wait()
    await tasks.close(grace_s=0.0)

    assert reports == [("stubborn", "TimeoutError('did not end within 0 s')")]

    released.set()
    await task


async def test_a_failure_while_ending_is_reported():
    reports = Reports()

    begun = asyncio.Event()

    async def clumsy():
        begun.set()
        try:
            await forever()
        finally:
            raise LookupError("gone")

    tasks = Tasks(reports)
    tasks.start(clumsy(), "clumsy")
    await begun.wait()
    await tasks.close()

    assert reports == [("clumsy", "LookupError('gone')")]
