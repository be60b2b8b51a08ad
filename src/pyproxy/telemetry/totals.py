"""Reports of several workers become one, as if a single worker had done it all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from pyproxy.telemetry.catalogue import (
    BY_NAME,
    CERTIFICATE_EXPIRY,
    JWKS_AGE,
    JWKS_KEYS,
    STORE_UP,
    UPSTREAM_UP,
    joined,
)
from pyproxy.telemetry.report import (
    CertificateState,
    EndpointState,
    Histogram,
    KeySetState,
    Report,
    Series,
    StoreState,
)

_State = TypeVar("_State")
_Key = TypeVar("_Key")

# From good to bad: of what several workers found the worst is told.
_ENDPOINT_STATES: Final = ("up", "out", "unhealthy")
_KEY_SET_STATES: Final = ("fresh", "stale", "lost")
_IN_MEMORY: Final = StoreState("memory", is_up=True, failures=0)


def merge(reports: Iterable[Report]) -> Report:
    """What several workers did and see, together; none of the reports is changed.

    Counters and histograms add up, gauges as the catalogue says. Of states that
    the workers judge differently the worst counts.
    """
    every = tuple(reports)
    return Report(
        counters=_added(each.counters for each in every),
        histograms=_added_histograms(each.histograms for each in every),
        gauges=_joined_gauges(each.gauges for each in every),
        endpoints=_by(
            lambda each: (each.route, each.name), _one_endpoint, (r.endpoints for r in every)
        ),
        certificates=_by(
            lambda each: (each.bind, each.file), _one_certificate, (r.certificates for r in every)
        ),
        key_sets=_by(lambda each: each.source, _one_key_set, (r.key_sets for r in every)),
        store=_one_store([each.store for each in every]),
    )


def retired(report: Report) -> Report:
    """What is left of a worker that has ended: what it counted, not what it saw."""
    return Report(counters=report.counters, histograms=report.histograms)


def state_series(report: Report) -> dict[Series, float]:
    """The gauges that say in numbers what a report's states say in words."""
    found: dict[Series, float] = {(STORE_UP, ()): float(report.store.is_up)}
    for endpoint in report.endpoints:
        is_up = float(endpoint.state == _ENDPOINT_STATES[0])
        found[UPSTREAM_UP, (endpoint.route, endpoint.name)] = is_up
    for certificate in report.certificates:
        where = (certificate.bind, certificate.file)
        found[CERTIFICATE_EXPIRY, where] = certificate.not_after
    for key_set in report.key_sets:
        found[JWKS_AGE, (key_set.source,)] = key_set.age_s
        found[JWKS_KEYS, (key_set.source,)] = float(key_set.keys)
    return found


def _added(counters: Iterable[Mapping[Series, float]]) -> dict[Series, float]:
    total: dict[Series, float] = {}
    for each in counters:
        for series, count in each.items():
            total[series] = total.get(series, 0.0) + count
    return total


def _added_histograms(every: Iterable[Mapping[Series, Histogram]]) -> dict[Series, Histogram]:
    total: dict[Series, Histogram] = {}
    for histograms in every:
        for series, histogram in histograms.items():
            known = total.get(series)
            if known is None:
                total[series] = Histogram(histogram.total, list(histogram.counts))
            else:
                known.total += histogram.total
                pairs = zip(known.counts, histogram.counts, strict=True)
                known.counts = [mine + its for mine, its in pairs]
    return total


def _joined_gauges(every: Iterable[Mapping[Series, float]]) -> dict[Series, float]:
    values: defaultdict[Series, list[float]] = defaultdict(list)
    for gauges in every:
        for series, value in gauges.items():
            values[series].append(value)
    return {
        series: joined(BY_NAME[series[0]].joining, several) for series, several in values.items()
    }


def _by(
    key: Callable[[_State], _Key],
    one: Callable[[Sequence[_State]], _State],
    every: Iterable[Iterable[_State]],
) -> tuple[_State, ...]:
    """States that are about the same thing become one, in the order of their first."""
    found: dict[_Key, list[_State]] = {}
    for states in every:
        for state in states:
            found.setdefault(key(state), []).append(state)
    return tuple(map(one, found.values()))


def _one_endpoint(states: Sequence[EndpointState]) -> EndpointState:
    return EndpointState(
        states[0].route,
        states[0].name,
        max((each.state for each in states), key=_ENDPOINT_STATES.index),
        sum(each.under_way for each in states),
        sum(each.idle for each in states),
        any(each.is_due for each in states),
    )


def _one_certificate(states: Sequence[CertificateState]) -> CertificateState:
    return min(states, key=lambda each: each.not_after)


def _one_key_set(states: Sequence[KeySetState]) -> KeySetState:
    return KeySetState(
        states[0].source,
        min(each.keys for each in states),
        max(each.age_s for each in states),
        max((each.state for each in states), key=_KEY_SET_STATES.index),
    )


def _one_store(states: Sequence[StoreState]) -> StoreState:
    """Who has ended has no store, and its report says ``memory``, as does the default."""
    kinds = [each.kind for each in states if each.kind != _IN_MEMORY.kind]
    return StoreState(
        kinds[0] if kinds else _IN_MEMORY.kind,
        is_up=all(each.is_up for each in states),
        failures=sum(each.failures for each in states),
    )
