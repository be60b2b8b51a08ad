"""A coroutine taken forward by callbacks; it becomes a task only if it must wait for the loop."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Final

Work = Coroutine[object, object, None]
Spawn = Callable[[Work, str], "asyncio.Task[None]"]

_NAME: Final = "request"


class Signal:
    """Something that one coroutine waits for and a callback sets, once.

    A coroutine that is driven goes on at once, within ``set`` or ``fail``: whoever calls
    them does so last. Waking a task instead costs two turns of the loop.

    Args:
        drive: Of the coroutine that will wait; ``None``: a task of somebody else will.

    Attributes:
        is_set: It happened.
        error: What the waiting coroutine gets raised.
    """

    __slots__ = ("_drive", "_future", "error", "is_set")

    def __init__(self, drive: "Drive | None") -> None:
        self._drive = drive
        self._future: asyncio.Future[None] | None = None
        self.is_set = False
        self.error: Exception | None = None

    def __await__(self) -> Generator[object, None, None]:
        """Wait; raises ``error``, if there is one."""
        if not self.is_set:
            if self._drive is None or self._drive.is_task:
                self._future = asyncio.get_running_loop().create_future()
                yield from self._future
            else:
                yield self
        if self.error is not None:
            raise self.error

    def set(self) -> None:
        """It happened; a second time is nothing."""
        if self.is_set:
            return
        self.is_set = True
        if self._future is not None:
            if not self._future.done():
                self._future.set_result(None)
        elif self._drive is not None:
            self._drive.go_on(self)

    def fail(self, error: Exception) -> None:
        """It will not happen; unless it has."""
        if not self.is_set:
            self.error = error
            self.set()


class Drive:
    """Runs one coroutine after the other.

    Args:
        spawn: Makes a task for a coroutine that waits for anything but a ``Signal``.
        on_end: Called when a coroutine has come to its end, unless it was cancelled.
    """

    __slots__ = ("_awaited", "_has_task_begun", "_on_end", "_spawn", "_task", "_work")

    def __init__(self, spawn: Spawn, on_end: Callable[[], None]) -> None:
        self._spawn = spawn
        self._on_end = on_end
        self._work: Work | None = None
        self._awaited: object = None
        self._task: asyncio.Task[None] | None = None
        self._has_task_begun = False

    @property
    def is_task(self) -> bool:
        """The coroutine under way is a task by now."""
        return self._task is not None

    def start(self, work: Work) -> None:
        """Run ``work`` as far as it goes; the one before must have ended."""
        self._work = work
        self._step(work)

    def go_on(self, signal: Signal) -> None:
        """Run on, if this is what the coroutine waits for."""
        if self._awaited is signal and self._work is not None:
            self._awaited = None
            self._step(self._work)

    async def to_task(self) -> None:
        """Go on as a task: what comes needs one, such as ``asyncio.timeout``."""
        if self._task is None:
            await asyncio.sleep(0)

    def cancel(self) -> None:
        """End the coroutine where it waits, as cancelling a task does."""
        work, self._work, self._awaited = self._work, None, None
        if work is None:
            return
        if self._task is not None:
            self._task.cancel()
        if self._task is None or not self._has_task_begun:
            _cancel(work)  # a task that never ran would not pass it on

    def end(self) -> None:
        """Run nothing any more, and let go of who would hear of an end; see ``Deadline.end``."""
        self.cancel()
        self._on_end = _nobody

    def _step(self, work: Work) -> None:
        try:
            awaited = work.send(None)
        except StopIteration:
            self._end()
        else:
            if isinstance(awaited, Signal):
                self._awaited = awaited
            else:
                self._has_task_begun = False
                self._task = self._spawn(self._rest(work, awaited), _NAME)

    async def _rest(self, work: Work, awaited: object) -> None:
        self._has_task_begun = True
        try:
            await _resumed(work, awaited)
        finally:
            self._task = None
        if self._work is not None:
            self._end()

    def _end(self) -> None:
        self._work = None
        self._on_end()


def _nobody() -> None:
    """Hear nothing."""


@coroutine
def _resumed(work: Work, awaited: object) -> Generator[object, None, None]:
    """The rest of a coroutine that waits already, for ``awaited``."""
    try:
        yield awaited
    except BaseException as exc:  # noqa: BLE001 - it is the coroutine's to handle, and passes on
        try:
            awaited = work.throw(exc)
        except StopIteration:
            return
        yield awaited
    yield from work.__await__()


def _cancel(work: Work) -> None:
    """Cancel a coroutine that is no task; it may clean up, but wait for nothing."""
    try:
        work.throw(asyncio.CancelledError())
    except (StopIteration, asyncio.CancelledError):
        return
    work.close()
