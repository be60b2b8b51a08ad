"""The last minute: what counters that only grow grew by, second by second."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from pyproxy.admin.quantile import quantile
from pyproxy.admin.tally import NOTHING, buckets_by_route, together, totals_by
from pyproxy.telemetry.catalogue import BOUNDS_S, DURATION, FIRST_BYTE, REFUSALS, REQUESTS
from pyproxy.telemetry.report import Report

STEP_S: Final = 1
STEPS: Final = 60
# The gateway's own failures and its upstreams'; what a client did wrong is in `by_status`.
FAILED: Final = "5xx"
_SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
_MS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What a route counted, or all of them together.

    Attributes:
        requests: That ended.
        errors: Of those, the ones that failed with 5xx.
        durations: Buckets.
        first_bytes: Likewise.
    """

    requests: float = 0.0
    errors: float = 0.0
    durations: Sequence[int] = NOTHING
    first_bytes: Sequence[int] = NOTHING


NOBODY: Final = Counted()


@dataclass(frozen=True, slots=True)
class Sample:
    """Counts at a moment.

    Attributes:
        at: Monotonic seconds.
        all: Of all routes.
        routes: Of each.
        refusals: Of each code.
    """

    at: float
    all: Counted
    routes: Mapping[str, Counted]
    refusals: Mapping[str, float]

    @classmethod
    def of(cls, report: Report, at: float) -> Self:
        """The counts of a report."""
        requests = totals_by(report.counters, REQUESTS, "route")
        errors = totals_by(report.counters, REQUESTS, "route", status=FAILED)
        durations = buckets_by_route(report.histograms, DURATION)
        first_bytes = buckets_by_route(report.histograms, FIRST_BYTE)
        routes = {
            name: Counted(
                requests[name],
                errors[name],
                durations.get(name, NOTHING),
                first_bytes.get(name, NOTHING),
            )
            for name in requests.keys() | durations.keys() | first_bytes.keys()
        }
        everything = Counted(
            requests.total(),
            errors.total(),
            together(durations.values()),
            together(first_bytes.values()),
        )
        return cls(at, everything, routes, totals_by(report.counters, REFUSALS, "code"))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it went in the window.

    Attributes:
        per_second: Requests that ended.
        errors_per_second: Of those, the ones that failed with 5xx.
        latency_ms: ``p50``, ``p90``, ``p99``; ``None`` where nothing ended.
        first_byte_ms: Likewise, to an answer's first byte.
    """

    per_second: float
    errors_per_second: float
    latency_ms: Mapping[str, float | None]
    first_byte_ms: Mapping[str, float | None]


class Window:
    """The last ``STEPS`` steps of ``STEP_S`` seconds each.

    Bounded: a route costs some 60 kB in it, whatever its traffic.
    """

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=STEPS + 1)

    def add(self, sample: Sample) -> None:
        """Take the next sample; to be called once a step."""
        self._samples.append(sample)

    def pace(self, route: str | None = None) -> Pace:
        """How fast it went, of one route or of all."""
        if not self._samples:
            return Pace(0.0, 0.0, _percentiles(NOTHING), _percentiles(NOTHING))
        first, last = self._samples[0], self._samples[-1]
        before, after = (
            each.all if route is None else each.routes.get(route, NOBODY) for each in (first, last)
        )
        return Pace(
            _rate(before.requests, after.requests, last.at - first.at),
            _rate(before.errors, after.errors, last.at - first.at),
            _percentiles(_more(before.durations, after.durations)),
            _percentiles(_more(before.first_bytes, after.first_bytes)),
        )

    def refusals(self) -> dict[str, int]:
        """How often each code was refused with, of those that were at all."""
        if not self._samples:
            return {}
        before, after = self._samples[0].refusals, self._samples[-1].refusals
        more = {code: int(count - before.get(code, 0)) for code, count in after.items()}
        return {code: count for code, count in sorted(more.items()) if count > 0}

    def history(self) -> dict[str, object]:
        """Each step's figures, the oldest first; what was before the start is nothing."""
        steps = [(a.all, b.all, b.at - a.at) for a, b in pairwise(self._samples)]
        missing = STEPS - len(steps)
        nothing, unknown = [0.0] * missing, [None] * missing
        durations = [_more(a.durations, b.durations) for a, b, _ in steps]
        return {
            "step_s": STEP_S,
            "per_second": nothing + [_rate(a.requests, b.requests, s) for a, b, s in steps],
            "errors_per_second": nothing + [_rate(a.errors, b.errors, s) for a, b, s in steps],
            "p50_ms": unknown + [in_ms(0.5, counts) for counts in durations],
            "p99_ms": unknown + [in_ms(0.99, counts) for counts in durations],
        }


def in_ms(share: float, counts: Sequence[int]) -> float | None:
    """A percentile of durations by their buckets, in milliseconds; ``None`` if there are none."""
    found = quantile(share, BOUNDS_S, counts)
    return None if found is None else round(found * _MS, 3)


def _percentiles(counts: Sequence[int]) -> dict[str, float | None]:
    return {name: in_ms(share, counts) for name, share in _SHARES.items()}


def _rate(before: float, after: float, seconds: float) -> float:
    return round(max(0.0, after - before) / seconds, 3) if seconds > 0 else 0.0


def _more(before: Sequence[int], after: Sequence[int]) -> Sequence[int]:
    """What buckets grew by."""
    if before == after:
        return NOTHING
    return [max(0, late - early) for early, late in zip(before, after, strict=True)]
