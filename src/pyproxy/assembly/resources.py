"""What outlives a reload, by name."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pyproxy.assembly.upstream_tls import TlsKey
from pyproxy.identity.hashing import BcryptGate
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.revocations import Revocations
from pyproxy.limits.memory import MemoryStore
from pyproxy.upstream.endpoint import Address, Endpoint
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
        key_sets: What verifies tokens.
        endpoints: Connections to upstreams, by address.
        client_tls: TLS towards upstreams, by what it was made of.
    """

    loop: asyncio.AbstractEventLoop
    secret: bytes
    gate: BcryptGate
    store: MemoryStore = field(default_factory=MemoryStore)
    revocations: Revocations = field(default_factory=Revocations)
    key_sets: KeySets = field(default_factory=KeySets)
    endpoints: dict[Address, Endpoint] = field(default_factory=dict)
    client_tls: Mapping[TlsKey, ClientTls] = field(default_factory=dict)

    def endpoint(self, address: Address) -> Endpoint:
        """The endpoint of an address, the same one for all routes that go there."""
        found = self.endpoints.get(address)
        if found is None:
            found = self.endpoints[address] = Endpoint(address, self.loop)
        return found

    def retain(self, used: Collection[Endpoint]) -> None:
        """Let go of the endpoints that no route leads to any more; what is busy there ends well."""
        for address, endpoint in tuple(self.endpoints.items()):
            if endpoint not in used:
                del self.endpoints[address]
                endpoint.close()

    async def close(self) -> None:
        """End what runs."""
        await self.gate.close()
        for endpoint in self.endpoints.values():
            endpoint.close()
