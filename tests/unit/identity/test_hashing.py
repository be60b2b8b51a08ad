import asyncio
from concurrent.futures import Executor, Future

import bcrypt
import pytest

from pyproxy.errors.refusal import AttemptsSpent, RateLimited
from pyproxy.identity import hashing
from pyproxy.identity.hashing import BcryptGate
from tests.waiting import turns

ME, OTHER = "192.0.2.1", "198.51.100.1"
HASHES = tuple(bcrypt.hashpw(key, bcrypt.gensalt(4)) for key in (b"first", b"second"))


class HandExecutor(Executor):
    """Runs what was submitted when told to."""

    def __init__(self):
        self.waiting = []
        self.secrets = []

    def submit(self, fn, /, *args):
        future = Future()
        self.waiting.append((future, fn, args))
        self.secrets.append(args[0].secret)
        return future

    def run(self):
        """Do what waits now; gives what came out."""
        waiting, self.waiting = self.waiting, []
        for future, fn, args in waiting:
            try:
                future.set_result(fn(*args))
            except (RateLimited, TypeError) as exc:
                future.set_exception(exc)
        return [future.exception() or future.result() for future, *_ in waiting]


@pytest.fixture
def executor():
    return HandExecutor()


async def settled(*tasks):
    """Let tasks run until each waits for the executor."""
    await turns()
    return tasks


async def run_all(executor):
    """Hash for everybody, one turn after the other."""
    while executor.waiting:
        executor.run()
        await settled()


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
        assert await gate.matches(secret, HASHES, ME) == index


async def test_hash_that_is_none_matches_nothing_and_stops_nobody():
    async with BcryptGate() as gate:
        assert await gate.matches(b"first", (b"$2b$04$bogus", *HASHES), ME) == 1


async def test_secret_that_bcrypt_would_cut_is_not_hashed(executor):
    gate = BcryptGate(executor=executor)
    long = b"x" * 73
    hashes = (bcrypt.hashpw(long[:72], bcrypt.gensalt(4)),)

    assert await gate.matches(long, hashes, ME) is None
    assert executor.waiting == []


async def test_nothing_is_tried_without_hashes(executor):
    assert await BcryptGate(executor=executor).matches(b"first", (), ME) is None
    assert executor.waiting == []


async def test_same_secret_is_hashed_once_for_all(executor):
    gate = BcryptGate(executor=executor)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(gate.matches(b"second", HASHES, ME)) for _ in range(5)]
        await settled()
        submitted = len(executor.waiting)
        executor.run()

    assert submitted == 1
    assert [task.result() for task in tasks] == [1] * 5


async def test_it_knows_what_is_being_tried(executor):
    gate = BcryptGate(executor=executor)
    task = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    assert not gate.is_trying(b"first", HASHES)

    await settled()
    assert gate.is_trying(b"first", HASHES)
    assert not gate.is_trying(b"second", HASHES)
    assert not gate.is_trying(b"first", HASHES[:1])

    await run_all(executor)
    assert await task == 0
    assert not gate.is_trying(b"first", HASHES)


async def test_same_secret_against_other_hashes_is_another_attempt(executor):
    gate = BcryptGate(executor=executor)
    async with asyncio.TaskGroup() as group:
        both = group.create_task(gate.matches(b"second", HASHES, ME))
        first = group.create_task(gate.matches(b"second", HASHES[:1], ME))
        await settled()
        await run_all(executor)

    assert (both.result(), first.result()) == (1, None)


async def test_full_queue_refuses_and_says_when_to_come_back(executor):
    gate = BcryptGate(waiting=1, executor=executor)
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(gate.matches(b"first", HASHES, ME))
        await settled()
        with pytest.raises(RateLimited) as caught:
            await gate.matches(b"second", HASHES, ME)
        executor.run()

    assert waits.result() == 0
    assert caught.value.fields == ((b"Retry-After", b"5"),)


async def test_queue_has_room_again_afterwards(executor):
    gate = BcryptGate(waiting=1, executor=executor)
    for secret in (b"first", b"second"):
        async with asyncio.TaskGroup() as group:
            group.create_task(gate.matches(secret, HASHES, ME))
            await settled()
            executor.run()

    assert gate._attempts == {}


async def test_caller_that_leaves_does_not_end_the_attempt_of_others(executor):
    gate = BcryptGate(executor=executor)
    leaver = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    stayer = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    leaver.cancel()
    await settled()
    executor.run()

    assert await stayer == 0
    assert leaver.cancelled()


async def test_attempt_that_nobody_waits_for_any_more_ends(executor):
    gate = BcryptGate(executor=executor)
    leaver = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    leaver.cancel()
    await settled()

    assert gate._attempts == {}
    assert executor.run() == [None]  # it would have matched: it was not even tried


