import asyncio

import pytest

from pyproxy.limits.bans import BanRules
from pyproxy.limits.memory_bans import MOST_BANS, MemoryBans
from pyproxy.store.banned import FAILED, FORGET, MOST_AFTER, SpreadBans
from pyproxy.store.roll_page import Entry
from pyproxy.store.roll_scripts import LIFT, PUT
from tests.unit.store.test_roll import NOW

CLIENT = "192.0.2.1"
RULES = BanRules(after=3, within_s=60.0, lasting_s=900.0)
MOMENT = 1024.0


class FakeLine:
    """Answers what failures are asked for, and notes the rest."""

    def __init__(self, answer=0):
        self.answer = answer
        self.asked, self.told = [], []

    def ask(self, script, keys, values):
        self.asked.append((script, keys, values))
        answered = asyncio.get_running_loop().create_future()
        answered.set_result(self.answer)
        return answered

    def tell(self, script, keys, values):
        self.told.append((script, keys, values))

    def scripts(self):
        return [script for script, *_ in self.told]


def bans_of(line):
    begun = []
    bans = SpreadBans(
        MemoryBans(), line, "p", lambda: MOMENT, lambda: NOW, lambda *news: begun.append(news)
    )
    bans.begun = begun
    return bans


async def test_a_failure_counts_here_and_in_the_store():
    line = FakeLine()
    bans = bans_of(line)

    assert not bans.failed(CLIENT, RULES, MOMENT)
    assert line.asked == [(FAILED, (b"p:{failed 192.0.2.1}",), (3, 60e6))]
    await asyncio.sleep(0)
    assert bans.left_s(CLIENT, MOMENT) == 0.0


async def test_the_one_too_many_of_all_machines_begins_a_ban_and_is_said():
    line = FakeLine(1)
    bans = bans_of(line)
    bans.failed(CLIENT, RULES, MOMENT)
    bans.failed(CLIENT, RULES, MOMENT)
    await asyncio.sleep(0)

    assert bans.left_s(CLIENT, MOMENT) == 900.0
    assert bans.begun == [(CLIENT, RULES)]
    assert line.scripts() == [PUT]


@pytest.mark.parametrize("after", [0, MOST_AFTER + 1])
async def test_what_is_not_to_be_counted_is_not(after):
    line = FakeLine()
    bans_of(line).failed(CLIENT, BanRules(after, 60.0, 900.0), MOMENT)

    assert line.asked == []


async def test_the_one_too_many_here_bans_everywhere():
    line = FakeLine()
    bans = bans_of(line)
    begun = [bans.failed(CLIENT, RULES, MOMENT) for _ in range(3)]

    assert begun == [False, False, True]
    (_, _, values), (_, forgotten, _) = line.told
    assert line.scripts() == [PUT, FORGET]
    assert values[1:4] == (CLIENT.encode(), NOW + 900.0, NOW)
    assert forgotten == line.asked[0][1]  # the ban's failures count towards no other
    assert not bans.failed(CLIENT, RULES, MOMENT)
    assert len(line.asked) == 2  # who is banned already is not counted


async def test_a_lift_is_everywhere_and_forgets_failures():
    line = FakeLine()
    bans = bans_of(line)
    bans.ban(CLIENT, 900.0, MOMENT)

    assert bans.lift(CLIENT, MOMENT)
    assert not bans.lift(CLIENT, MOMENT)
    assert line.scripts() == [PUT, LIFT, FORGET, LIFT, FORGET]


async def test_what_others_ban_and_lift_counts_here_by_the_stores_clock():
    bans = bans_of(FakeLine())
    bans.roll.offset_s = 10.0
    bans.roll.hear(b"put %f %f 1 192.0.2.1" % (NOW + 110.0, NOW))
    assert bans.left_s(CLIENT, MOMENT) == 100.0

    bans.roll.hear(b"lift %f 0 2 192.0.2.1" % (NOW + 1.0))
    bans.roll.hear(b"put %f %f 3 192.0.2.2" % (NOW + 9.0, NOW))  # over by the store's clock
    assert bans.in_force(MOMENT) == ()


async def test_what_is_no_address_is_banned_nowhere_and_taken_off():
    line = FakeLine()
    bans = bans_of(line)
    name = "n" * 49
    assert bans.roll.hear(f"put {NOW + 90.0:f} {NOW:f} 1 {name}".encode())
    assert bans.in_force(MOMENT) == ()

    bans.notice()
    assert line.scripts() == [LIFT]


async def test_bans_from_before_are_shared_too():
    line = FakeLine()
    bans = bans_of(line)
    bans._local.ban(CLIENT, 60.0, MOMENT)
    bans.adopt()

    assert bans.roll.entries() == ((CLIENT, Entry(NOW + 60.0, NOW)),)


async def test_a_ban_lifted_behind_its_back_is_lifted_everywhere():
    line = FakeLine()
    bans = bans_of(line)
    for client, lasting_s in ((CLIENT, 900.0), ("192.0.2.2", 900.0), ("192.0.2.3", 1.0)):
        bans.ban(client, lasting_s, MOMENT)
    bans.notice()
    assert line.scripts() == [PUT] * 3

    bans._local.lift(CLIENT, MOMENT)
    bans._local.lift("192.0.2.3", MOMENT)  # ends by itself about now
    bans.notice()
    assert line.scripts() == [PUT] * 3 + [LIFT]


@pytest.mark.parametrize(
    "client", ["", "x" * 49, "a\0b", "\x1b[2J", "<b>", "fe80::1%lo", "1.2.3.4/24", "::1", "\u00b2"]
)
async def test_what_is_no_client_is_not_banned_by_others(client):
    bans = bans_of(FakeLine())
    bans.roll.hear(f"put {NOW + 9.0} {NOW} 1 {client}".encode())

    assert bans.in_force(MOMENT) == ()


@pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::/64"])
async def test_a_client_is_banned_as_others_say(client):
    bans = bans_of(FakeLine())
    bans.roll.hear(f"put {NOW + 9.0} {NOW} 1 {client}".encode())

    assert [each.client for each in bans.in_force(MOMENT)] == [client]


async def test_of_a_full_list_nothing_is_taken_for_lifted():
    line = FakeLine()
    bans = bans_of(line)
    for number in range(MOST_BANS // 2 + 1):
        bans.roll.remember(f"{number}", Entry(NOW + 900.0, NOW))
    bans.notice()

    assert line.told == []


async def test_its_probe_counts_nobodys_failure_and_forgets_it():
    scripts = [question.script for question in bans_of(FakeLine()).probe()]

    assert scripts[-2:] == [FAILED, FORGET]
