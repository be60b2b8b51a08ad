import asyncio

import pytest

from pyproxy.store.roll import Roll
from pyproxy.store.roll_page import Entry
from pyproxy.store.roll_scripts import LIFT, LIFTED_S, PUT, READ

NOW = 1_800_000_000.0


class FakeLine:
    """Answers with what it was given, in turn; nothing left: the store is down."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.told = []
        self.faults = []
        self.fault = self.faults.append

    def ask(self, script, keys, values):
        assert len(keys) == 4
        self.asked.append((script, values))
        answered = asyncio.get_running_loop().create_future()
        answered.set_result(self.answers.pop(0) if self.answers else None)
        return answered

    def tell(self, script, keys, values):
        assert len(keys) == 4
        self.told.append((script, values))


def page(version=0, entries=(), lifted=()):
    names = [part for name, until, _ in entries for part in (name, str(until).encode())]
    since = [str(each[2]).encode() for each in entries]
    tombs = [part for name, at in lifted for part in (name, str(at).encode())]
    return [str(NOW).encode(), str(version).encode(), names, since, tombs]


def roll_of(line, most=9):
    heard = []
    roll = Roll(line, "p", "list", lambda *put: heard.append(put), heard.append, most)
    roll.heard = heard
    return roll


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [([b"put", b"3"], "put"), ([b"full", b"0"], "full"), (None, ""), (7, ""), ([1, 2], "")],
    ids=str,
)
async def test_what_came_of_putting_is_said(answer, outcome):
    line = FakeLine(answer)
    roll = roll_of(line)

    assert await roll.put("one", Entry(NOW + 9.0, NOW)) == outcome
    assert line.asked == [(PUT, (b"p:{list}", b"one", NOW + 9.0, NOW, 9))]
    assert roll.count == 1


async def test_who_was_taken_off_elsewhere_is_taken_off_here():
    roll = roll_of(FakeLine([b"lifted", str(NOW + 1.0).encode()]))

    assert await roll.put("one", Entry(NOW + 9.0, NOW)) == "lifted"
    assert roll.heard == ["one"]
    assert roll.count == 0


@pytest.mark.parametrize(
    ("messages", "heard", "current"),
    [
        ([b"put 9 1 1 one"], [("one", 9.0)], [True]),
        ([b"put 9 1 1 one", b"put 9 1 2 one"], [("one", 9.0)], [True, True]),
        ([b"put 9 1 1 one", b"put 10 1 2 one"], [("one", 9.0), ("one", 10.0)], [True, True]),
        ([b"put 9 1 1 a name of words"], [("a name of words", 9.0)], [True]),
        ([b"put 9 1 2 one"], [("one", 9.0)], [False]),
        ([b"put 9 1 1 one", b"lift 1 0 2 one"], [("one", 9.0), "one"], [True, True]),
        ([b"put 9 2 1 one", b"lift 1 0 2 one"], [("one", 9.0)], [True, True]),
        ([b"lift 3 0 1 one", b"put 9 2 2 one"], [], [True, True]),
        ([b"lift 3 0 1 one", b"put 9 4 2 one"], [("one", 9.0)], [True, True]),
        ([b"rubbish"], [], [False]),
        ([b"put x 1 1 one"], [], [False]),
        ([b"put 9 1 1 \xff"], [], [False]),
        ([b"put inf 1 1 one"], [], [False]),
        ([b"put nan nan 1 one"], [], [False]),
        ([b"put 1e308 1 1 one"], [], [False]),
        ([b"put 9 -1 1 one"], [], [False]),
        ([b"lift inf 0 1 one"], [], [False]),
        ([b"put 9 1 1 " + 513 * b"x"], [], [False]),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_messages_are_taken_in_by_their_times(messages, heard, current):
    roll = roll_of(FakeLine())

    assert [roll.hear(message) for message in messages] == current
    assert roll.heard == heard


async def test_a_full_copy_takes_no_more():
    roll = roll_of(FakeLine(), most=1)
    roll.hear(b"put 9 1 1 one")
    roll.hear(b"put 9 1 2 two")
    roll.hear(b"lift 9 0 3 three")
    roll.hear(b"lift 9 0 4 four")

    assert roll.heard == [("one", 9.0)]
    assert list(roll._lifted) == ["four"]


async def test_telling_soon_is_told_and_remembered():
    line = FakeLine()
    roll = roll_of(line)
    roll.put_soon("one", Entry(NOW, 1.0))
    roll.lift_soon("one", 2.0)
    roll.put_soon("one", Entry(NOW, 2.0))  # came before it was taken off

    assert [script for script, _ in line.told] == [PUT, LIFT]
    assert roll.entries() == ()


async def test_a_merge_gives_each_side_what_the_other_has():
    remote = page(7, [(b"theirs", NOW + 9.0, 1.0), (b"both", NOW + 9.0, 1.0)], [(b"gone", 5.0)])
    line = FakeLine(remote, [b"put", b"8"])
    roll = roll_of(line)
    for name in ("ours", "both", "gone"):
        roll.remember(name, Entry(NOW + 9.0, 1.0))
    roll.remember("over", Entry(NOW - 1.0, 1.0))
    roll._lifted |= {"new": NOW, "old": NOW - LIFTED_S, "gone": 5.0}
    roll._lifted.pop("gone")
    await roll.merge(NOW - 3.0)

    assert roll.heard == ["gone", ("theirs", NOW + 9.0)]
    assert [values[1] for script, values in line.asked if script is PUT] == [b"ours"]
    assert [values[1] for script, values in line.told if script is LIFT] == [b"new"]
    assert roll.offset_s == 3.0
    assert roll.hear(b"put 9 1 8 x")


async def test_a_merge_reads_page_by_page_and_fills_in_parts():
    entries = [(b"t%d" % number, NOW + 9.0, 0.0) for number in range(1000)]
    line = FakeLine(page(1, entries), page(1), [b"put", b"2"], [b"put", b"3"])
    roll = roll_of(line, most=9999)
    for number in range(600):
        roll.remember(f"ours{number}", Entry(NOW + 9.0, 0.0))
    await roll.merge(NOW)

    assert len(roll.heard) == 1000
    asked = [script for script, _ in line.asked]
    assert asked == [READ, READ, PUT, PUT]
    assert len(line.told) == 598


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        [1, 2, 3, 4, 5],
        [b"now", b"1", [], [], []],
    ],
    ids=str,
)
async def test_a_store_that_says_nothing_of_use_changes_nothing(answer):
    line = FakeLine(answer, answer)
    roll = roll_of(line)
    roll.remember("ours", Entry(NOW + 9.0, 0.0))
    await roll.merge(NOW)

    assert await roll.is_current(NOW)
    assert (roll.heard, roll.count) == ([], 1)
    assert line.faults == ([] if answer is None else ["a list that makes no sense"] * 2)


async def test_a_merge_leaves_out_what_none_of_us_wrote():
    entries = [(b"good", NOW + 9.0, 0.0), (b"\xff", NOW + 9.0, 0.0), (b"inf", "inf", 0.0),
               (b"nan", "nan", 0.0), (b"since", NOW + 9.0, "rubbish"),
               (513 * b"x", NOW + 9.0, 0.0)]  # fmt: skip
    roll = roll_of(FakeLine(page(1, entries, [(b"for ever", "inf"), (b"\xff", 5.0)])))
    await roll.merge(NOW)

    assert roll.heard == [("good", NOW + 9.0)]
    assert list(roll._lifted) == []


async def test_a_list_without_end_is_not_read_to_its_end():
    entries = [(b"t%d" % number, NOW + 9.0, 0.0) for number in range(1000)]
    line = FakeLine(*[page(1, entries)] * 5)
    await roll_of(line, most=1500).merge(NOW)

    assert len(line.asked) == 2


async def test_a_look_at_the_list_tells_how_far_the_clocks_are_apart():
    roll = roll_of(FakeLine(page(0)))
    await roll.is_current(NOW - 3600.0)

    assert roll.offset_s == 3600.0


async def test_filling_stops_when_the_store_goes_down():
    line = FakeLine(page(1))
    roll = roll_of(line, most=9999)
    for number in range(1200):
        roll.remember(f"ours{number}", Entry(NOW + 9.0, 0.0))
    await roll.merge(NOW)

    assert len(line.told) == 499


async def test_it_knows_whether_it_heard_everything():
    line = FakeLine(page(0), page(1))
    roll = roll_of(line)

    assert await roll.is_current(NOW)
    assert not await roll.is_current(NOW)


async def test_looking_finds_out_too_that_a_clock_was_set():
    roll = roll_of(FakeLine(page(0)))
    await roll.is_current(NOW - 3600.0)

    assert roll.offset_s == 3600.0


async def test_its_probe_changes_nothing():
    scripts = [question.script for question in roll_of(FakeLine()).probe()]

    assert scripts == [READ, PUT, LIFT]
