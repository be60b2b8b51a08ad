"""Percentiles of durations that are known by their buckets alone."""

from collections.abc import Sequence
from itertools import pairwise


def quantile(share: float, bounds: Sequence[float], counts: Sequence[float]) -> float | None:
    """The duration that so large a share of the observations stayed below.

    Within a bucket they are taken to be spread evenly, as Prometheus' ``histogram_quantile``
    does; of those beyond the highest bound nothing is known but that.

    Args:
        share: From 0 to 1.
        bounds: The buckets' upper ends, ascending, more than zero; at least one.
        counts: In each bucket and, last, beyond; one more than there are bounds.

    Returns:
        In the unit of the bounds; ``None`` if nothing was observed.
    """
    total = sum(counts)
    if total <= 0:
        return None
    wanted, below = share * total, 0.0
    for (low, high), count in zip(pairwise((0.0, *bounds)), counts, strict=False):
        if count and below + count >= wanted:
            return low + (high - low) * max(0.0, wanted - below) / count
        below += count
    return bounds[-1]
