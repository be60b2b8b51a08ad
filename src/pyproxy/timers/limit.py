"""A deadline of something that is awaited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pyproxy.timers.deadline import Deadline


@asynccontextmanager
async def limit_at(loop: asyncio.AbstractEventLoop, until: float) -> AsyncIterator[None]:
    """Cancel the block at a moment; as ``asyncio.timeout_at``, but see ``Deadline``.

    Args:
        loop: The one that runs.
        until: Of the loop's clock.

    Raises:
        TimeoutError: It was cancelled for that.
    """
    async with asyncio.timeout(None) as limit:
        deadline = Deadline(loop, lambda: limit.reschedule(loop.time()))
        deadline.set(until)
        try:
            yield
        finally:
            deadline.cancel()
