"""Whether the parts of a configuration agree with each other."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Final

from pyproxy.config.bind import Bind
from pyproxy.config.faults import did_you_mean
from pyproxy.config.fields import is_field_value
from pyproxy.config.finding import Finding, Location
from pyproxy.config.listener import ListenerSettings
from pyproxy.config.quantities import seconds_text
from pyproxy.config.route import RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.providers.catalogue import CATALOGUE

# Clocks that differ by more are broken, and a longer leeway revives dead tokens.
_LONGEST_LEEWAY_S: Final = 300.0
# The gateway frames messages and holds connections itself (RFC 9110 §7.6.1, RFC 9112 §6).
_OWN_FIELDS: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)

_A_VALUE: Final = "must be visible ASCII without control characters or spaces at its ends"


def contradictions(settings: Settings, broken: Collection[str]) -> tuple[Finding, ...]:
    """Find what cannot be meant so.

    Args:
        settings: Perhaps only the intact part of a configuration.
        broken: Top-level sections that could not be read; what depends on them is not judged.
    """
    return tuple(
        finding
        for check, reads in _CHECKS
        if not any(section in broken for section in reads)
        for finding in check(settings)
    )


def _names(settings: Settings) -> Iterator[Finding]:
    routes = Counter(route.name for route in settings.routes)
    for i, route in enumerate(settings.routes):
        if routes[route.name] > 1:
            yield Finding(("routes", i, "name"), "is the name of another route too")
        for j, limit in enumerate(route.rate_limits):
            if limit not in settings.rate_limits:
                hint = did_you_mean(limit, settings.rate_limits)
                yield Finding(("routes", i, "rate_limits", j), f"no rate limit has this name{hint}")


def _limits(settings: Settings) -> Iterator[Finding]:
    """What is counted before anybody is known, counts addresses."""
    for name in ("auth", "health"):
        limit = settings.rate_limits.get(name)
        if limit is not None and limit.per != ("ip",):
            yield Finding(
                ("rate_limits", name, "per"),
                'must be "ip": it is counted before the user or the route is known',
            )


def _listeners(settings: Settings) -> Iterator[Finding]:
    for i, listener in enumerate(settings.listeners):
        for key, problem in _certificate_faults(listener):
            yield Finding(("listeners", i, key), problem)
        if any(_collide(listener, other) for other in settings.listeners[:i]):
            yield Finding(
                ("listeners", i, "bind"),
                "is taken by a listener above; listeners share an address only to offer several "
                "certificates, and must agree in everything else",
            )


def _introductions(settings: Settings) -> Iterator[Finding]:
    """Over a unix socket nobody connects whom its mode does not let: no network need name them."""
    for i, listener in enumerate(settings.listeners):
        is_tcp = not listener.address.path
        if listener.proxy_protocol and is_tcp and not settings.server.trusted_proxies:
            yield Finding(
                ("listeners", i, "proxy_protocol"),
                "needs server.trusted_proxies: whose PROXY header is believed; from anybody "
                "else it could name any address",
            )


def _certificate_faults(listener: ListenerSettings) -> Iterator[tuple[str, str]]:
    if listener.private_key and not listener.certificate:
        yield "private_key", "needs a certificate beside it"
    if listener.certificate and not listener.private_key:
        yield "certificate", "needs a private_key beside it; it may be the same file"
    if listener.client_ca and not listener.certificate:
        yield "client_ca", "needs a certificate beside it: there is no TLS without one"


def _collide(one: ListenerSettings, other: ListenerSettings) -> bool:
    if one.bind != other.bind or one.bind.endswith(":0"):
        return False
    own = {"certificate", "private_key"}
    is_pair = one.is_tls and other.is_tls and one.certificate != other.certificate
    return not is_pair or one.model_dump(exclude=own) != other.model_dump(exclude=own)


def _listened_routes(settings: Settings) -> Iterator[Finding]:
    names = [route.name for route in settings.routes]
    for i, listener in enumerate(settings.listeners):
        for j, name in enumerate(listener.routes):
            if name not in names:
                hint = did_you_mean(name, names)
                yield Finding(("listeners", i, "routes", j), f"no route has this name{hint}")


def _tokens(settings: Settings) -> Iterator[Finding]:
    jwt = settings.auth.jwt
    at: Location = ("auth", "jwt")
    if jwt.jwks_url and jwt.issuer_url:
        yield Finding((*at, "jwks_url"), "cannot stand beside issuer_url, which finds it")
    if jwt.leeway > _LONGEST_LEEWAY_S:
        yield Finding((*at, "leeway"), f"must be at most {seconds_text(_LONGEST_LEEWAY_S)}")
    if jwt.ttl > jwt.max_lifetime:
        yield Finding((*at, "ttl"), "is longer than max_lifetime: no minted token would be good")
    if jwt.jwks_max_age < jwt.jwks_ttl:
        yield Finding((*at, "jwks_max_age"), "is shorter than jwks_ttl: keys would expire unasked")


def _sizes(settings: Settings) -> Iterator[Finding]:
    if settings.server.max_header_size == 0:
        yield Finding(("server", "max_header_size"), "must be more than nothing")


def _admin(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    if not server.admin:
        return
    if Bind.parse(server.admin).is_public and server.admin_token is None:
        yield Finding(
            ("server", "admin"),
            "is a public address: set server.admin_token (or ADMIN_TOKEN), or listen on "
            '"127.0.0.1:9100", a private address or "unix:PATH"',
        )
    if server.admin_token and not is_field_value(server.admin_token.reveal()):
        yield Finding(("server", "admin_token"), f"{_A_VALUE}: nobody could send it")
    if server.is_admin_written and settings.is_admin_met:
        yield Finding(("server", "admin"), "is the address of a listener too; take another port")


def _ways_in(settings: Settings) -> Iterator[Finding]:
    auth = settings.auth
    has_client_ca = any(listener.client_ca for listener in settings.listeners)
    for i, route in enumerate(settings.routes):
        at: Location = ("routes", i, "auth")
        if "token" in route.auth and route.token.secret is None:
            yield Finding(
                ("routes", i, "token", "secret"),
                'is required by auth = ["token"]; write it, or set PROXY_SECRET',
            )
        secret = route.token.secret
        if "token" in route.auth and secret and not is_field_value(secret.reveal()):
            yield Finding(("routes", i, "token", "secret"), f"{_A_VALUE}: no caller could send it")
        if "mtls" in route.auth and not has_client_ca:
            yield Finding(at, '"mtls" needs a listener with client_ca')
        ways = {"key": auth.has_keys, "jwt": auth.jwt.is_configured}
        if route.auth and not any(ways.get(method, True) for method in route.auth):
            yield Finding(at, f"lets nobody in: {_missing_way(route)}")


def _missing_way(route: RouteSettings) -> str:
    missing = {
        "key": "there is no API key (set API_KEY, or auth.keys_file)",
        "jwt": "there is no key set (set auth.jwt.jwks_file, jwks_url or signing_keys_file)",
    }
    return ", and ".join(missing[method] for method in missing if method in route.auth)


def _upstreams(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        if not route.upstream and not CATALOGUE[route.provider].origin:
            yield Finding(("routes", i, "upstream"), f'is required by provider "{route.provider}"')
        if len(set(route.upstream)) < len(route.upstream):
            yield Finding(("routes", i, "upstream"), "names the same upstream twice")
        tls = route.tls
        if bool(tls.private_key) != bool(tls.certificate):
            yield Finding(("routes", i, "tls"), "needs certificate and private_key together")


def _heartbeats(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        if route.heartbeat is not None and route.heartbeat >= route.read_timeout:
            yield Finding(
                ("routes", i, "heartbeat"),
                f"must be shorter than read_timeout ({seconds_text(route.read_timeout)}), "
                "which ends a silent stream",
            )


def _credentials(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        credential = route.credential
        at: Location = ("routes", i, "credential")
        given = bool(credential.header) + bool(credential.query)
        if given > 1 or bool(given) != credential.is_configured:
            yield Finding(at, _credential_forms(route))
        if credential.value and not is_field_value(credential.value.reveal()):
            yield Finding((*at, "value"), _A_VALUE)
        if credential.header.lower() in _OWN_FIELDS:
            yield Finding((*at, "header"), "is a field that the gateway sets itself")


def _credential_forms(route: RouteSettings) -> str:
    preset = CATALOGUE[route.provider]
    long = "{ header, value } or { query, value }"
    if preset.credential is not None:
        return f"must be {{ value }}, {long}"
    if route.credential.is_configured and not (route.credential.header or route.credential.query):
        return f"{{ value }} alone needs a provider that says how it is shown; write {long}"
    return f"must be {long}"


def _header_rules(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        for key in ("request_headers", "response_headers"):
            names = [name.lower() for name in getattr(route, key)]
            for written, name in zip(getattr(route, key), names, strict=True):
                at: Location = ("routes", i, key, written)
                if name in _OWN_FIELDS:
                    yield Finding(at, "is a field that the gateway sets itself")
                if names.count(name) > 1:
                    yield Finding(at, "is there twice: case does not tell headers apart")
        yield from _twice(route, i)
        if route.identity_header.lower() in _OWN_FIELDS | {"authorization", "cookie"}:
            yield Finding(("routes", i, "identity_header"), "has another meaning; name your own")


def _twice(route: RouteSettings, i: int) -> Iterator[Finding]:
    """Fields that would stand beside the credential's own, of which the upstream takes one."""
    injected = route.credential.header.lower()
    problem = "is the credential's header too, and would be sent twice"
    for written in route.request_headers:
        if injected and written.lower() == injected:
            yield Finding(("routes", i, "request_headers", written), problem)
    if injected and route.identity_header.lower() == injected:
        yield Finding(("routes", i, "identity_header"), problem)


