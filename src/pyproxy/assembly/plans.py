"""Routes become plans: everything that can be known before a request is worked out here."""

from collections.abc import Mapping
from functools import lru_cache

from pyproxy.assembly.egress import address_of, way_to
from pyproxy.assembly.health import check_rules
from pyproxy.assembly.origins import origins_of
from pyproxy.assembly.resources import Resources
from pyproxy.assembly.tracing import trace_rules
from pyproxy.config.egress import EgressSettings
from pyproxy.config.origin import Origin
from pyproxy.config.route import CredentialSettings, RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.gateway.model_rules import ModelRules
from pyproxy.gateway.plan import Plan
from pyproxy.identity.credential import CredentialRules
from pyproxy.identity.networks import Networks
from pyproxy.identity.shared_secret import SharedSecret
from pyproxy.limits.limit import Limit
from pyproxy.limits.meter import Meter
from pyproxy.limits.store import Store
from pyproxy.models.key import ModelKey
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.providers.preset import Preset, always
from pyproxy.routing.pattern import DeniedPaths, Patterns
from pyproxy.transform.request import UpwardRules, upward_rules
from pyproxy.transform.response import DownwardRules, downward_rules
from pyproxy.transform.security_headers import SecurityHeaders
from pyproxy.upstream.balance import Upstream
from pyproxy.upstream.tls import ClientTls
from pyproxy.wire.percent import query_encoded
from pyproxy.wire.trace_context import TRACEPARENT, TRACESTATE

_model_key = lru_cache(ModelKey.of)  # a key takes milliseconds, and there are two of them


def compile_plans(
    settings: Settings,
    limits: Mapping[str, Limit],
    security: SecurityHeaders,
    resources: Resources,
    tls: Mapping[str, ClientTls],
    store: Store,
) -> dict[str, Plan]:
    """Plans by route name.

    Args:
        settings: Sound.
        limits: By name.
        security: Of every answer.
        resources: Where endpoints are.
        tls: Of routes with an https upstream, by the route's name.
        store: Where buckets are.

    Raises:
        ConfigurationError: A route names no upstream, or several that differ in path.
    """
    plans: dict[str, Plan] = {}
    for number, route in enumerate(settings.routes):
        origins = origins_of(f"routes[{number}]", route)
        plans[route.name] = _plan(
            route,
            origins,
            tls.get(route.name),
            settings=settings,
            limits=limits,
            security=security,
            resources=resources,
            store=store,
        )
    return plans


def _plan(
    route: RouteSettings,
    origins: tuple[Origin, ...],
    tls: ClientTls | None,
    *,
    settings: Settings,
    limits: Mapping[str, Limit],
    security: SecurityHeaders,
    resources: Resources,
    store: Store,
) -> Plan:
    preset = CATALOGUE[route.provider]
    auth = settings.auth
    up = _up(route, preset, origins[0], is_traced=trace_rules(settings) is not None)
    return Plan(
        name=route.name,
        strips_path=route.strip_path,
        dialect=always(route.errors) if route.errors else preset.dialect,
        allow_from=Networks(route.allow_from),
        proofs=frozenset(route.auth),
        is_recognising=bool(route.auth)
        and set(route.auth) <= {"key", "jwt"}
        and not route.credential_from,
        credentials=CredentialRules.compile(
            auth.max_header,
            auth.max_token,
            route.credential_from,
            _secrets(settings),
            also=_clients_place(route, preset),
        ),
        secret=_secret(route),
        users=frozenset(route.users),
        denied=DeniedPaths.of(closed_paths(route)),
        models=_models(route, preset),
        meter=Meter(store, [limits[name] for name in route.rate_limits]),
        max_body=settings.server.max_body if route.max_body is None else route.max_body,
        max_concurrent=route.max_concurrent,
        missing_credential=route.missing_credential,
        up=up,
        down=_down(route, settings, security),
        upstream=_upstream(route, origins, resources, tls, up, settings.egress),
        connect_timeout=route.connect_timeout,
        read_timeout=route.read_timeout,
        heartbeat=route.heartbeat,
        retries=route.retries,
    )


