"""Everything that is counted, as Prometheus reads it.

Imported by who serves it alone: prometheus-client takes 30 ms to import.
"""

import asyncio
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

import pyproxy
from pyproxy.admin.answer import Answer
from pyproxy.admin.elsewhere import Elsewhere
from pyproxy.admin.snapshot import Snapshot
from pyproxy.telemetry.catalogue import (
    BOUNDS_S,
    BUILD_INFO,
    FAMILIES,
    RELOADED_AT,
    RELOADS,
    WORKERS,
    Family,
)
from pyproxy.telemetry.report import Histogram, Labels, Series
from pyproxy.telemetry.totals import state_series

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TOTAL: Final = "_total"
_ENDS: Final = (*map(floatToGoString, BOUNDS_S), "+Inf")


class Exhibition:
    """Shows snapshots, and the same one to everybody at the cost of one.

    A line takes 8 us to make, and a route has 60 of them: with twenty routes the streams
    of the process would stand still for 10 ms.

    Args:
        look: Gives what is so now; the same object as long as nothing is newer.
        elsewhere: Where lines are made.
    """

    def __init__(self, look: Callable[[], Snapshot], elsewhere: Elsewhere) -> None:
        self._look = look
        self._elsewhere = elsewhere
        # Guards what was shown last: it is made once, and not by all who wait for it.
        self._lock = asyncio.Lock()
        self._snapshot: Snapshot | None = None
        self._shown = Answer(b"")

    async def show(self) -> Answer:
        """All metrics, as they are now."""
        async with self._lock:
            snapshot = self._look()
            if snapshot is not self._snapshot:
                body = await self._elsewhere("metrics", partial(exposition, snapshot))
                self._snapshot, self._shown = snapshot, Answer(body, CONTENT_TYPE)
            return self._shown


def exposition(snapshot: Snapshot) -> bytes:
    """All metrics in Prometheus' text format, which OpenMetrics takes twice as long as."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Exhibit(snapshot))
    return generate_latest(registry)


class _Exhibit(Collector):
    """A snapshot as metrics."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        """Nothing: who registers it need not know in advance."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every family that has a series, or that can have but one."""
        report = self._snapshot.report
        numbers = {**report.counters, **report.gauges, **self._own(), **state_series(report)}
        by_family: dict[str, list[tuple[Labels, float]]] = {}
        for (name, labels), value in numbers.items():
            by_family.setdefault(name, []).append((labels, value))
        histograms: dict[str, list[tuple[Labels, Histogram]]] = {}
        for (name, labels), histogram in report.histograms.items():
            histograms.setdefault(name, []).append((labels, histogram))
        for family in FAMILIES:
            if family.kind == "histogram":
                yield _of_histograms(family, histograms.get(family.name, ()))
            else:
                # A counter that is not there cannot be seen to grow from nothing.
                at_least = () if family.labels else (((), 0.0),)
                yield _of_numbers(family, by_family.get(family.name, at_least))

    def _own(self) -> Mapping[Series, float]:
        """What only the main process knows."""
        now = self._snapshot
        build = (pyproxy.__version__, platform.python_version())
        return {
            (WORKERS, ()): len(now.workers),
            (RELOADED_AT, ()): now.in_force_since,
            (BUILD_INFO, build): 1.0,
            **{(RELOADS, (result,)): count for result, count in now.reloads.items()},
        }


def _of_numbers(family: Family, series: Sequence[tuple[Labels, float]]) -> Metric:
    name = family.name.removesuffix(_TOTAL) if family.kind == "counter" else family.name
    metric = Metric(name, family.text, family.kind)
    for labels, value in sorted(series):
        metric.add_sample(family.name, _named(family, labels), value)
    return metric


def _of_histograms(family: Family, series: Sequence[tuple[Labels, Histogram]]) -> Metric:
    metric = Metric(family.name, family.text, family.kind)
    for labels, histogram in sorted(series, key=lambda pair: pair[0]):
        named = _named(family, labels)
        add = partial(metric.add_sample, f"{family.name}_bucket")
        *_, count = cumulative = tuple(accumulate(histogram.counts))
        for end, value in zip(_ENDS, cumulative, strict=True):
            add({**named, "le": end}, value)
        metric.add_sample(f"{family.name}_count", named, count)
        metric.add_sample(f"{family.name}_sum", named, histogram.total)
    return metric


def _named(family: Family, labels: Labels) -> dict[str, str]:
    return dict(zip(family.labels, labels, strict=True))
