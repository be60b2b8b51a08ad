"""Time runs out when it should, once, and costs a timer now and then only."""

import asyncio

import pytest
import uvloop
from hypothesis import given, strategies as st

from pyproxy.timers.deadline import NEVER, Deadline
from tests.clock import Clock

START = 100.0


class Bell:
    """A deadline and when it rang."""

    def __init__(self):
        self.clock = Clock(START)
        self.rang = []
        self.deadline = Deadline(self.clock, lambda: self.rang.append(self.clock.now))


@pytest.fixture
def bell():
    return Bell()


def test_it_never_rings_unless_set(bell):
    bell.clock.move_to(START + 1000.0)

    assert bell.deadline.at == NEVER
    assert (bell.rang, bell.clock.started) == ([], [])


def test_it_rings_once_and_is_never_again(bell):
    bell.deadline.set(START + 5.0)
    bell.clock.move_to(START + 4.0)
    before = list(bell.rang)
    bell.clock.move_to(START + 50.0)

    assert (before, bell.rang) == ([], [START + 5.0])
    assert bell.deadline.at == NEVER


def test_it_is_never_by_the_time_it_rings(bell):
    seen = []
    deadline = Deadline(bell.clock, lambda: seen.append(deadline.at))
    deadline.set(START + 1.0)
    bell.clock.move_to(START + 1.0)

    assert seen == [NEVER]


def test_postponing_costs_no_timer(bell):
    bell.deadline.set(START + 5.0)
    for _ in range(100):
        bell.deadline.at += 1.0

    assert len(bell.clock.started) == 1
    bell.clock.move_to(START + 104.0)
    assert bell.rang == []
    bell.clock.move_to(START + 105.0)
    assert bell.rang == [START + 105.0]
    assert len(bell.clock.started) == 2


@pytest.mark.parametrize(
    ("moments", "rang", "timers"),
    [
        pytest.param([5.0, 9.0], 9.0, 1, id="later: the timer stays"),
        pytest.param([5.0, 5.0], 5.0, 1, id="the same: the timer stays"),
        pytest.param([9.0, 5.0], 5.0, 2, id="earlier: a new timer"),
        pytest.param([9.0, 5.0, 9.0], 9.0, 2, id="earlier and back"),
        pytest.param([0.0], 0.0, 1, id="now"),
        pytest.param([-1.0], 0.0, 1, id="past already"),
    ],
)
def test_set_takes_any_moment(bell, moments, rang, timers):
    for moment in moments:
        bell.deadline.set(START + moment)

    assert len(bell.clock.started) == timers
    assert len(bell.clock.waiting) == 1
    bell.clock.move_to(START + 100.0)
    assert bell.rang == [START + rang]


def test_what_is_called_off_does_not_ring_and_may_be_set_anew(bell):
    bell.deadline.set(START + 5.0)
    bell.deadline.at = NEVER
    bell.clock.move_to(START + 6.0)

    assert (bell.rang, bell.clock.waiting) == ([], [])
    bell.deadline.set(START + 7.0)
    bell.clock.move_to(START + 7.0)
    assert bell.rang == [START + 7.0]


@pytest.mark.parametrize("times", [1, 2])
def test_cancelled_it_holds_on_to_nothing(bell, times):
    bell.deadline.set(START + 5.0)
    for _ in range(times):
        bell.deadline.cancel()
    bell.clock.move_to(START + 6.0)

    assert (bell.rang, bell.clock.waiting, bell.deadline.at) == ([], [], NEVER)


def test_who_hears_it_may_set_it_again(bell):
    deadline = Deadline(bell.clock, lambda: deadline.set(bell.clock.now + 2.0))
    deadline.set(START + 1.0)
    bell.clock.move_to(START + 6.5)

    assert [timer.due - START for timer in bell.clock.started] == [1.0, 3.0, 5.0, 7.0]


@pytest.mark.parametrize(
    ("late_s", "grace_s"),
    [
        pytest.param(0.0625, 0.0, id="hardly"),
        pytest.param(0.5, 0.5, id="a little"),
        pytest.param(30.0, 1.0, id="very"),
    ],
)
def test_who_was_late_itself_looks_first_at_what_came_meanwhile(bell, late_s, grace_s):
    bell.deadline.set(START + 5.0)
    bell.clock.sleep_through(START + 5.0 + late_s)
    bell.clock.move_to(START + 100.0)

    assert bell.rang == [START + 5.0 + late_s + grace_s]


def test_what_came_meanwhile_postpones_it(bell):
    bell.deadline.set(START + 5.0)
    bell.clock.sleep_through(START + 7.0)
    bell.deadline.at = START + 12.0
    bell.clock.move_to(START + 100.0)

    assert bell.rang == [START + 12.0]


def test_a_loop_that_is_always_late_puts_nothing_off_for_ever(bell):
    bell.deadline.set(START + 5.0)
    bell.clock.sleep_through(START + 5.5)
    bell.clock.sleep_through(START + 6.5)

    assert bell.rang == [START + 6.5]


def test_timer_that_fires_early_sleeps_on(bell):
    # asyncio calls back up to its clock's resolution before the time.
    bell.deadline.set(START + 5.0)
    bell.clock.started[0].callback()

    assert bell.rang == []
    assert bell.clock.started[1].due == START + 5.0


STEPS = st.lists(
    st.tuples(st.sampled_from(["set", "postpone", "never", "cancel", "move"]), st.integers(0, 8))
)


@given(STEPS)
def test_it_rings_when_a_deadline_that_is_always_looked_at_would(steps):
    bell = Bell()
    expected, at = [], NEVER
    for step, seconds in steps:
        if step == "move":
            bell.clock.move_to(bell.clock.now + seconds)
            if at <= bell.clock.now:
                expected.append(at)
                at = NEVER
        elif step == "set":
            at = bell.clock.now + seconds
            bell.deadline.set(at)
        elif step == "postpone" and at != NEVER:
            at = bell.deadline.at = at + seconds
        elif step == "never":
            at = bell.deadline.at = NEVER
        elif step == "cancel":
            at = NEVER
            bell.deadline.cancel()

    assert bell.rang == expected
    assert len(bell.clock.waiting) <= 1


@pytest.mark.parametrize(
    "loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
@pytest.mark.parametrize("ahead_s", [-1.0, 0.0, 0.0001])
def test_a_moment_that_is_now_can_be_moved_on_every_loop(loop_factory, ahead_s):
    # uvloop's handle of a call that is due at once does not know when that is.
    async def rings():
        loop = asyncio.get_running_loop()
        rang = asyncio.Event()
        deadline = Deadline(loop, rang.set)
        deadline.set(loop.time() + ahead_s)
        deadline.set(loop.time() + 60.0)
        deadline.set(loop.time() + 0.01)
        await rang.wait()
        return deadline.at

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(rings()) == NEVER
