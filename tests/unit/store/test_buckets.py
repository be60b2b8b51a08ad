import asyncio

import pytest

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import StoreUnavailable
from pyproxy.limits.limit import Limit
from pyproxy.limits.memory import MemoryStore
from pyproxy.store.buckets import MOST_LEASES, Failing, RedisStore, probe_of
from pyproxy.store.scripts import BucketScripts

SCRIPTS = BucketScripts.timed_by()
FEW = Limit("few", Rate(1.0, 4.0), 3)
MANY = Limit("many", Rate(4.0, 1.0), 127)
NOW = 1024.0


class FakeLine:
    """Answers at once with what it was given, in turn, and notes what it was asked."""

    def __init__(self):
        self.is_up = True
        self.failures = 0
        self.answers = []
        self.asked = []
        self.given_back = []
        self.faults = []

    def ask(self, script, keys, values):
        assert script is SCRIPTS.take
        self.asked.append((keys, values))
        answered = asyncio.get_running_loop().create_future()
        if self.answers:
            answered.set_result(self.answers.pop(0))
        return answered

    def tell(self, script, _, values):
        assert script is SCRIPTS.give_back
        self.given_back.append(values[0])

    def fault(self, reason):
        self.faults.append(reason)
        self.is_up = False


def store_of(line, policy="local"):
    return RedisStore(line, Failing(policy, MemoryStore()), "p", lambda: NOW, SCRIPTS)


@pytest.fixture
def line():
    return FakeLine()


async def test_only_a_trip_decides_about_a_bucket_that_is_not_leased(line):
    line.answers = [[0, 0, 250_000, 0]]
    store = store_of(line)

    assert store.take_nowait("k", FEW, 1.0, NOW) is None
    taken = await store.take("k", FEW, 1.0, NOW)
    assert (taken.wait_s, taken.reset_s, taken.limit) == (0.0, 0.25, FEW)
    assert line.asked == [((b"p:{k}",), (4e6, 16e6, 1.0, 1.0, 0))]
    assert (store.kind, store.is_up, store.failures) == ("redis", True, 0)


async def test_a_refusal_is_repeated_without_a_trip_until_something_is_given_back(line):
    line.answers = [[-1, 2_000_000, 16_000_000, 0]]
    store = store_of(line)
    refused = await store.take("k", FEW, 1.0, NOW)

    assert (refused.wait_s, refused.reset_s) == (2.0, 16.0)
    assert store.take_nowait("k", FEW, 1.0, NOW).wait_s == 2.0
    store.give_back("k", FEW, 1.0, NOW)
    assert store.take_nowait("k", FEW, 1.0, NOW) is None
    assert line.given_back == [1.0]


async def test_a_lease_answers_at_once_and_is_renewed_before_it_is_gone(line):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 750_000, 0]]
    store = store_of(line)
    await store.take("k", MANY, 1.0, NOW)
    assert store.take_nowait("k", MANY, 1.0, NOW) is None
    await store.take("k", MANY, 1.0, NOW)
    assert line.asked[1][1][-1] == 1  # more than the one that is needed

    assert store.take_nowait("k", MANY, 1.0, NOW).wait_s == 0.0
    assert line.asked[2][1][-2:] == (0.0, 2)
    assert store.take_nowait("k", MANY, 1.0, NOW) is None
    assert len(line.asked) == 3  # one renewal at a time


async def test_what_a_renewal_brings_is_spent(line):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 750_000, 0], [2, 0, 1_250_000, 0]]
    store = store_of(line)
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    assert store.take_nowait("k", MANY, 1.0, NOW).wait_s == 0.0
    await asyncio.sleep(0)

    assert store.take_nowait("k", MANY, 1.0, NOW).wait_s == 0.0


@pytest.mark.parametrize("answer", [None, [-1, 5, 5, 0]], ids=["down", "nothing left"])
async def test_a_renewal_that_brings_nothing_is_harmless(line, answer):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 750_000, 0], answer]
    store = store_of(line)
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    store.take_nowait("k", MANY, 1.0, NOW)
    await asyncio.sleep(0)

    assert store.take_nowait("k", MANY, 1.0, NOW) is None
    assert line.faults == []


async def test_a_renewal_for_a_lease_that_is_gone_goes_back(line):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 750_000, 0], [2, 0, 1_250_000, 0]]
    store = store_of(line)
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    store.take_nowait("k", MANY, 1.0, NOW)
    store.sweep(NOW + 60.0)
    await asyncio.sleep(0)

    assert line.given_back == [2]


