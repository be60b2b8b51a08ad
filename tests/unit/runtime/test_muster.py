"""What workers counted stays when they end."""

from pyproxy.runtime.muster import MemberReport, Muster, reports_of
from pyproxy.telemetry.catalogue import (
    CONNECTIONS,
    LINES_LOST,
    REQUESTS,
    USER_REQUESTS,
    WORKER_DEATHS,
)
from pyproxy.telemetry.report import Report
from pyproxy.telemetry.totals import merge

GOT = (REQUESTS, ("main", "GET", "2xx"))
ALICES = (USER_REQUESTS, ("alice", "main", "2xx"))


class Member:
    """A worker that says what it is told to."""

    def __init__(self, slot, count=0):
        self.slot, self.pid, self.since = slot, 100 + slot, 10.0
        self.is_answering = True
        self.counted = Report({GOT: count, ALICES: count}, {}, {(CONNECTIONS, ()): 4.0})

    def report(self):
        return self.counted


def total(muster, members):
    reports = [each.report for each in reports_of(members)]
    return merge((muster.total_past(0), *reports)).counters[GOT]


def test_workers_are_listed_by_their_place():
    first, second = Member(0, 1), Member(1, 2)
    second.is_answering = False

    assert reports_of([second, first]) == (
        MemberReport(0, 100, 10.0, True, first.counted),
        MemberReport(1, 101, 10.0, False, second.counted),
    )


def test_totals_are_the_same_before_and_after_a_worker_ended():
    muster, members = Muster(), [Member(0, 5), Member(1, 7)]
    before = total(muster, members)
    muster.strike_off(members.pop())
    members.append(Member(1, 1))

    assert (before, total(muster, members)) == (12, 13)


def test_of_who_has_ended_no_connection_is_open():
    muster = Muster()
    muster.strike_off(Member(0, 5))

    assert muster.total_past(0).gauges == {}


def test_the_main_process_adds_deaths_and_its_own_lost_lines():
    muster = Muster(deaths=2)
    counted = Member(0)
    counted.counted.counters[LINES_LOST, ()] = 3
    muster.strike_off(counted)

    assert muster.total_past(4).counters[LINES_LOST, ()] == 7
    assert muster.total_past(4).counters[WORKER_DEATHS, ()] == 2
    assert muster.past.counters[LINES_LOST, ()] == 3  # the own ones are not counted again and again


def test_users_are_forgotten_and_nothing_else_is_and_those_too_whose_worker_ends_later():
    muster = Muster(is_by_user=True)
    muster.strike_off(Member(0, 5))
    known = muster.past.counters
    muster.count_users(False)
    after = muster.past.counters
    muster.strike_off(Member(1, 6))

    assert known == {GOT: 5, ALICES: 5}
    assert after == {GOT: 5}
    assert muster.past.counters == {GOT: 11}
