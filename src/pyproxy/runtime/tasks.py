"""Background tasks: somebody holds them, hears of their failure, and ends them."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self

Report = Callable[[str, BaseException], None]
"""Told a task's name and what it raised, traceback included. Must not raise."""

_GRACE_S = 5.0  # a task that has not ended by then waits for something that will not come


class Tasks:
    """The background tasks of one owner.

    asyncio keeps only weak references to tasks, and is silent about a failed
    one until it is collected. A task that fails is reported and not restarted.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._running: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def __len__(self) -> int:
        """How many are running."""
        return len(self._running)

    async def __aenter__(self) -> Self:
        """Own tasks until the block ends."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    def start(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Run ``work`` in the background.

        Args:
            work: Started at the loop's next turn.
            name: Noun for the log: ``"key set refresh"``.

        Raises:
            RuntimeError: After ``close``.
        """
        if self._is_closed:
            work.close()
            raise RuntimeError(f"no task starts after the end: {name}")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self, grace_s: float = _GRACE_S) -> None:
        """Cancel every task and wait until all have ended.

        Args:
            grace_s: Longest wait. Tasks still running then are reported and left.
        """
        self._is_closed = True
        running = set(self._running)
        if not running:
            return
        for task in running:
            task.cancel()
        _, stuck = await asyncio.wait(running, timeout=grace_s)
        for task in stuck:
            self._report(task.get_name(), TimeoutError(f"did not end within {grace_s:g} s"))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._report(task.get_name(), error)


async def unless(stop: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Do something unless ``stop`` is set first; whether it was done.

    Raises:
        Exception: What ``work`` raises.
    """
    loop = asyncio.get_running_loop()
    stopping, working = loop.create_task(stop.wait()), loop.create_task(work)
    try:
        await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return working.done()
    finally:
        stopping.cancel()
        working.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)
