"""Clients with habits: busier and calmer by turns, some streaming, one too fast, two that guess."""

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp

from bench.pictures.scene import Scene

_CHANCE: Final = secrets.SystemRandom()
# So long a wave of traffic takes.
_WAVE_S: Final = 50.0
# Of one client at a time; more wait their turn.
_CONNECTIONS: Final = 12


@dataclass(frozen=True, slots=True)
class Habit:
    """What one client does.

    Attributes:
        address: Where it asks from, on loopback.
        user: Whose key it shows; empty: a wrong one each time.
        path: What it asks for.
        per_second: How often, on average.
    """

    address: str
    user: str
    path: str
    per_second: float


_HABITS: Final = (
    Habit("127.0.0.11", "alice", "/openai/chat/completions", 6.0),
    Habit("127.0.0.11", "alice", "/openai/chat/stream", 1.5),
    Habit("127.0.0.12", "bob", "/openai/responses", 5.0),
    Habit("127.0.0.13", "carol", "/claude/v1/messages", 5.0),
    Habit("127.0.0.13", "carol", "/claude/v1/stream", 1.0),
    Habit("127.0.0.14", "dave", "/v1/chat/completions", 7.0),
    Habit("127.0.0.15", "bob", "/v1/models", 14.0),  # more than the limit lets pass
    Habit("127.0.0.66", "", "/openai/models", 0.4),
    Habit("127.0.0.67", "", "/v1/models", 0.25),
)


class Traffic:
    """All the clients.

    Args:
        scene: Where they ask.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def run(self, seconds: float) -> None:
        """Ask for so long, and then wait for what is open."""
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for habit in _HABITS:
                group.create_task(self._client(habit, until, group.create_task))

    async def _client(
        self, habit: Habit, until: float, spawn: Callable[..., Awaitable[None]]
    ) -> None:
        connector = aiohttp.TCPConnector(
            local_addr=(habit.address, 0), ssl=self._scene.trust, limit=_CONNECTIONS
        )
        pending: set[Awaitable[None]] = set()
        async with aiohttp.ClientSession(connector=connector) as session:
            while (now := time.monotonic()) < until:
                pending.add(spawn(self._ask(session, habit)))
                wave = 1.0 + 0.45 * math.sin(2 * math.pi * now / _WAVE_S)
                await asyncio.sleep(_CHANCE.expovariate(habit.per_second * wave))
            await asyncio.gather(*pending)

    async def _ask(self, session: aiohttp.ClientSession, habit: Habit) -> None:
        key = self._scene.keys.get(habit.user) or f"guess-{secrets.token_hex(16)}"
        url, headers = self._scene.url + habit.path, {"Authorization": f"Bearer {key}"}
        body = {"model": "made-up", "messages": ["x" * _CHANCE.randrange(100, 3000)]}
        with suppress(aiohttp.ClientError):
            async with session.post(url, json=body, headers=headers) as answer:
                await answer.read()
