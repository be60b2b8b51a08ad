"""A route, a request and a worker's desk, with nothing behind them."""

import asyncio
from dataclasses import replace

import pytest

from pyproxy.downstream.body import RequestBody
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.plan import Plan
from pyproxy.identity.credential import CredentialRules
from pyproxy.identity.networks import Networks
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.meter import Meter
from pyproxy.routing.pattern import DeniedPaths
from pyproxy.telemetry.audit import AuditLog
from pyproxy.transform.request import upward_rules
from pyproxy.transform.response import downward_rules
from pyproxy.upstream.balance import Upstream
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.wire.framing import request_length
from pyproxy.wire.head import read_request_head

PLAN = Plan(
    name="main",
    strips_path=False,
    dialect=lambda _: "plain",
    allow_from=Networks(),
    proofs=frozenset(),
    is_recognising=False,
    credentials=CredentialRules(),
    secret=None,
    users=frozenset(),
    denied=DeniedPaths.of([]),
    meter=Meter(MemoryStore(), []),
    max_body=1000,
    max_concurrent=0,
    models=None,
    missing_credential=(),
    up=upward_rules(),
    down=downward_rules((b"Plain: 1\r\n", b"Encrypted: 1\r\n"), frozenset()),
    upstream=Upstream([Endpoint(Address("upstream.example", 80), None)]),
    connect_timeout=1.0,
    read_timeout=60.0,
    heartbeat=None,
    retries=1,
)


class Channel:
    """A client's connection: keeps what is written and what is asked of it."""

    def __init__(self):
        self.written = b""
        self.calls = []
        self.transport = None
        self.early = b""

    def write(self, data):
        self.written += data

    def abort(self):
        self.calls.append("abort")

    def resume_body(self):
        self.calls.append("resume_body")

    def hold_body(self):
        self.calls.append("hold_body")

    def hand_over(self, successor):
        successor.take_over(self, self.transport)
        return self.early


@pytest.fixture
def plan_of():
    """A route's plan that takes everything but for what is said."""
    return lambda **changes: replace(PLAN, **changes)


@pytest.fixture
def channel():
    """The client's connection."""
    return Channel()


@pytest.fixture
def asked(channel):
    """Makes the exchange of a request, from its start line and fields."""

    def asked_(start="GET / HTTP/1.1", *lines, host="gateway", peer="192.0.2.1", is_tls=False):
        fields = [f"Host: {host}"] if host else []
        text = "\r\n".join([start, *fields, *lines, "", ""])
        head = read_request_head(text.encode())
        return Exchange(channel, head, RequestBody(request_length(head)), Peer(peer, is_tls=is_tls))

    return asked_


@pytest.fixture
def lines():
    """What the audit log wrote."""
    return []


@pytest.fixture
def troubles():
    """What the log was told of upstreams, sparing nothing."""
    return []


class Trouble:
    """Takes what goes wrong with others."""

    def __init__(self, kept):
        self._kept = kept

    def put(self, level, event, _now, _kind, /, **values):
        self._kept.append({"level": level, "event": event, **values})


@pytest.fixture
async def desk(lines, troubles):
    """A worker's desk whose clocks stand still, but that the monotonic one moves when read."""
    ticks = iter(range(100, 1_000_000))
    return Desk(
        gateway=None,
        loop=asyncio.get_running_loop(),
        now=lambda: float(next(ticks)),
        wall=lambda: 1_000_000_000.0,
        new_id=lambda: "made",
        audit=AuditLog(lines.append),
        access=None,
        report=lambda *_: None,
        trouble=Trouble(troubles),
    )