async def test_who_comes_after_all_have_left_has_an_attempt_of_its_own(executor):
    gate = BcryptGate(executor=executor)
    leaver = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    leaver.cancel()
    await settled()
    comes = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    executor.run()  # the attempt of who has left
    await settled()
    joins = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    await run_all(executor)

    assert (await comes, await joins) == (0, 0)
    assert executor.secrets == [b"first", b"first"]


async def test_who_leaves_before_its_turn_leaves_its_place_too(executor):
    gate = BcryptGate(waiting=2, executor=executor)
    first, leaver = [asyncio.create_task(gate.matches(k, HASHES, ME)) for k in (b"first", b"x")]
    await settled()
    leaver.cancel()
    await settled()
    comes = asyncio.create_task(gate.matches(b"second", HASHES, ME))
    await settled()
    await run_all(executor)

    assert (await first, await comes) == (0, 1)
    assert executor.secrets == [b"first", b"second"]


async def test_attempt_that_the_executor_drops_ends_quietly(executor):
    gate = BcryptGate(executor=executor)
    waits = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    executor.waiting[0][0].cancel()
    await settled()

    assert gate._attempts == {}
    with pytest.raises(RateLimited):  # nobody knows: it is no "no match"
        await waits


async def test_closed_gate_refuses_what_waits_and_what_comes(executor):
    gate = BcryptGate(executor=executor)
    waits = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    closing = asyncio.create_task(gate.close())
    await settled()
    executor.run()
    await closing

    with pytest.raises(RateLimited):
        await waits
    with pytest.raises(RateLimited):
        await gate.matches(b"first", HASHES, ME)


async def test_loop_stays_free_while_hashing():
    slow = (bcrypt.hashpw(b"slow", bcrypt.gensalt(8)),)
    rounds = 0
    async with BcryptGate() as gate, asyncio.TaskGroup() as group:
        task = group.create_task(gate.matches(b"slow", slow, ME))
        while not task.done():
            rounds += 1
            await turns(1)

    assert task.result() == 0
    assert rounds > 3


async def test_somebody_with_many_wrong_keys_delays_another_client_by_one_attempt(executor):
    gate = BcryptGate(executor=executor)
    async with asyncio.TaskGroup() as group:
        for number in range(7):
            group.create_task(gate.matches(b"wrong %d" % number, HASHES, ME))
        await settled()
        good = group.create_task(gate.matches(b"second", HASHES, OTHER))
        await settled()
        await run_all(executor)

    assert good.result() == 1
    assert executor.secrets.index(b"second") == 1  # after the one under way


async def test_clients_of_the_same_secret_have_the_first_turn_of_them(executor):
    gate = BcryptGate(executor=executor)
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(gate.matches(b"wrong %d" % number, HASHES, ME))
        group.create_task(gate.matches(b"second", HASHES, ME))
        await settled()
        group.create_task(gate.matches(b"second", HASHES, OTHER))
        await settled()
        await run_all(executor)

    assert executor.secrets.index(b"second") == 1
    assert executor.secrets.count(b"second") == 1


async def test_clients_line_is_bounded_and_others_are_not_touched(executor):
    gate = BcryptGate(each=1, executor=executor)
    async with asyncio.TaskGroup() as group:
        for secret in (b"first", b"a"):  # one under way, one in the line
            group.create_task(gate.matches(secret, HASHES, ME))
            await settled()
        with pytest.raises(RateLimited):
            await gate.matches(b"b", HASHES, ME)
        good = group.create_task(gate.matches(b"second", HASHES, OTHER))
        await settled()
        await run_all(executor)

    assert good.result() == 1


async def test_each_key_that_finds_its_clients_line_full_is_an_attempt_once(executor):
    gate = BcryptGate(each=1, executor=executor)
    kinds = []
    async with asyncio.TaskGroup() as group:
        for secret in (b"first", b"a"):
            group.create_task(gate.matches(secret, HASHES, ME))
            await settled()
        for secret in (b"b", b"b", b"c", b"b"):
            with pytest.raises(RateLimited) as caught:
                await gate.matches(secret, HASHES, ME)
            kinds.append((caught.type, caught.value.fields))
        await run_all(executor)

    wait = ((b"Retry-After", b"5"),)
    assert kinds == [(kind, wait) for kind in (AttemptsSpent, RateLimited) * 2]


async def test_keys_that_were_turned_away_are_not_remembered_without_end(executor, monkeypatch):
    monkeypatch.setattr(hashing, "MOST_REFUSED", 2)
    gate = BcryptGate(each=1, executor=executor)
    async with asyncio.TaskGroup() as group:
        for secret in (b"first", b"a"):
            group.create_task(gate.matches(secret, HASHES, ME))
            await settled()
        for secret in (b"b", b"c", b"d", b"b"):
            with pytest.raises(AttemptsSpent):
                await gate.matches(secret, HASHES, ME)
        await run_all(executor)

    assert len(gate._refused) == 2


