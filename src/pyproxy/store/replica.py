"""Keeps this process's copies of the shared lists in step with Redis."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from redis.asyncio.client import PubSub

from pyproxy.store.far import RedisFar
from pyproxy.store.line import Line, StoreFault
from pyproxy.store.roll import Roll

# What a message did not bring, because it was lost, is found after so long at the latest.
_CHECK_S: Final = 5.0
_LISTEN_S: Final = 1.0  # between two looks at whether the line is still up
_AGAIN_S: Final = 0.5  # after a connection for messages was lost


class Replica:
    """One task a process: hears what others change, and merges after each absence.

    Args:
        line: To Redis.
        far: Where messages come from.
        rolls: The lists.
        wall: Epoch seconds.
    """

    def __init__(
        self, line: Line, far: RedisFar, rolls: Sequence[Roll], wall: Callable[[], float]
    ) -> None:
        self._line = line
        self._far = far
        self._rolls = {roll.channel: roll for roll in rolls}
        self._wall = wall
        self._stale = asyncio.Event()
        line.on_rise.append(self._stale.set)

    async def run(self) -> None:
        """Keep them in step, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            _ = tasks.create_task(self._listen(), name="store messages")
            _ = tasks.create_task(self._merge(), name="store merging")

    async def _merge(self) -> None:
        while True:
            _ = await self._line.connected.wait()
            self._stale.clear()
            for roll in self._rolls.values():
                await roll.merge(self._wall())
            await self._quiet()

    async def _quiet(self) -> None:
        """Wait until there is something to merge."""
        while not self._stale.is_set():
            try:
                async with asyncio.timeout(_CHECK_S):
                    _ = await self._stale.wait()
            except TimeoutError:
                for roll in self._rolls.values():
                    if not await roll.is_current(self._wall()):
                        return

    async def _listen(self) -> None:
        while True:
            _ = await self._line.connected.wait()
            try:
                async with self._far.listening(tuple(self._rolls)) as messages:
                    self._stale.set()  # what happened before we listened
                    await self._hear(messages)
            except StoreFault:
                await asyncio.sleep(_AGAIN_S)

    async def _hear(self, messages: PubSub) -> None:
        while self._line.is_up:
            message = await messages.get_message(ignore_subscribe_messages=True, timeout=_LISTEN_S)
            if message is not None:
                self._take(message)

    def _take(self, message: Mapping[str, object]) -> None:
        channel, data = message["channel"], message["data"]
        roll = self._rolls.get(channel) if isinstance(channel, bytes) else None
        if roll is not None and isinstance(data, bytes) and not roll.hear(data):
            self._stale.set()