def _collectors_fields(settings: Settings) -> Iterator[Finding]:
    for name, value in settings.traces.headers.items():
        at: Location = ("traces", "headers", name)
        if name.lower() in _OWN_FIELDS:
            yield Finding(at, "is a field that is set by whoever sends the spans")
        if not is_field_value(value.reveal()):
            yield Finding(at, _A_VALUE)


def _endpoints(settings: Settings) -> Iterator[Finding]:
    paths = settings.endpoints.model_dump()
    for name, path in paths.items():
        if path and list(paths.values()).count(path) > 1:
            yield Finding(("endpoints", name), "is the path of another endpoint too")


_CHECKS: Final[tuple[tuple[Callable[[Settings], Iterator[Finding]], tuple[str, ...]], ...]] = (
    (_names, ("routes", "rate_limits")),
    (_limits, ("rate_limits",)),
    (_listeners, ("listeners",)),
    (_introductions, ("listeners", "server")),
    (_listened_routes, ("listeners", "routes")),
    (_tokens, ("auth",)),
    (_sizes, ("server",)),
    (_admin, ("server", "listeners")),
    (_ways_in, ("routes", "auth", "listeners")),
    (_upstreams, ("routes",)),
    (_heartbeats, ("routes",)),
    (_credentials, ("routes",)),
    (_header_rules, ("routes",)),
    (_collectors_fields, ("traces",)),
    (_endpoints, ("endpoints",)),
)
"""Each check, and the sections it reads."""