async def test_who_finds_all_full_or_waits_too_long_has_tried_nothing(executor):
    gate = BcryptGate(waiting=1, patience_s=0.0, executor=executor)
    has_turn = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    with pytest.raises(RateLimited) as caught:
        await gate.matches(b"second", HASHES, OTHER)
    await run_all(executor)

    assert caught.type is RateLimited
    assert await has_turn == 0


async def test_one_hash_is_confirmed_past_the_line():
    slow = HandExecutor()
    async with BcryptGate() as gate:
        gate._executor = slow
        waiting = asyncio.create_task(gate.matches(b"a", HASHES, ME))
        await settled()

        assert await gate.confirm(b"second", HASHES[1])
        assert not await gate.confirm(b"second", HASHES[0])
        assert not gate._confirming
        await run_all(slow)
        assert await waiting is None
        gate._executor = gate._aside


async def test_same_secret_is_confirmed_once_for_all_and_one_who_leaves_disturbs_nobody():
    futures = []

    class Counting(Executor):
        def submit(self, _fn, /, *_args):
            futures.append(Future())
            return futures[-1]

    gate = BcryptGate(executor=Counting())
    first, *others = [asyncio.create_task(gate.confirm(b"first", HASHES[0])) for _ in range(4)]
    await settled()
    first.cancel()
    await settled()
    futures[0].set_result(True)

    assert await asyncio.gather(*others) == [True] * 3
    assert len(futures) == 1


async def test_closed_gate_confirms_nothing():
    gate = BcryptGate()
    under_way = asyncio.create_task(gate.confirm(b"first", HASHES[0]))
    await settled()
    await gate.close()

    assert await under_way
    with pytest.raises(RateLimited):
        await gate.confirm(b"first", HASHES[0])


async def test_each_thread_is_made_ready_before_it_hashes():
    ready = []
    async with BcryptGate(begin=lambda: ready.append(1)) as gate:
        await gate.matches(b"first", HASHES, ME)
        await gate.confirm(b"first", HASHES[0])

    assert ready == [1, 1]


async def test_nothing_is_hashed_for_one_who_is_forsaken_but_for_others_it_is(executor):
    gate = BcryptGate(executor=executor)
    running, waiting, shared, other = [
        asyncio.create_task(gate.matches(secret, HASHES, ME)) for secret in (b"a", b"b", b"c", b"d")
    ]
    await settled()
    also = asyncio.create_task(gate.matches(b"c", HASHES, OTHER))
    good = asyncio.create_task(gate.matches(b"second", HASHES, OTHER))
    await settled()
    gate.forsake(ME)
    for task in (running, waiting, other):
        with pytest.raises(RateLimited) as caught:
            await task
        assert caught.type is RateLimited
    await run_all(executor)

    assert (await shared, await also, await good) == (None, None, 1)
    assert set(executor.secrets) == {b"a", b"c", b"second"}
    assert not gate._attempts


async def test_full_queue_is_cut_where_it_is_longest(executor):
    gate = BcryptGate(waiting=3, executor=executor)
    first, kept, cut = [
        asyncio.create_task(gate.matches(secret, HASHES, ME)) for secret in (b"first", b"a", b"b")
    ]
    await settled()
    good = asyncio.create_task(gate.matches(b"second", HASHES, OTHER))
    await settled()
    await run_all(executor)

    assert (await first, await kept, await good) == (0, None, 1)
    with pytest.raises(RateLimited):
        await cut


async def test_who_has_waited_too_long_for_a_turn_is_refused(executor):
    gate = BcryptGate(patience_s=0.0, executor=executor)
    has_turn = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    with pytest.raises(RateLimited) as caught:
        await gate.matches(b"second", HASHES, OTHER)
    await run_all(executor)

    assert caught.value.fields == ((b"Retry-After", b"5"),)
    assert await has_turn == 0  # a turn that has begun is not taken away
    assert executor.secrets == [b"first"]


async def test_secret_does_not_print(executor):
    gate = BcryptGate(executor=executor)
    waits = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    printed = repr((gate._attempts, gate._running, executor.waiting, waits))
    await run_all(executor)

    assert await waits == 0
    assert "_Attempt" in printed
    assert "first" not in printed


async def test_fault_of_an_attempt_is_told_and_stops_nobody_else(executor):
    gate = BcryptGate(executor=executor)
    fails = asyncio.create_task(gate.matches(b"first", (None,), ME))
    good = asyncio.create_task(gate.matches(b"first", HASHES, ME))
    await settled()
    await run_all(executor)

    assert await good == 0
    with pytest.raises(TypeError):
        await fails


async def test_what_is_hashed_or_waits_is_counted(executor):
    gate = BcryptGate(executor=executor)
    asking = [asyncio.ensure_future(gate.matches(key, HASHES, ME)) for key in (b"a", b"b", b"a")]
    await turns()
    waiting = gate.waiting
    for _ in range(2):
        executor.run()
        await turns()
    await asyncio.gather(*asking)

    assert (waiting, gate.waiting) == (2, 0)
