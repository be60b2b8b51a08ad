import asyncio

import pytest

from pyproxy.errors.refusal import NoWorker
from pyproxy.limits.bans import Ban
from pyproxy.runtime import admin_desk
from pyproxy.runtime.admin_desk import CrewBans
from pyproxy.runtime.members import Lost
from tests.waiting import turns

BAN = Ban("192.0.2.7", 800.0)


class Member:
    """A worker that answers, is lost, or waits to be let go on."""

    def __init__(self, *, is_answering=True, fails=None):
        self.is_answering, self.fails, self.asked = is_answering, fails, 0
        self.going = asyncio.Event()
        self.going.set()

    async def bans(self):
        self.asked += 1
        await self.going.wait()
        if self.fails is not None:
            raise self.fails
        return (BAN,)

    async def lift(self, client):
        return client in {each.client for each in await self.bans()}


class Crew:
    def __init__(self, *members):
        self.members = members


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(admin_desk, "_PATIENCE_S", 0.01)


async def test_the_first_that_answers_is_believed():
    first, second = Member(), Member()
    bans = CrewBans(Crew(first, second))

    assert await bans.in_force() == (BAN,)
    assert await bans.lift("192.0.2.7")
    assert not await bans.lift("192.0.2.8")
    assert (first.asked, second.asked) == (3, 0)


async def test_who_is_silent_is_asked_if_there_is_nobody_else():
    assert await CrewBans(Crew(Member(is_answering=False))).in_force() == (BAN,)


async def test_who_is_silent_or_lost_is_passed_over():
    silent, lost = Member(is_answering=False), Member(fails=Lost("gone"))
    bans = CrewBans(Crew(silent, lost, Member()))

    assert await bans.in_force() == (BAN,)
    assert silent.asked == 0


@pytest.mark.usefixtures("impatient")
async def test_who_is_late_is_not_asked_again_before_it_has_answered():
    late = Member()
    late.going.clear()
    bans = CrewBans(Crew(late, Member()))

    assert await bans.in_force() == await bans.in_force() == (BAN,)
    assert late.asked == 1
    late.going.set()
    await turns()
    await bans.in_force()
    assert late.asked == 2


@pytest.mark.usefixtures("impatient")
async def test_without_anybody_who_answers_it_says_so():
    late = Member()
    late.going.clear()

    for crew in (Crew(), Crew(late), Crew(Member(fails=Lost("gone")))):
        with pytest.raises(NoWorker):
            await CrewBans(crew).in_force()
    late.going.set()
    await turns()


async def test_who_leaves_does_not_cut_the_question_short():
    slow = Member()
    slow.going.clear()
    bans = CrewBans(Crew(slow))
    asking = asyncio.ensure_future(bans.lift("192.0.2.7"))
    await turns()
    asking.cancel()
    await turns()
    slow.going.set()

    assert await bans.in_force() == (BAN,)
