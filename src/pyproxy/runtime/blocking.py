"""Calls that may block for good: files on a mount that hangs, names that nobody resolves."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

T = TypeVar("T")

# Longer than any file takes to read; a mount that hangs is given up for the moment.
TIMEOUT_S: Final = 30.0
# Calls at a time, those included that were given up and whose threads still hang.
MOST: Final = 32


class Blocking:
    """Runs each call on a thread of its own, which nobody has to wait for.

    Not ``asyncio.to_thread``: its threads are joined when the loop ends, so that
    one that hangs would keep the process from ending.

    Args:
        timeout_s: How long a call is waited for.
        most: Calls at a time; a further one fails.

    Attributes:
        running: Calls whose threads have not ended.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S, most: int = MOST) -> None:
        self._timeout_s = timeout_s
        self._most = most
        self.running = 0

    async def call(self, name: str, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises.

        Args:
            name: Noun for the message: ``"certificates"``.
            work: Called on another thread. It may go on there when it is not
                waited for any more, so it must not change what others see.

        Raises:
            TimeoutError: It did not end in time, or too many others hang.
        """
        if self.running >= self._most:
            raise TimeoutError(f"{name}: {self._most} calls hang already")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def settle(outcome: Callable[[], None]) -> None:
            self.running -= 1
            if not done.done():
                outcome()

        def run() -> None:
            try:
                outcome = partial(done.set_result, work())
            except Exception as exc:  # noqa: BLE001 - handed to who waits
                outcome = partial(done.set_exception, exc)
            with suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(settle, outcome)

        self.running += 1
        threading.Thread(target=run, name=name, daemon=True).start()
        limit = asyncio.timeout(self._timeout_s)
        try:
            # Not `wait_for`, which before Python 3.12 loses a cancellation that comes
            # together with the result.
            async with limit:
                return await done
        except TimeoutError:
            if limit.expired():
                raise TimeoutError(f"{name}: no end within {self._timeout_s:g} s") from None
            raise
