import asyncio
from concurrent.futures import Executor, Future

import bcrypt
import pytest

from pyproxy.errors.refusal import RateLimited
from pyproxy.identity.hashing import BcryptGate

HASHES = tuple(bcrypt.hashpw(key, bcrypt.gensalt(4)) for key in (b"first", b"second"))


class HandExecutor(Executor):
    """Runs what was submitted when told to."""

    def __init__(self):
        self.waiting = []

    def submit(self, fn, /, *args):
        future = Future()
        self.waiting.append((future, fn, args))
        return future

    def run(self):
        for future, fn, args in self.waiting:
            try:
                future.set_result(fn(*args))
            except RateLimited as refusal:
                future.set_exception(refusal)
        self.waiting = []


@pytest.fixture
def executor():
    return HandExecutor()


async def settled(*tasks):
    """Let tasks run until each waits for the executor."""
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize(
    ("secret", "index"),
    [
        pytest.param(b"first", 0, id="first hash"),
        pytest.param(b"second", 1, id="second hash"),
        pytest.param(b"third", None, id="no hash"),
        pytest.param(b"", None, id="empty"),
    ],
)
async def test_finds_the_hash(secret, index):
    async with BcryptGate() as gate:
        assert await gate.matches(secret, HASHES) == index


async def test_hash_that_is_none_matches_nothing_and_stops_nobody():
    async with BcryptGate() as gate:
        assert await gate.matches(b"first", (b"$2b$04$bogus", *HASHES)) == 1


async def test_secret_that_bcrypt_would_cut_is_not_hashed(executor):
    gate = BcryptGate(executor=executor)
    long = b"x" * 73
    hashes = (bcrypt.hashpw(long[:72], bcrypt.gensalt(4)),)

    assert await gate.matches(long, hashes) is None
    assert executor.waiting == []


async def test_nothing_is_tried_without_hashes(executor):
    assert await BcryptGate(executor=executor).matches(b"first", ()) is None
    assert executor.waiting == []


async def test_same_secret_is_hashed_once_for_all(executor):
    gate = BcryptGate(executor=executor)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(gate.matches(b"second", HASHES)) for _ in range(5)]
        await settled()
        submitted = len(executor.waiting)
        executor.run()

    assert submitted == 1
    assert [task.result() for task in tasks] == [1] * 5


async def test_same_secret_against_other_hashes_is_another_attempt(executor):
    gate = BcryptGate(executor=executor)
    async with asyncio.TaskGroup() as group:
        both = group.create_task(gate.matches(b"second", HASHES))
        first = group.create_task(gate.matches(b"second", HASHES[:1]))
        await settled()
        executor.run()

    assert (both.result(), first.result()) == (1, None)


async def test_full_queue_refuses_and_says_when_to_come_back(executor):
    gate = BcryptGate(waiting=1, executor=executor)
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(gate.matches(b"first", HASHES))
        await settled()
        with pytest.raises(RateLimited) as caught:
            await gate.matches(b"second", HASHES)
        executor.run()

    assert waits.result() == 0
    assert caught.value.fields == ((b"Retry-After", b"5"),)


async def test_queue_has_room_again_afterwards(executor):
    gate = BcryptGate(waiting=1, executor=executor)
    for secret in (b"first", b"second"):
        async with asyncio.TaskGroup() as group:
            group.create_task(gate.matches(secret, HASHES))
            await settled()
            executor.run()

    assert gate._attempts == {}


async def test_caller_that_leaves_does_not_end_the_attempt_of_others(executor):
    gate = BcryptGate(executor=executor)
    leaver = asyncio.create_task(gate.matches(b"first", HASHES))
    stayer = asyncio.create_task(gate.matches(b"first", HASHES))
    await settled()
    leaver.cancel()
    await settled()
    executor.run()

    assert await stayer == 0
    assert leaver.cancelled()


async def test_attempt_that_nobody_waits_for_ends_quietly(executor):
    gate = BcryptGate(executor=executor)
    leaver = asyncio.create_task(gate.matches(b"first", HASHES))
    await settled()
    leaver.cancel()
    await settled()
    gate._is_closed = True
    executor.run()
    await settled()

    assert gate._attempts == {}


async def test_attempt_that_the_executor_drops_ends_quietly(executor):
    gate = BcryptGate(executor=executor)
    waits = asyncio.create_task(gate.matches(b"first", HASHES))
    await settled()
    executor.waiting[0][0].cancel()
    await settled()

    assert gate._attempts == {}
    assert waits.cancelled()


async def test_closed_gate_refuses_what_waits_and_what_comes(executor):
    gate = BcryptGate(executor=executor)
    waits = asyncio.create_task(gate.matches(b"first", HASHES))
    await settled()
    closing = asyncio.create_task(gate.close())
    await settled()
    executor.run()
    await closing

    with pytest.raises(RateLimited):
        await waits
    with pytest.raises(RateLimited):
        await gate.matches(b"first", HASHES)


async def test_loop_stays_free_while_hashing():
    slow = (bcrypt.hashpw(b"slow", bcrypt.gensalt(8)),)
    turns = 0
    async with BcryptGate() as gate, asyncio.TaskGroup() as group:
        task = group.create_task(gate.matches(b"slow", slow))
        while not task.done():
            turns += 1
            await asyncio.sleep(0)

    assert task.result() == 0
    assert turns > 3
