"""The last minute: what counters that only grow grew by, second by second."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from pyproxy.admin.quantile import quantile
from pyproxy.admin.tally import NOTHING, buckets_by_route, totals_by
from pyproxy.telemetry.catalogue import BOUNDS_S, DURATION, FIRST_BYTE, REQUESTS
from pyproxy.telemetry.report import Report

STEP_S: Final = 1
STEPS: Final = 60
# The gateway's own failures and its upstreams'; what a client did wrong is in `by_status`.
FAILED: Final = "5xx"
_SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
_MS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Counts at a moment.

    Attributes:
        at: Monotonic seconds.
        requests: That ended, by route.
        errors: Of those, the ones that failed with 5xx.
        durations: Buckets, by route.
        first_bytes: Likewise.
    """

    at: float
    requests: Mapping[str, float]
    errors: Mapping[str, float]
    durations: Mapping[str, Sequence[int]]
    first_bytes: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, report: Report, at: float) -> Self:
        """The counts of a report."""
        return cls(
            at,
            totals_by(report.counters, REQUESTS, "route"),
            totals_by(report.counters, REQUESTS, "route", status=FAILED),
            buckets_by_route(report.histograms, DURATION),
            buckets_by_route(report.histograms, FIRST_BYTE),
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it went in the window.

    Attributes:
        per_second: Requests that ended.
        latency_ms: ``p50``, ``p90``, ``p99``; ``None`` where nothing ended.
        first_byte_ms: Likewise, to an answer's first byte.
    """

    per_second: float
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
            return Pace(0.0, _percentiles(NOTHING), _percentiles(NOTHING))
        first, last = self._samples[0], self._samples[-1]
        return Pace(
            _rate(first, last, first.requests, last.requests, route),
            _percentiles(_grown(first.durations, last.durations, route)),
            _percentiles(_grown(first.first_bytes, last.first_bytes, route)),
        )

    def history(self) -> dict[str, object]:
        """Each step's figures, the oldest first; what was before the start is nothing."""
        steps = list(pairwise(self._samples))
        missing = STEPS - len(steps)
        nothing, unknown = [0.0] * missing, [None] * missing
        durations = [_grown(one.durations, next_.durations, None) for one, next_ in steps]
        return {
            "step_s": STEP_S,
            "per_second": nothing
            + [round(_rate(a, b, a.requests, b.requests, None), 3) for a, b in steps],
            "errors_per_second": nothing
            + [round(_rate(a, b, a.errors, b.errors, None), 3) for a, b in steps],
            "p50_ms": unknown + [in_ms(0.5, counts) for counts in durations],
            "p99_ms": unknown + [in_ms(0.99, counts) for counts in durations],
        }


def in_ms(share: float, counts: Sequence[int]) -> float | None:
    """A percentile of durations by their buckets, in milliseconds; ``None`` if there are none."""
    found = quantile(share, BOUNDS_S, counts)
    return None if found is None else round(found * _MS, 3)


def _percentiles(counts: Sequence[int]) -> dict[str, float | None]:
    return {name: in_ms(share, counts) for name, share in _SHARES.items()}


def _rate(
    first: Sample,
    last: Sample,
    before: Mapping[str, float],
    after: Mapping[str, float],
    route: str | None,
) -> float:
    seconds = last.at - first.at
    if seconds <= 0:
        return 0.0
    names = after if route is None else (route,)
    return sum(max(0.0, after.get(name, 0.0) - before.get(name, 0.0)) for name in names) / seconds


def _grown(
    before: Mapping[str, Sequence[int]], after: Mapping[str, Sequence[int]], route: str | None
) -> Sequence[int]:
    """What the buckets of a route grew by, or those of all routes together."""
    if route is not None:
        return _more(before.get(route, NOTHING), after.get(route, NOTHING))
    grown = [_more(before.get(name, NOTHING), counts) for name, counts in after.items()]
    return [sum(each) for each in zip(NOTHING, *grown, strict=True)]


def _more(before: Sequence[int], after: Sequence[int]) -> list[int]:
    return [max(0, late - early) for early, late in zip(before, after, strict=True)]
