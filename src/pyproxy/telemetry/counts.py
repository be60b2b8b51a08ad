"""What a worker has counted so far: whole numbers, added up as requests end."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Final

from pyproxy.errors.refusal import RateLimited, Refusal
from pyproxy.telemetry.catalogue import (
    ABORTED,
    AUTH_FAILURES,
    BOUNDS_S,
    BUCKETS,
    DURATION,
    FIRST_BYTE,
    IN_FLIGHT,
    LIMIT_EXCEEDED,
    REFUSALS,
    REQUEST_BYTES,
    REQUESTS,
    RESPONSE_BYTES,
    STREAMS,
    UPSTREAM_DURATION,
    USER_REQUESTS,
)
from pyproxy.telemetry.record import Record
from pyproxy.telemetry.report import Histogram, Report, Series

# What clients make up has no label of its own.
METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}
)
OTHER: Final = "other"
# Series of users, where they are counted; who comes later is one of the others.
MOST_USER_SERIES: Final = 10_000
# Refusals of somebody who showed a credential that is not good, as the audit log has it.
AUTH_FAILED: Final = frozenset({"invalid_token", "expired_token", "ambiguous_credentials"})

# By the first digit of a status.
_CLASSES: Final = tuple(f"{digit}xx" for digit in range(10))


class _RouteTally:
    """A route's requests, whatever came of them; the lists are histograms' buckets."""

    __slots__ = (
        "aborted", "bytes_in", "bytes_out", "durations", "durations_s", "first_bytes",
        "first_bytes_s", "upstream", "upstream_s",
    )  # fmt: skip

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = self.aborted = 0
        self.durations, self.durations_s = [0] * BUCKETS, 0.0
        self.first_bytes, self.first_bytes_s = [0] * BUCKETS, 0.0
        self.upstream, self.upstream_s = [0] * BUCKETS, 0.0


class _Tally:
    """A route's requests of one method with one class of status."""

    __slots__ = ("requests", "route")

    def __init__(self, route: _RouteTally) -> None:
        self.requests = 0
        self.route = route


class Counts:
    """One worker's. It belongs to the thread of the worker's loop, and locks nothing.

    All labels are of bounded sets: routes and endpoints as configured, methods that
    are registered, classes of status, codes of refusals, names of limits. A request
    costs one look-up and at most three searches in 18 bounds, 0.8 us when warm.

    Attributes:
        bans_begun: Bans that began with a request here; who begins them adds.
        begun: Requests so far; those of them that have not ended are being answered.
        streams: Event streams and tunnels among the answers under way; who answers adds
            and subtracts.
    """

    __slots__ = (
        "_is_by_user", "_limits", "_refusals", "_routes", "_tallies", "_users", "bans_begun",
        "begun", "streams",
    )  # fmt: skip

    def __init__(self) -> None:
        self.bans_begun = self.begun = self.streams = 0
        self._tallies: dict[tuple[str, str, int], _Tally] = {}
        self._routes: dict[str, _RouteTally] = {}
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._limits: Counter[str] = Counter()
        self._users: dict[Series, float] = {}
        self._is_by_user = False

    def count_users(self, is_wanted: bool) -> None:
        """Count by user from now on, or forget whom there were."""
        self._is_by_user = is_wanted
        if not is_wanted:
            self._users.clear()

    def ended(self, record: Record, started: float, ended: float) -> None:
        """Count a request.

        Args:
            record: Complete; not kept.
            started: Monotonic seconds, when its head was here.
            ended: Likewise, its end.
        """
        key = (record.route, record.method, record.status // 100)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tally(*key)
        tally.requests += 1
        route = tally.route
        route.bytes_in += record.bytes_in
        route.bytes_out += record.bytes_out
        seconds = ended - started
        route.durations[bisect_left(BOUNDS_S, seconds)] += 1
        route.durations_s += seconds
        if record.first_byte_at:
            seconds = record.first_byte_at - started
            route.first_bytes[bisect_left(BOUNDS_S, seconds)] += 1
            route.first_bytes_s += seconds
        if record.asked_at:
            seconds = ended - record.asked_at
            route.upstream[bisect_left(BOUNDS_S, seconds)] += 1
            route.upstream_s += seconds
        if record.is_aborted:
            route.aborted += 1
        if self._is_by_user and record.user:
            self._count_user(record)

    def refused(self, refusal: Refusal, record: Record) -> None:
        """Count a refusal; its request is counted when it ends."""
        self._refusals[record.route, refusal.code] += 1
        if isinstance(refusal, RateLimited) and refusal.limit:
            self._limits[refusal.limit] += 1

    def rejected(self, refusal: Refusal, record: Record) -> None:
        """Count what was refused before it was a request, and took no time to speak of."""
        self.refused(refusal, record)
        self.begun += 1
        self._tally(record.route, record.method, record.status // 100).requests += 1

    def report(self) -> Report:
        """All of it, as it is now."""
        counters: dict[Series, float] = {
            (REQUESTS, (route, method, _CLASSES[digit])): tally.requests
            for (route, method, digit), tally in self._tallies.items()
        }
        histograms: dict[Series, Histogram] = {}
        for name, route in self._routes.items():
            labels = (name,)
            counters[REQUEST_BYTES, labels] = route.bytes_in
            counters[RESPONSE_BYTES, labels] = route.bytes_out
            counters[ABORTED, labels] = route.aborted
            histograms[DURATION, labels] = Histogram(route.durations_s, route.durations[:])
            histograms[FIRST_BYTE, labels] = Histogram(route.first_bytes_s, route.first_bytes[:])
            histograms[UPSTREAM_DURATION, labels] = Histogram(route.upstream_s, route.upstream[:])
        counters.update({(REFUSALS, of): count for of, count in self._refusals.items()})
        counters.update({(LIMIT_EXCEEDED, (name,)): n for name, n in self._limits.items()})
        counters[AUTH_FAILURES, ()] = _auth_failures(self._refusals)
        counters.update(self._users)
        in_flight = self.begun - sum(tally.requests for tally in self._tallies.values())
        gauges: dict[Series, float] = {(IN_FLIGHT, ()): in_flight, (STREAMS, ()): self.streams}
        return Report(counters, histograms, gauges)

    def _tally(self, route: str, method: str, digit: int) -> _Tally:
        """The tally of requests that have none by this method's name, or not yet."""
        key = (route, method if method in METHODS else OTHER, digit)
        tally = self._tallies.get(key)
        if tally is None:
            of_route = self._routes.get(route)
            if of_route is None:
                of_route = self._routes[route] = _RouteTally()
            tally = self._tallies[key] = _Tally(of_route)
        return tally

    def _count_user(self, record: Record) -> None:
        users, status = self._users, _CLASSES[record.status // 100]
        series = (USER_REQUESTS, (record.user, record.route, status))
        if series not in users and len(users) >= MOST_USER_SERIES:
            series = (USER_REQUESTS, (OTHER, record.route, status))
        users[series] = users.get(series, 0) + 1


def _auth_failures(refusals: Mapping[tuple[str, str], int]) -> int:
    return sum(count for (_, code), count in refusals.items() if code in AUTH_FAILED)