def _models(route: RouteSettings, preset: Preset) -> ModelRules | None:
    if not route.models:
        return None
    key = _model_key(preset.model.key)
    return ModelRules(preset.model, key, Patterns.of(route.models), route.model_peek)


def closed_paths(route: RouteSettings) -> tuple[str, ...]:
    """Patterns of the paths that a route lets nobody reach."""
    preset = CATALOGUE[route.provider]
    ours = preset.credential_paths if route.credential.is_configured else ()
    return (*preset.denied_paths, *ours, *route.deny_paths)


def _clients_place(route: RouteSettings, preset: Preset) -> tuple[str, ...]:
    """Where else than usual clients of the provider put the key that the gateway replaces."""
    wanted = preset.credential
    return (wanted.header,) if wanted is not None and route.credential.is_configured else ()


def _secret(route: RouteSettings) -> SharedSecret | None:
    if "token" not in route.auth or route.token.secret is None:
        return None
    return SharedSecret(route.token.header, route.token.secret.reveal())


def _secrets(settings: Settings) -> tuple[SharedSecret, ...]:
    """Those of all routes, each once: none of them may pass on, whichever route is asked for."""
    once = {
        (route.token.header.lower(), route.token.secret.reveal()): secret
        for route in settings.routes
        if route.token.secret is not None and (secret := _secret(route)) is not None
    }
    return tuple(once.values())


def _up(route: RouteSettings, preset: Preset, origin: Origin, *, is_traced: bool) -> UpwardRules:
    credential = route.credential
    return upward_rules(
        base=origin.path.removesuffix(preset.version).encode(),
        version=preset.version.encode(),
        injected=_injected(credential),
        injected_query=_injected_query(credential),
        set_fields={name.encode(): value.encode() for name, value in route.request_headers.items()},
        defaults=dict(preset.request_defaults),
        tells_client=not preset.is_public_api,
        via=not preset.is_public_api,
        drops_cookies=preset.is_public_api,
        identity_field=route.identity_header.encode(),
        # Each attempt sends its own span's.
        also_dropped=frozenset({TRACEPARENT, TRACESTATE}) if is_traced else frozenset(),
    )


def _injected(credential: CredentialSettings) -> tuple[tuple[bytes, bytes], ...]:
    if credential.value is None or not credential.header:
        return ()
    return ((credential.header.encode(), credential.value.reveal().encode()),)


def _injected_query(credential: CredentialSettings) -> bytes:
    if credential.value is None or not credential.query:
        return b""
    name, value = credential.query, credential.value.reveal()
    return b"%b=%b" % (query_encoded(name), query_encoded(value))


def _down(route: RouteSettings, settings: Settings, security: SecurityHeaders) -> DownwardRules:
    return downward_rules(
        (security.over_plain, security.over_tls),
        security.names,
        set_fields=tuple(
            (name.encode(), value.encode()) for name, value in route.response_headers.items()
        ),
        server=settings.server.decoy_server_header.encode(),
        hidden=_repeatable(route.credential),
    )


def _repeatable(credential: CredentialSettings) -> tuple[bytes, ...]:
    """The injected credential, without its scheme, as an upstream might repeat it."""
    if credential.value is None:
        return ()
    value = credential.value.reveal()
    key = value.rpartition(" ")[2]
    return tuple(dict.fromkeys((key.encode(), query_encoded(key), query_encoded(value))))


def _upstream(
    route: RouteSettings,
    origins: tuple[Origin, ...],
    resources: Resources,
    tls: ClientTls | None,
    up: UpwardRules,
    egress: EgressSettings,
) -> Upstream:
    preset = CATALOGUE[route.provider]
    endpoints = [
        resources.endpoint(address_of(origin, tls, way_to(origin, preset, egress)))
        for origin in origins
    ]
    rules = check_rules(route.health, up)
    return Upstream(
        endpoints,
        is_round_robin=route.balance == "round-robin",
        checks=[resources.checks.check(each, rules) for each in endpoints] if rules else (),
    )