async def test_what_nobody_wants_goes_back(line):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 60_000_000, 0]]
    store = store_of(line)
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    store.sweep(NOW + 0.25)
    assert line.given_back == []

    store.sweep(NOW + 1.0)
    assert line.given_back == [1]
    assert store.take_nowait("k", MANY, 1.0, NOW) is None


async def test_a_limit_that_has_changed_is_leased_anew(line):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 60_000_000, 0], [0, 0, 250_000, 0]]
    store = store_of(line)
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    other = Limit("many", Rate(4.0, 1.0), 3)

    assert store.take_nowait("k", other, 1.0, NOW) is None
    await store.take("k", other, 1.0, NOW)
    assert line.given_back == [1]


async def test_there_are_no_more_leases_than_there_is_room_for(line):
    store = store_of(line)
    for number in range(MOST_LEASES + 10):
        line.answers.append([0, 0, 250_000, 0])
        await store.take(f"k{number}", FEW, 1.0, NOW)

    assert len(store._leases) == MOST_LEASES


@pytest.mark.parametrize(
    "answer",
    [7, [], [1, 2, 3], [0, 0, b"x", 0], "no"],
    ids=["number", "empty", "short", "text", "word"],
)
async def test_an_answer_that_makes_no_sense_takes_the_store_down(line, answer):
    line.answers = [answer]
    store = store_of(line)

    assert (await store.take("k", FEW, 1.0, NOW)).wait_s == 0.0
    assert line.faults == ["an answer that makes no sense"]


async def test_nonsense_for_a_renewal_does_too(line):
    line.answers = [[0, 0, 250_000, 0], [1, 0, 750_000, 0], 7]
    store = store_of(line)
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    store.take_nowait("k", MANY, 1.0, NOW)
    await asyncio.sleep(0)

    assert line.faults == ["an answer that makes no sense"]


# --- Down


async def test_while_it_is_down_memory_limits(line):
    store = store_of(line)
    line.is_up = False

    waits = [store.take_nowait("k", FEW, 1.0, NOW).wait_s for _ in range(5)]
    assert waits == [0.0] * 4 + [4.0]
    store.give_back("k", FEW, 1.0, NOW)
    assert store.take_nowait("k", FEW, 1.0, NOW).wait_s == 0.0
    assert line.asked == line.given_back == []


async def test_while_it_is_down_everything_passes_where_that_is_the_policy(line):
    store = store_of(line, "allow")
    line.is_up = False

    assert [store.take_nowait("k", FEW, 1.0, NOW).wait_s for _ in range(9)] == [0.0] * 9
    store.give_back("k", FEW, 1.0, NOW)


async def test_while_it_is_down_everything_is_refused_where_that_is_the_policy(line):
    line.answers = [None]
    store = store_of(line, "deny")
    line.is_up = False

    assert store.take_nowait("k", FEW, 1.0, NOW) is None
    with pytest.raises(StoreUnavailable):
        await store.take("k", FEW, 1.0, NOW)


async def test_who_waits_when_it_goes_down_gets_the_policys_answer(line):
    line.answers = [None, None]

    assert (await store_of(line).take("k", FEW, 1.0, NOW)).wait_s == 0.0
    with pytest.raises(StoreUnavailable):
        await store_of(line, "deny").take("k", FEW, 1.0, NOW)


def test_the_probe_runs_both_scripts_on_nobodys_bucket():
    take, give_back = probe_of(SCRIPTS, "p")

    assert (take.script, give_back.script) == (SCRIPTS.take, SCRIPTS.give_back)
    assert take.keys == give_back.keys == (b"p:{probe}",)


async def test_idle_leases_go_back_in_the_background(line, monkeypatch):
    monkeypatch.setattr("pyproxy.store.buckets._IDLE_S", 0.01)
    line.answers = [[0, 0, 250_000, 0], [1, 0, 60_000_000, 0]]
    store = store_of(line)
    store._clock = lambda: NOW + 1.0
    for _ in range(2):
        await store.take("k", MANY, 1.0, NOW)
    running = asyncio.create_task(store.run())
    async with asyncio.timeout(5):
        while not line.given_back:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
    running.cancel()

    assert line.given_back == [1]
