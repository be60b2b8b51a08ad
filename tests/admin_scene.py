"""A gateway as the admin listener sees it, and a store of bans, both made by hand."""

from dataclasses import replace

from pyproxy.admin.snapshot import Reload, Snapshot, WorkerState
from pyproxy.config.settings import Settings
from pyproxy.limits.bans import Ban
from pyproxy.telemetry.catalogue import BUCKETS, DURATION, FIRST_BYTE, REQUESTS
from pyproxy.telemetry.report import (
    CertificateState,
    EndpointState,
    Histogram,
    KeySetState,
    Report,
    StoreState,
)

WALL = 1_790_000_000.0
SETTINGS = Settings.model_validate(
    {
        "server": {"admin": ""},
        "auth": {"keys": ["k" * 20]},
        "listeners": [{"bind": "127.0.0.1:5000"}],
        "routes": [
            {"name": "one", "upstream": ["http://a", "http://b"]},
            {"name": "two", "path": "/two", "upstream": "http://c", "rate_limits": []},
        ],
    }
)


def histogram(**counts):
    """Durations by bucket: ``histogram(b3=2)`` are two in the fourth."""
    numbers = [0] * BUCKETS
    for name, count in counts.items():
        numbers[int(name[1:])] = count
    return Histogram(1.5, numbers)


def endpoint(route, name, state="up", *, is_due=False):
    return EndpointState(route, name, state, under_way=1, idle=4, is_due=is_due)


def report(**values):
    """What workers said: two routes, a few requests."""
    whole = Report(
        counters={
            (REQUESTS, ("one", "GET", "2xx")): 7,
            (REQUESTS, ("one", "POST", "2xx")): 2,
            (REQUESTS, ("one", "GET", "5xx")): 1,
            (REQUESTS, ("two", "GET", "4xx")): 4,
            ("pyproxy_refusals_total", ("two", "rate_limited")): 3,
            ("pyproxy_refusals_total", ("one", "invalid_token")): 1,
            ("pyproxy_limit_exceeded_total", ("api",)): 3,
            ("pyproxy_request_bytes_total", ("one",)): 100,
            ("pyproxy_response_bytes_total", ("one",)): 2000,
            ("pyproxy_response_bytes_total", ("two",)): 22,
            ("pyproxy_bans_total", ()): 5,
            ("pyproxy_log_lines_lost_total", ()): 6,
        },
        histograms={
            (DURATION, ("one",)): histogram(b3=9, b4=1),
            (DURATION, ("two",)): histogram(b0=4),
            (FIRST_BYTE, ("one",)): histogram(b3=10),
        },
        gauges={
            ("pyproxy_connections", ()): 9,
            ("pyproxy_requests_in_flight", ()): 3,
            ("pyproxy_streams", ()): 2,
            ("pyproxy_bans_in_force", ()): 2,
        },
        endpoints=(endpoint("one", "http://a"), endpoint("one", "http://b"),
                   endpoint("two", "http://c")),
        certificates=(
            CertificateState("[::]:5000", "certs/a.crt", ("localhost",), WALL + 86400.0 * 12.25),
        ),
        key_sets=(KeySetState("https://issuer/jwks", 3, 12.0, "fresh"),),
        store=StoreState("memory", is_up=True, failures=0),
    )  # fmt: skip
    return replace(whole, **values)


def worker(slot=0, *, is_answering=True):
    return WorkerState(slot, 100 + slot, 10.0, 3, is_answering)


def snapshot(**values):
    """The gateway at a moment; any of it may be otherwise."""
    whole = Snapshot(
        wall=WALL,
        started_at=WALL - 12.0,
        is_draining=False,
        settings=SETTINGS,
        workers=(worker(),),
        report=report(),
        reload=Reload(WALL - 12.0),
        reloads={"ok": 0, "failed": 0},
        in_force_since=WALL - 12.0,
    )
    return replace(whole, **values)


class Bans:
    """Who is banned, and for how long still."""

    def __init__(self, **left_s):
        self.left_s = left_s

    async def in_force(self):
        return tuple(Ban(client, left) for client, left in self.left_s.items())

    async def lift(self, client):
        return self.left_s.pop(client, None) is not None
