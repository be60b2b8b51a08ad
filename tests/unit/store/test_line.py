import asyncio
from contextlib import asynccontextmanager

import pytest

from pyproxy.store.line import MOST_WAITING, Line, Question, StoreFault
from pyproxy.store.scripts import Script

SCRIPT, PROBE = Script("return 1"), Script("return 2")
pytestmark = pytest.mark.usefixtures("_quick")


@pytest.fixture
def _quick(monkeypatch):
    """Terms of a hundredth."""
    for name, seconds in (("_FIRST_PROBE_S", 0.01), ("_LAST_PROBE_S", 0.02), ("_STEADY_S", 60.0)):
        monkeypatch.setattr(f"pyproxy.store.line.{name}", seconds)


class Fake:
    """The other side: answers with the values, does what ``does`` says."""

    def __init__(self):
        self.does = None
        self.batches = []
        self.closed = 0
        self.let_go = asyncio.Event()

    async def put(self, questions):
        self.batches.append([question.values for question in questions])
        await self._do()
        return [question.values for question in questions]

    async def connect(self, scripts):
        assert list(scripts) == [PROBE]
        await self._do()

    async def _do(self):
        if self.does == "hang":
            while not self.let_go.is_set():  # as a library may that swallows its cancellation
                try:
                    await self.let_go.wait()
                except asyncio.CancelledError:
                    continue
        if self.does == "fail":
            raise StoreFault("it answers OOM")

    async def close(self):
        self.closed += 1


@asynccontextmanager
async def line_to(far, timeout_s=0.05, is_running=True):
    told = []
    line = Line(far, timeout_s, lambda *news: told.append(news), [Question(PROBE, (), (), None)])
    line.told = told
    task = asyncio.create_task(line.run()) if is_running else None
    try:
        yield line
    finally:
        far.let_go.set()
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def up(line):
    async with asyncio.timeout(5):
        await line.connected.wait()


async def down(line):
    async with asyncio.timeout(5):
        while line.is_up:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)


async def test_what_is_asked_in_one_turn_goes_in_one_write():
    far = Fake()
    async with line_to(far) as line:
        await up(line)
        answers = await asyncio.gather(*(line.ask(SCRIPT, (), (n,)) for n in range(3)))

    assert answers == [(0,), (1,), (2,)]
    assert far.batches[-1] == [(0,), (1,), (2,)]


async def test_many_questions_are_parted():
    far = Fake()
    async with line_to(far, timeout_s=2.0) as line:
        await up(line)
        answers = await asyncio.gather(*(line.ask(SCRIPT, (), (n,)) for n in range(1200)))

    assert answers == [(n,) for n in range(1200)]
    assert max(map(len, far.batches)) == 500


async def test_what_is_told_is_sent_and_nobody_waits():
    far = Fake()
    async with line_to(far) as line:
        await up(line)
        line.tell(SCRIPT, (), (7,))
        await line.ask(SCRIPT, (), (8,))

    assert far.batches[-1] == [(7,), (8,)]


@pytest.mark.parametrize(
    ("fault", "reason"), [("fail", "it answers OOM"), ("hang", "no answer in 0.05 s")]
)
async def test_a_fault_is_said_once_and_costs_nothing_from_then_on(fault, reason):
    far = Fake()
    async with line_to(far) as line:
        await up(line)
        far.does = fault
        waiting = [line.ask(SCRIPT, (), (n,)) for n in range(3)]

        assert await asyncio.gather(*waiting) == [None] * 3
        sent = len(far.batches)
        refused = line.ask(SCRIPT, (), ())
        assert refused.done()
        assert refused.result() is None
        line.tell(SCRIPT, (), ())
        assert line.told == [("store.up", ""), ("store.down", reason)]
        assert not [each for each in far.batches[sent:] if each != [()]]


async def test_whoever_waits_elsewhere_is_told_at_once():
    far = Fake()
    async with line_to(far, timeout_s=5.0) as line:
        await up(line)
        far.does = "hang"
        one = line.ask(SCRIPT, (), (1,))
        await asyncio.sleep(0.01)
        line.fault("an answer that makes no sense")

        assert await one is None
        assert line.failures == 1


async def test_it_is_tried_again_until_it_is_well_and_hung_work_is_left_behind():
    far = Fake()
    rises = []
    async with line_to(far) as line:
        line.on_rise.append(lambda: rises.append(line.is_up))
        await up(line)
        far.does = "hang"
        assert await line.ask(SCRIPT, (), ()) is None
        await asyncio.sleep(0.1)
        far.does = None
        await up(line)

        assert await line.ask(SCRIPT, (), (5,)) == (5,)
        assert [event for event, _ in line.told] == ["store.up", "store.down", "store.up"]
    assert rises == [True, True]
    assert line.failures >= 2
    assert far.closed >= 3


async def test_a_store_that_is_not_there_at_first_is_said_to_be_down():
    far = Fake()
    far.does = "fail"
    async with line_to(far) as line:
        await down(line)
        assert line.told == [("store.down", "it answers OOM")]
        far.does = None
        await up(line)


async def test_a_fault_while_it_is_looked_for_first_leads_to_no_second_look():
    far = Fake()
    far.does = "hang"
    async with line_to(far, timeout_s=5.0) as line:
        await asyncio.sleep(0.01)
        line.fault("an answer that makes no sense")
        far.does = None
        far.let_go.set()
        await up(line)
        looks = far.closed
        await asyncio.sleep(0.05)

        assert far.closed == looks == 1
        assert [event for event, _ in line.told] == ["store.down", "store.up"]


async def test_a_full_queue_admits_no_more():
    async with line_to(Fake(), is_running=False) as line:
        for _ in range(MOST_WAITING):
            line.tell(SCRIPT, (), ())

        assert line.ask(SCRIPT, (), ()).result() is None


async def test_who_gave_up_waiting_disturbs_nobody():
    far = Fake()
    async with line_to(far) as line:
        await up(line)
        gone, there = line.ask(SCRIPT, (), (1,)), line.ask(SCRIPT, (), (2,))
        gone.cancel()

        assert await there == (2,)


async def test_it_can_be_run_again():
    far = Fake()
    async with line_to(far) as line:
        await up(line)
    assert not line.is_up

    again = asyncio.create_task(line.run())
    await up(line)
    assert await line.ask(SCRIPT, (), (5,)) == (5,)
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_at_the_end_whoever_waits_is_told():
    far = Fake()
    async with line_to(far, timeout_s=5.0) as line:
        await up(line)
        far.does = "hang"
        waiting = line.ask(SCRIPT, (), ())
        await asyncio.sleep(0.01)

    assert waiting.result() is None
    assert not line.is_up
