"""Sums over the series of a report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pyproxy.telemetry.catalogue import BUCKETS, BY_NAME
from pyproxy.telemetry.report import Histogram, Series

NOTHING: Final[Sequence[int]] = (0,) * BUCKETS


def total(values: Mapping[Series, float], name: str, **wanted: str) -> float:
    """The sum of a family's series.

    Args:
        values: Counters or gauges.
        name: The family's.
        wanted: Values that labels must have.
    """
    places = _places(name, wanted)
    return sum(
        value
        for (family, labels), value in values.items()
        if family == name and all(labels[i] == text for i, text in places)
    )


def totals_by(values: Mapping[Series, float], name: str, label: str, **wanted: str) -> Counter[str]:
    """The sums of a family's series by one of its labels; see ``total``."""
    place, places = BY_NAME[name].labels.index(label), _places(name, wanted)
    found: Counter[str] = Counter()
    for (family, labels), value in values.items():
        if family == name and all(labels[i] == text for i, text in places):
            found[labels[place]] += value  # type: ignore[assignment]  # it adds any numbers
    return found


def buckets_by_route(histograms: Mapping[Series, Histogram], name: str) -> dict[str, Sequence[int]]:
    """The counts of each of a family's histograms, by their only label."""
    return {
        labels[0]: tuple(histogram.counts)
        for (family, labels), histogram in histograms.items()
        if family == name
    }


def together(every: Iterable[Sequence[int]]) -> Sequence[int]:
    """The buckets of several histograms as if they were one."""
    return tuple(map(sum, zip(NOTHING, *every, strict=True)))


def _places(name: str, wanted: Mapping[str, str]) -> list[tuple[int, str]]:
    labels = BY_NAME[name].labels
    return [(labels.index(label), text) for label, text in wanted.items()]
