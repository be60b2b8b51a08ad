"""Everything that a person or a dashboard wants to see at once, as JSON."""

import platform
from collections.abc import Mapping, Sequence
from typing import Final

import pyproxy
from pyproxy.admin.readiness import reasons_against
from pyproxy.admin.snapshot import Snapshot
from pyproxy.admin.tally import total, totals_by
from pyproxy.admin.window import FAILED, STEP_S, STEPS, Pace, Window
from pyproxy.config.route import RouteSettings
from pyproxy.telemetry.catalogue import (
    BANS,
    BANS_IN_FORCE,
    CONNECTIONS,
    FILES_REFUSED,
    IN_FLIGHT,
    LIMIT_EXCEEDED,
    LINES_LOST,
    REFUSALS,
    REQUEST_BYTES,
    REQUESTS,
    RESPONSE_BYTES,
    STREAMS,
)
from pyproxy.telemetry.report import EndpointState

_DAY_S: Final = 86400.0
Json = Mapping[str, object]


def status_of(snapshot: Snapshot, window: Window) -> Json:
    """The whole of ``/status``; every key is always there.

    Args:
        snapshot: What is so now.
        window: The last minute.
    """
    settings, report = snapshot.settings, snapshot.report
    against = reasons_against(snapshot)
    return {
        "version": pyproxy.__version__,
        "python": platform.python_version(),
        "now": snapshot.wall,
        "started_at": snapshot.started_at,
        "uptime_s": _rounded(snapshot.wall - snapshot.started_at),
        "draining": snapshot.is_draining,
        "ready": not against,
        "reasons": list(against),
        "workers": _workers(snapshot),
        "window_s": STEPS * STEP_S,
        "requests": _requests(snapshot, window),
        "history": window.history(),
        "refusals": _whole(totals_by(report.counters, REFUSALS, "code")),
        "refusals_last_minute": window.refusals(),
        "routes": _routes(snapshot, window),
        "limits": _limits(snapshot),
        "bans": _bans(snapshot),
        "store": {
            "kind": report.store.kind,
            "is_up": report.store.is_up,
            "on_failure": settings.store.on_failure,
            "failures": report.store.failures,
        },
        "listeners": _listeners(snapshot),
        "certificates": _certificates(snapshot),
        "key_sets": _key_sets(snapshot),
        "reload": {
            "at": snapshot.reload.at,
            "result": snapshot.reload.result,
            "faults": list(snapshot.reload.faults),
        },
        "files_refused": _files_refused(snapshot),
        "logs": {"lost": int(total(report.counters, LINES_LOST))},
    }


def _workers(snapshot: Snapshot) -> Sequence[Json]:
    return [
        {
            "slot": each.slot,
            "pid": each.pid,
            "uptime_s": _rounded(each.uptime_s),
            "connections": each.connections,
            "is_answering": each.is_answering,
        }
        for each in snapshot.workers
    ]


def _requests(snapshot: Snapshot, window: Window) -> Json:
    counters, gauges = snapshot.report.counters, snapshot.report.gauges
    pace = window.pace()
    return {
        "total": int(total(counters, REQUESTS)),
        "per_second": pace.per_second,
        "errors_per_second": pace.errors_per_second,
        "in_flight": int(total(gauges, IN_FLIGHT)),
        "streams": int(total(gauges, STREAMS)),
        "connections": int(total(gauges, CONNECTIONS)),
        "by_status": _whole(totals_by(counters, REQUESTS, "status")),
        "latency_ms": pace.latency_ms,
        "first_byte_ms": pace.first_byte_ms,
        "bytes_in": int(total(counters, REQUEST_BYTES)),
        "bytes_out": int(total(counters, RESPONSE_BYTES)),
    }


def _routes(snapshot: Snapshot, window: Window) -> Sequence[Json]:
    counters = snapshot.report.counters
    requests = totals_by(counters, REQUESTS, "route")
    errors = totals_by(counters, REQUESTS, "route", status=FAILED)
    upstreams: dict[str, list[Json]] = {}
    for each in snapshot.report.endpoints:
        upstreams.setdefault(each.route, []).append(_upstream(each))
    return [
        {
            **_route(route, window.pace(route.name)),
            "requests": int(requests[route.name]),
            "errors": int(errors[route.name]),
            "upstreams": upstreams.get(route.name, []),
        }
        for route in snapshot.settings.routes
    ]


def _upstream(state: EndpointState) -> Json:
    return {
        "name": state.name,
        "state": state.state,
        "in_flight": state.under_way,
        "idle": state.idle,
    }


def _route(route: RouteSettings, pace: Pace) -> Json:
    return {
        "name": route.name,
        "path": route.path,
        "provider": route.provider,
        "per_second": pace.per_second,
        "latency_ms": pace.latency_ms,
        "limits": list(route.rate_limits),
    }


def _limits(snapshot: Snapshot) -> Sequence[Json]:
    counters = snapshot.report.counters
    return [
        {
            "name": name,
            "rate": str(limit.rate),
            "burst": limit.burst,
            "per": list(limit.per),
            "refused": int(total(counters, LIMIT_EXCEEDED, limit=name)),
        }
        for name, limit in snapshot.settings.rate_limits.items()
    ]


def _bans(snapshot: Snapshot) -> Json:
    rules, report = snapshot.settings.auth.ban, snapshot.report
    return {
        "in_force": int(total(report.gauges, BANS_IN_FORCE)),
        "begun": int(total(report.counters, BANS)),
        "after": rules.after,
        "within_s": rules.within,
        "lasting_s": rules.lasting,
    }


def _listeners(snapshot: Snapshot) -> Sequence[Json]:
    """One an address, though several certificates may be offered there."""
    is_tls = {each.bind: each.is_tls for each in snapshot.settings.listeners}
    return [{"bind": bind, "tls": tls} for bind, tls in is_tls.items()]


def _certificates(snapshot: Snapshot) -> Sequence[Json]:
    return [
        {
            "bind": each.bind,
            "file": each.file,
            "names": list(each.names),
            "not_after": each.not_after,
            "days_left": round((each.not_after - snapshot.wall) / _DAY_S, 2),
        }
        for each in snapshot.report.certificates
    ]


def _key_sets(snapshot: Snapshot) -> Sequence[Json]:
    return [
        {
            "source": each.source,
            "keys": each.keys,
            "age_s": _rounded(each.age_s),
            "state": each.state,
        }
        for each in snapshot.report.key_sets
    ]


def _files_refused(snapshot: Snapshot) -> Sequence[str]:
    """Kinds of files whose present content no worker, or not every one, could take over."""
    found = totals_by(snapshot.report.gauges, FILES_REFUSED, "kind")
    return sorted(kind for kind, is_refused in found.items() if is_refused)


def _rounded(value: float) -> float:
    return round(value, 3)


def _whole(counts: Mapping[str, float]) -> dict[str, int]:
    return {name: int(count) for name, count in sorted(counts.items())}
