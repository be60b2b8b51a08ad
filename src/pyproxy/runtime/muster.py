"""Who serves, and what all who ever did have counted."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyproxy.runtime.members import Member
from pyproxy.telemetry.catalogue import LINES_LOST, USER_REQUESTS, WORKER_DEATHS
from pyproxy.telemetry.report import Report, Series
from pyproxy.telemetry.totals import merge, retired


@dataclass(frozen=True, slots=True)
class MemberReport:
    """What one worker last said.

    Attributes:
        slot: Its place.
        pid: Of its process.
        since: Epoch seconds of its start.
        is_answering: It spoke in the last seconds.
        report: What it said; empty before its first word.
    """

    slot: int
    pid: int
    since: float
    is_answering: bool
    report: Report


@dataclass(slots=True)
class Muster:
    """Keeps counters from going backwards when workers end.

    A worker that is killed takes with it what it counted since its last report:
    a second's worth at most.

    Attributes:
        deaths: Workers that ended though nobody asked them to.
        past: What those counted that have ended.
        is_by_user: Users are counted.
    """

    deaths: int = 0
    past: Report = field(default_factory=Report)
    is_by_user: bool = False

    def strike_off(self, member: Member) -> None:
        """Take over what a worker counted that has ended; once for each."""
        self.past = merge((self.past, retired(member.report())))
        self.count_users(self.is_by_user)

    def count_users(self, is_wanted: bool) -> None:
        """Keep what is counted by user, or forget whom there were."""
        self.is_by_user = is_wanted
        if not is_wanted:
            counters = self.past.counters
            self.past.counters = {
                series: value for series, value in counters.items() if series[0] != USER_REQUESTS
            }

    def total_past(self, lines_lost: int) -> Report:
        """What those counted that have ended, and what is counted in this process.

        Args:
            lines_lost: By the main process's own logs.
        """
        own: dict[Series, float] = {
            (WORKER_DEATHS, ()): self.deaths,
            (LINES_LOST, ()): lines_lost,
        }
        return merge((self.past, Report(counters=own)))


def reports_of(members: Iterable[Member]) -> tuple[MemberReport, ...]:
    """What each said last, by slot; who is about to leave is among them until it has ended."""
    return tuple(
        MemberReport(each.slot, each.pid, each.since, each.is_answering, each.report())
        for each in sorted(members, key=lambda each: each.slot)
    )
