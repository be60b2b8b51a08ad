"""Settings and resources become a gateway; the only place that knows every feature."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyproxy.assembly.listeners import Group
from pyproxy.assembly.plans import compile_plans
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.shared import Shared
from pyproxy.assembly.sources import Sources, read_sources
from pyproxy.assembly.tokens import LocalKeys, token_rules
from pyproxy.assembly.tracing import trace_rules
from pyproxy.config.settings import Settings
from pyproxy.gateway import own
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.plan import Plan
from pyproxy.identity.authenticator import Authenticator
from pyproxy.identity.credential import CredentialRules
from pyproxy.identity.jwks import KeySet
from pyproxy.identity.jwt_verifier import JwtVerifier, KeyRefresher
from pyproxy.identity.key_sets import KeySets
from pyproxy.identity.networks import Networks
from pyproxy.identity.recall import Recall
from pyproxy.identity.revocations import RevokedTokens
from pyproxy.limits.bans import BanRules
from pyproxy.limits.limit import Limit
from pyproxy.routing.choice import Entry
from pyproxy.routing.table import Table
from pyproxy.transform.cors import Cors
from pyproxy.transform.security_headers import SecurityHeaders
from pyproxy.upstream.balance import Upstream


@dataclass(frozen=True, slots=True)
class Draft:
    """A gateway that could be put in force: whatever can fail has been done.

    Attributes:
        gateway: It.
        sources: What the files said that it was compiled from.
        upstreams: Where its routes lead.
    """

    gateway: Gateway
    sources: Sources
    upstreams: tuple[Upstream, ...]

    def put_in_force(self, resources: Resources) -> Gateway:
        """Make the resources its own; cannot fail, so that all of it comes into force."""
        self.gateway.authenticator.replace_keys(self.sources.keyring)
        put_in_force(self.sources.local, resources.key_sets)
        resources.client_tls = self.sources.contexts
        resources.retain(self.upstreams)
        resources.trace_with(self.gateway.tracer)
        return self.gateway


def assemble(
    settings: Settings,
    groups: Sequence[Group],
    resources: Resources,
    refresher: KeyRefresher | None = None,
) -> Gateway:
    """Compile a configuration. Reads the files it names, so it blocks.

    Args:
        settings: Sound.
        groups: The listeners, one table of routes each.
        resources: Outlive the gateway.
        refresher: Fetches the remote key set when a token names an unknown key.

    Raises:
        ConfigurationError: With every fault found in the files; nothing has changed.
    """
    return build(settings, groups, resources, read_sources(settings), refresher=refresher)


def build(
    settings: Settings,
    groups: Sequence[Group],
    resources: Resources,
    sources: Sources,
    *,
    refresher: KeyRefresher | None = None,
    authenticator: Authenticator | None = None,
    shared: Shared | None = None,
) -> Gateway:
    """As ``draft``, and the resources are its own from now on."""
    return draft(
        settings,
        groups,
        resources,
        sources,
        refresher=refresher,
        authenticator=authenticator,
        shared=shared,
    ).put_in_force(resources)


def draft(
    settings: Settings,
    groups: Sequence[Group],
    resources: Resources,
    sources: Sources,
    *,
    refresher: KeyRefresher | None = None,
    authenticator: Authenticator | None = None,
    shared: Shared | None = None,
) -> Draft:
    """Compile a configuration whose files were read; what is in force stays as it is.

    Args:
        settings: Sound.
        groups: The listeners, one table of routes each.
        resources: Outlive the gateway.
        sources: Read for these settings.
        refresher: Fetches the remote key set when a token names an unknown key.
        authenticator: Of the gateway before, to go on with what it remembers; one
            whose rules for tokens are the same.
        shared: Store and lists that are elsewhere; ``None``: the resources' own.
    """
    here: Shared | Resources = resources if shared is None else shared
    security = _security(settings)
    limits = {
        name: Limit(name, limit.rate, limit.burst, limit.per)
        for name, limit in settings.rate_limits.items()
    }
    plans = compile_plans(settings, limits, security, resources, sources.tls, here.store)
    if authenticator is None:
        authenticator = _authenticator(settings, resources, sources, refresher, here.revocations)
    server = settings.server.decoy_server_header
    line = f"Server: {server}\r\n".encode() if server else b""
    gateway = Gateway(
        tables={group.bind: _table(settings, plans, group.routes) for group in groups},
        own_paths=_own_paths(settings),
        trusted=Networks(settings.server.trusted_proxies),
        authenticator=authenticator,
        credentials=CredentialRules.compile(settings.auth.max_header, settings.auth.max_token),
        minter=sources.local.minter,
        jwks=jwks_of(sources.local),
        revocations=here.revocations,
        store=here.store,
        local_store=resources.store,
        auth_limit=limits["auth"],
        health_limit=limits["health"],
        ban=_ban_rules(settings),
        cors=_cors(settings),
        block=security.over_plain + line,
        tls_block=security.over_tls + line,
        plans=tuple(plans.values()),
        tracer=None if (rules := trace_rules(settings)) is None else resources.tracer_for(rules),
    )
    return Draft(gateway, sources, tuple(plan.upstream for plan in plans.values()))


def put_in_force(local: LocalKeys, key_sets: KeySets) -> None:
    """Verify tokens with these keys from now on."""
    key_sets.replace_local(local.verifying)
    key_sets.replace_minted(local.minter.public if local.minter else KeySet())


def jwks_of(local: LocalKeys) -> bytes:
    """What the gateway publishes of its signing keys; empty without any."""
    return local.minter.public_jwks() if local.minter else b""


def _authenticator(
    settings: Settings,
    resources: Resources,
    sources: Sources,
    refresher: KeyRefresher | None,
    revocations: RevokedTokens,
) -> Authenticator:
    jwt = settings.auth.jwt
    tokens = JwtVerifier(resources.key_sets, token_rules(jwt), refresher)
    return Authenticator(
        sources.keyring,
        Recall(resources.secret),
        resources.gate,
        tokens if jwt.is_configured else None,
        revocations,
        cache_ttl_s=settings.auth.cache_ttl,
    )


def _table(settings: Settings, plans: Mapping[str, Plan], names: Iterable[str]) -> Table[Plan]:
    wanted = frozenset(names)
    return Table.build(
        Entry.of(route.path, route.hosts, route.methods, plans[route.name])
        for route in settings.routes
        if not wanted or route.name in wanted
    )


def _own_paths(settings: Settings) -> dict[bytes, str]:
    endpoints = settings.endpoints
    paths = {
        endpoints.token: own.MINT,
        f"{endpoints.token}/revoke" if endpoints.token else "": own.REVOKE,
        endpoints.verify: own.VERIFY,
        endpoints.health: own.HEALTH,
        endpoints.jwks: own.JWKS,
    }
    return {path.encode(): name for path, name in paths.items() if path}


def _ban_rules(settings: Settings) -> BanRules:
    ban = settings.auth.ban
    return BanRules(ban.after, ban.within, ban.lasting)


def _security(settings: Settings) -> SecurityHeaders:
    headers = settings.headers
    return SecurityHeaders.of(
        hsts=headers.hsts,
        frame_options=headers.frame_options,
        content_type_options=headers.content_type_options,
        xss_protection=headers.xss_protection,
        referrer_policy=headers.referrer_policy,
        content_security_policy=headers.content_security_policy,
    )


def _cors(settings: Settings) -> Cors:
    cors = settings.cors
    return Cors.of(
        origins=cors.origins, methods=cors.methods, headers=cors.headers, max_age_s=cors.max_age
    )
