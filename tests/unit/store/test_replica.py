import asyncio
from contextlib import asynccontextmanager

import pytest

from pyproxy.store.line import StoreFault
from pyproxy.store.replica import Replica


class FakeLine:
    def __init__(self):
        self.connected = asyncio.Event()
        self.is_up = True
        self.on_rise = []

    def rise(self):
        self.connected.set()
        for each in self.on_rise:
            each()


class FakeRoll:
    channel = b"p:{list}"

    def __init__(self):
        self.merges, self.heard = 0, []
        self.is_whole = self.is_sound = True

    async def merge(self, wall):
        assert wall == 7.0
        self.merges += 1

    async def is_current(self, wall):
        assert wall == 7.0
        return self.is_sound

    def hear(self, message):
        self.heard.append(message)
        return self.is_whole


class FakeFar:
    """Its messages are what a test puts in; an exception ends the connection."""

    def __init__(self):
        self.messages = asyncio.Queue()
        self.connections = 0

    @asynccontextmanager
    async def listening(self, channels):
        assert channels == (FakeRoll.channel,)
        self.connections += 1
        yield self

    async def get_message(self, **_):
        message = await self.messages.get()
        if isinstance(message, Exception):
            raise message
        return message


@pytest.fixture
async def made(monkeypatch):
    for name in ("_CHECK_S", "_AGAIN_S"):
        monkeypatch.setattr(f"pyproxy.store.replica.{name}", 0.01)
    line, far, roll = FakeLine(), FakeFar(), FakeRoll()
    replica = Replica(line, far, [roll], lambda: 7.0)
    running = asyncio.create_task(replica.run())
    yield line, far, roll
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(is_so):
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)


async def test_nothing_is_merged_before_the_store_is_there(made):
    line, far, roll = made
    await asyncio.sleep(0.02)
    assert (roll.merges, far.connections) == (0, 0)

    line.rise()
    await until(lambda: roll.merges and far.connections)


async def test_messages_are_heard_and_those_of_strangers_are_not(made):
    line, far, roll = made
    line.rise()
    for channel, data in ((roll.channel, b"one"), (b"other", b"x"), (roll.channel, 1), (None, b"")):
        far.messages.put_nowait({"channel": channel, "data": data})
    far.messages.put_nowait(None)
    await until(lambda: roll.heard and far.messages.empty())

    assert roll.heard == [b"one"]


async def test_a_message_that_was_missed_leads_to_a_merge(made):
    line, far, roll = made
    line.rise()
    await until(lambda: far.connections)
    await asyncio.sleep(0.02)
    before, roll.is_whole = roll.merges, False
    far.messages.put_nowait({"channel": roll.channel, "data": b"later"})

    await until(lambda: roll.merges > before)


async def test_a_merge_follows_what_no_message_told(made):
    line, _, roll = made
    line.rise()
    await until(lambda: roll.merges)
    await asyncio.sleep(0.02)
    before, roll.is_sound = roll.merges, False

    await until(lambda: roll.merges > before + 1)


async def test_a_lost_connection_is_made_again_and_merged_after(made):
    line, far, roll = made
    line.rise()
    await until(lambda: far.connections)
    await asyncio.sleep(0.02)
    before = roll.merges
    far.messages.put_nowait(StoreFault("no connection"))

    await until(lambda: far.connections == 2 and roll.merges > before)


async def test_who_is_down_is_not_listened_to(made):
    line, far, _ = made
    line.rise()
    await until(lambda: far.connections)
    line.is_up = False
    line.connected.clear()
    far.messages.put_nowait(None)
    await until(far.messages.empty)

    line.is_up = True
    line.rise()
    await until(lambda: far.connections == 2)
