"""What a name resolves to, with a resolver that says what a test wants and a clock that stands."""

import asyncio
import socket

import pytest

from pyproxy.upstream.names import FRESH_S, PATIENCE_S, RECHECK_S, Names, Place, asking_the_system
from tests.waiting import turns

A, B, C = (Place(socket.AF_INET, (f"192.0.2.{i}", 80)) for i in (1, 2, 3))
AGAIN = socket.gaierror(socket.EAI_AGAIN, "no answer")
NOBODY = socket.gaierror(socket.EAI_NONAME, "no such name")


class Loop:
    """The running loop, but for its clock."""

    def __init__(self):
        self.now = 100.0

    def time(self):
        return self.now

    def create_task(self, work, name):
        return asyncio.get_running_loop().create_task(work, name=name)


class Resolver:
    """Gives one answer after the other; ``None`` comes when the test says so."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.late = asyncio.Event()

    async def __call__(self, host, port):
        self.asked.append((host, port))
        answer = self.answers.pop(0)
        if answer is None:
            await self.late.wait()
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Made:
    """Names under test, and what they told."""

    def __init__(self, *answers, host="a.example"):
        self.loop = Loop()
        self.resolver = Resolver(*answers)
        self.present = []
        self.faults = []
        self.names = Names(
            host, 80, self.loop,
            look_up=self.resolver, changed=self.present.append, failed=self.faults.append,
        )  # fmt: skip

    async def after(self, seconds):
        """What is found so much later."""
        self.loop.now += seconds
        return await self.names.places()


# --- Remembering


@pytest.mark.parametrize(
    ("host", "family"),
    [
        pytest.param("192.0.2.1", socket.AF_INET, id="IPv4"),
        pytest.param("2001:db8::1", socket.AF_INET6, id="IPv6"),
    ],
)
async def test_address_is_not_looked_up(host, family):
    made = Made(host=host)
    made.names.doubt()
    made.names.keep_fresh()

    assert await made.after(1e6) == (Place(family, (host, 80)),)
    assert made.resolver.asked == []


async def test_answer_is_good_for_a_while():
    made = Made([A], [B])
    found = [await made.after(seconds) for seconds in (0.0, FRESH_S - 1.0, 1.0)]

    assert found == [(A,), (A,), (B,)]
    assert made.resolver.asked == [("a.example", 80)] * 2


async def test_place_that_is_told_twice_is_one():
    assert await Made([A, B, A]).names.places() == (A, B)


async def test_one_look_up_is_for_all_who_wait():
    made = Made(None, [A])
    waiting = [asyncio.ensure_future(made.names.places()) for _ in range(3)]
    await turns(1)
    waiting.pop().cancel()
    made.resolver.late.set()

    assert await asyncio.gather(*waiting) == [(A,), (A,)]
    assert len(made.resolver.asked) == 1


async def test_places_that_were_no_good_come_last_until_the_next_answer():
    made = Made([A, B, C], [A, B, C])
    await made.names.places()
    made.names.demote([A, B])
    demoted = await made.names.places()

    assert demoted == (C, A, B)
    assert await made.after(FRESH_S) == (A, B, C)


async def test_system_is_asked():
    places = await asking_the_system(asyncio.get_running_loop())("localhost", 80)

    assert {place.ip for place in places} <= {"127.0.0.1", "::1"}
    assert places


# --- Failing


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(AGAIN, id="servers are down"),
        pytest.param(NOBODY, id="no such name"),
        pytest.param(UnicodeError("label too long"), id="no name at all"),
    ],
)
async def test_first_look_up_that_fails_is_an_error(error):
    made = Made(error, [A])
    with pytest.raises(type(error)) as caught:
        await made.names.places()

    assert caught.value is error
    assert await made.names.places() == (A,)


async def test_answer_without_an_address_is_none():
    with pytest.raises(socket.gaierror, match="no address"):
        await Made([]).names.places()


async def test_last_good_answer_is_used_while_look_ups_fail():
    made = Made([A], AGAIN, AGAIN, [B])
    found = [await made.after(seconds) for seconds in (0.0, FRESH_S, 1.0, RECHECK_S, RECHECK_S)]

    assert found == [(A,), (A,), (A,), (A,), (B,)]
    assert len(made.resolver.asked) == 4


async def test_fault_is_told_once_and_its_end():
    made = Made([A], AGAIN, AGAIN, [B], [B])
    for _ in range(5):
        await made.after(FRESH_S)

    assert made.faults == [AGAIN, None]


async def test_name_that_is_gone_is_gone():
    made = Made([A], NOBODY, [B])
    await made.names.places()
    with pytest.raises(socket.gaierror):
        await made.after(FRESH_S)

    assert await made.names.places() == (B,)


async def test_last_good_answer_is_used_while_the_next_is_late():
    made = Made([A], None, [B])
    await made.names.places()
    made.loop.now += FRESH_S
    waiting = asyncio.ensure_future(made.names.places())
    await turns(1)
    made.loop.now += PATIENCE_S
    meanwhile = await made.names.places()
    made.resolver.late.set()

    assert meanwhile == (A,)
    assert await waiting == (B,)
    assert len(made.resolver.asked) == 2


async def test_doubt_has_the_name_looked_up_soon():
    made = Made([A], [B])
    await made.names.places()
    made.names.doubt()
    at_once = await made.names.places()

    assert at_once == (A,)
    assert await made.after(RECHECK_S) == (B,)


# --- Moving


async def test_address_is_gone_when_two_answers_do_not_have_it():
    made = Made([A], [B], [B, C], [C])
    for _ in range(4):
        await made.after(FRESH_S)

    assert [sorted(ips) for ips in made.present] == [
        [A.ip], [A.ip, B.ip], [B.ip, C.ip], [B.ip, C.ip],
    ]  # fmt: skip


async def test_who_only_keeps_the_name_fresh_does_not_wait():
    made = Made([A], [B])
    await made.names.places()
    made.names.keep_fresh()
    before = len(made.resolver.asked)
    made.loop.now += FRESH_S
    made.names.keep_fresh()
    made.names.keep_fresh()
    await made.names._looking

    assert (before, len(made.resolver.asked)) == (1, 2)
    assert await made.names.places() == (B,)
