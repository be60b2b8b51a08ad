"""What outlives a reload, by name."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Thread

from pyproxy.assembly.tracing import open_exporter
from pyproxy.assembly.upstream_tls import TlsKey
from pyproxy.identity.hashing import BcryptGate
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.revocations import Revocations, RevokedTokens
from pyproxy.limits.bans import Bans
from pyproxy.limits.memory import MemoryStore
from pyproxy.limits.memory_bans import MemoryBans
from pyproxy.limits.store import Store
from pyproxy.telemetry.log import Log
from pyproxy.telemetry.tracer import Tracer, TraceRules
from pyproxy.upstream.balance import Upstream
from pyproxy.upstream.checks import Checks
from pyproxy.upstream.endpoint import Address, Endpoint
from pyproxy.upstream.news import BAD_NEWS, Event
from pyproxy.upstream.tls import ClientTls


@dataclass(slots=True)
class Resources:
    """Held by the worker, handed to each new gateway.

    Attributes:
        loop: The worker's.
        secret: Key of this process's digests; random.
        gate: Hashes off the loop.
        store: Buckets.
        revocations: Tokens that are no longer good.
        bans: Addresses that are shut out.
        key_sets: What verifies tokens.
        endpoints: Connections to upstreams, by address.
        client_tls: TLS towards upstreams, by what it was made of.
        checks: Whether upstreams are well; see ``watch``.
        tracer: Of the gateway in force.
    """

    loop: asyncio.AbstractEventLoop
    secret: bytes
    gate: BcryptGate
    store: Store = field(default_factory=MemoryStore)
    revocations: RevokedTokens = field(default_factory=Revocations)
    bans: Bans = field(default_factory=MemoryBans)
    key_sets: KeySets = field(default_factory=KeySets)
    endpoints: dict[Address, Endpoint] = field(default_factory=dict)
    client_tls: Mapping[TlsKey, ClientTls] = field(default_factory=dict)
    tracer: Tracer | None = None
    checks: Checks = field(init=False)
    _log: Log | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Nothing is asked, and nothing told, before ``watch``."""
        self.checks = Checks(self._tell)

    def endpoint(self, address: Address) -> Endpoint:
        """The endpoint of an address, the same one for all routes that go there."""
        found = self.endpoints.get(address)
        if found is None:
            found = self.endpoints[address] = Endpoint(address, self.loop, tell=self._tell)
        return found

    def retain(self, used: Iterable[Upstream]) -> None:
        """Let go of the endpoints that no route leads to any more; what is busy there ends well."""
        upstreams = tuple(used)
        endpoints = {endpoint for each in upstreams for endpoint in each.endpoints}
        for address, endpoint in tuple(self.endpoints.items()):
            if endpoint not in endpoints:
                del self.endpoints[address]
                endpoint.close()
        self.checks.replace(check for each in upstreams for check in each.checks)

    def tracer_for(self, rules: TraceRules) -> Tracer:
        """What takes the traces of a gateway; the one in force if its rules are the same."""
        if self.tracer is not None and self.tracer.rules == rules:
            return self.tracer
        return Tracer(rules, open_exporter, self._tell_of_traces)

    def trace_with(self, tracer: Tracer | None) -> None:
        """Let go of the tracer before; it sends what it has."""
        before, self.tracer = self.tracer, tracer
        if before is not None and before is not tracer:
            Thread(target=before.close, name="span-closer", daemon=True).start()

    async def watch(self, log: Log) -> None:
        """Run the health checks of the gateway in force, and write down what changes upstream.

        Until cancelled; to be started once.
        """
        self._log = log
        await self.checks.run()

    async def close(self) -> None:
        """End what runs."""
        await self.gate.close()
        if self.tracer is not None:
            await asyncio.to_thread(self.tracer.close)
        for endpoint in self.endpoints.values():
            endpoint.close()

    def _tell_of_traces(self, reason: str) -> None:
        if self._log is not None and reason:
            self._log.write("warning", "traces.lost", "spans are dropped", {"reason": reason})
        elif self._log is not None:
            self._log.write("info", "traces.sent", "spans are taken again", {})

    def _tell(self, event: Event, upstream: str, reason: str = "") -> None:
        if self._log is not None:
            values = {"upstream": upstream, "reason": reason} if reason else {"upstream": upstream}
            self._log.write("warning" if event in BAD_NEWS else "info", event, "", values)
