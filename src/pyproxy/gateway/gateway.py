"""The gateway in force: a configuration compiled into what a request looks up."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyproxy.gateway.plan import Plan
from pyproxy.identity.authenticator import Authenticator
from pyproxy.identity.credential import CredentialRules
from pyproxy.identity.mint import Minter
from pyproxy.identity.networks import Networks
from pyproxy.identity.revocations import RevokedTokens
from pyproxy.limits.bans import BanRules
from pyproxy.limits.limit import Limit
from pyproxy.limits.store import Store
from pyproxy.routing.table import Table
from pyproxy.telemetry.tracer import Tracer
from pyproxy.transform.cors import Cors


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that decides about requests; replaced whole on a reload.

    Attributes:
        tables: Routes by the listener's address, as configured.
        own_paths: Paths of the gateway's own endpoints, and which each is.
        trusted: Networks of trusted proxies.
        authenticator: Says whose a credential is.
        credentials: Where the gateway's own endpoints look for one.
        minter: Makes tokens; ``None`` without a signing key.
        jwks: Public halves of the signing keys, as JSON.
        revocations: Tokens that are no longer good.
        store: Where limits are counted.
        local_store: Where those are that concern this machine alone.
        auth_limit: Spent by ``POST /token`` and by failed authentications.
        health_limit: Spent by ``GET /health``.
        ban: When an address that keeps failing is shut out.
        cors: Which web pages may call.
        block: Field lines of the gateway's own answers, over plain HTTP.
        tls_block: Likewise over TLS.
        plans: Of all routes, in the order of the file.
        tracer: Takes requests for their traces; ``None``: nobody wants to know.
    """

    tables: Mapping[str, Table[Plan]]
    own_paths: Mapping[bytes, str]
    trusted: Networks
    authenticator: Authenticator
    credentials: CredentialRules
    minter: Minter | None
    jwks: bytes
    revocations: RevokedTokens
    store: Store
    local_store: Store
    auth_limit: Limit
    health_limit: Limit
    ban: BanRules
    cors: Cors
    block: bytes
    tls_block: bytes
    plans: tuple[Plan, ...] = ()
    tracer: Tracer | None = None
