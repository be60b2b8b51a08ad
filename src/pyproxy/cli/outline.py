"""What a configuration serves, in lines for a person; nothing secret in them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from pyproxy.assembly.keys import read_file_entries
from pyproxy.assembly.origins import upstreams
from pyproxy.assembly.plans import closed_paths
from pyproxy.cli.addresses import base_url
from pyproxy.config.egress import EgressSettings
from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.config.finding import Location
from pyproxy.config.listener import ListenerSettings
from pyproxy.config.quantities import bytes_text, seconds_text
from pyproxy.config.route import RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.config.store import StoreSettings
from pyproxy.errors.fault import ConfigurationError
from pyproxy.runtime.certificates import read_certificate

# Patterns of a preset that fit on a line with the route's own.
_MOST_SHOWN: Final = 6
_NOTHING: Final[Mapping[Location, str]] = MappingProxyType({})
_WHEN_DOWN: Final = {
    "local": "limits in this machine's memory",
    "deny": "refuses what is limited",
    "allow": "lets everything pass",
}
_WAYS: Final = {
    "key": "an API key",
    "jwt": "a JWT",
    "token": "the shared secret",
    "mtls": "a client certificate",
}


def outline(
    settings: Settings, wall: float, filled: Mapping[Location, str] = _NOTHING
) -> Iterator[str]:
    """Listeners, own endpoints, keys, store, ways out; routes: who, where to, how much.

    Args:
        settings: What would be served.
        wall: Epoch seconds, for which keys are expired.
        filled: Places of values from the environment, and their variables.
    """
    for listener in settings.listeners:
        yield f"listener {listener.bind}"
        yield from _indented(_listener(listener))
    yield "admin"
    yield from _indented(_admin(settings))
    yield "own endpoints"
    yield from _indented(_endpoints(settings))
    credentials = [*_indented(_credentials(settings, wall))]
    yield from ["credentials", *credentials] if credentials else []
    yield "store"
    yield from _indented(_store(settings.store))
    yield "egress"
    yield from _indented(_egress(settings.egress))
    for i, route in enumerate(settings.routes):
        yield f"route {route.name}"
        yield from _indented(_route(route, settings, filled.get(("routes", i, "upstream"), "")))


def _indented(lines: Iterator[tuple[str, str]]) -> Iterator[str]:
    return (f"  {name:<12} {text}" for name, text in lines if text)


def _listener(listener: ListenerSettings) -> Iterator[tuple[str, str]]:
    yield "url", base_url(listener)
    yield "tls", f"{listener.min_version} and later" if listener.is_tls else "none"
    yield "certificate", _certificate(listener.certificate) if listener.is_tls else ""
    yield "clients", f"need a certificate from {listener.client_ca}" if listener.client_ca else ""
    yield "introduced", "by a PROXY header" if listener.proxy_protocol else ""
    yield "routes", ", ".join(listener.routes) or "all"


def _admin(settings: Settings) -> Iterator[tuple[str, str]]:
    server = settings.server
    yield "listener", server.admin or "off"
    if server.admin:
        token = server.admin_token
        yield "callers", f"the admin token ({token.origin})" if token else "whoever reaches it"


def _certificate(path: str) -> str:
    try:
        facts = read_certificate(read_file(path, MOST_OF_PEM), path)
    except ConfigurationError as error:
        return str(error)
    until = datetime.fromtimestamp(facts.not_after, UTC)
    return f"{path}: {', '.join(facts.names)}; until {until:%Y-%m-%d}"


def _endpoints(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in ("token", "verify", "health", "jwks"):
        yield name, getattr(settings.endpoints, name) or "off"


def _credentials(settings: Settings, wall: float) -> Iterator[tuple[str, str]]:
    auth, jwt = settings.auth, settings.auth.jwt
    plain = ", ".join(dict.fromkeys(key.origin for key in auth.keys))
    yield "keys", f"{len(auth.keys)} in plain ({plain})" if auth.keys else ""
    yield "keys file", _keys_file(auth.keys_file, wall) if auth.keys_file else ""
    yield "jwt keys", jwt.jwks_url or jwt.issuer_url or jwt.jwks_file
    yield "jwt rules", ", ".join(_jwt_rules(settings)) if jwt.is_configured else ""
    ban = auth.ban
    if ban.after and any(route.auth for route in settings.routes):
        yield (
            "bans",
            (
                f"{seconds_text(ban.lasting)}, after {ban.after} failures "
                f"in {seconds_text(ban.within)} from one address"
            ),
        )
    if jwt.signing_keys_file:
        yield "minting", f"{jwt.signing_keys_file}, for {seconds_text(jwt.ttl)}"


def _keys_file(path: str, wall: float) -> str:
    try:
        entries = read_file_entries(path)
    except ConfigurationError as error:
        return str(error)
    ends = [entry.expires_at for entry in entries if entry.expires_at is not None]
    expired = sum(end <= wall for end in ends)
    count = f"{len(entries)} key{'' if len(entries) == 1 else 's'}"
    return f"{path}: {count}, {expired} expired" if expired else f"{path}: {count}"


def _jwt_rules(settings: Settings) -> Iterator[str]:
    jwt = settings.auth.jwt
    yield f"issuer {jwt.issuer}" if jwt.issuer else "any issuer"
    yield f"audience {jwt.audience}" if jwt.audience else "any audience"


def _store(store: StoreSettings) -> Iterator[tuple[str, str]]:
    url = store.url
    where = "" if url.is_memory else f" ({url.origin})"
    yield "url", f"{url}{where}"
    yield "when down", "" if url.is_memory else _WHEN_DOWN[store.on_failure]


def _egress(egress: EgressSettings) -> Iterator[tuple[str, str]]:
    proxy = egress.proxy
    yield "hosts", ", ".join(dict.fromkeys(map(str, egress.allow))) or "any"
    yield "proxy", f"{proxy} ({proxy.origin}), for TLS" if proxy else "none"
    yield "directly", ", ".join(map(str, egress.no_proxy)) if proxy else ""
    yield "private", "any name may resolve to a private address" if egress.allow_private else ""


def _route(route: RouteSettings, settings: Settings, variable: str) -> Iterator[tuple[str, str]]:
    yield "takes", _takes(route)
    source = f"{route.provider}, {variable}" if variable else route.provider
    yield "upstream", f"{', '.join(map(str, upstreams(route))) or 'none'} ({source})"
    yield "callers", " or ".join(_WAYS[way] for way in route.auth) or "anybody"
    yield "from", ", ".join(map(str, route.allow_from))
    yield "users", ", ".join(route.users)
    yield "models", ", ".join(route.models)
    yield "injects", _injected(route)
    yield "denied", _denied(route)
    yield "limits", "; ".join(limits_of(route, settings)) or "none"
    body = settings.server.max_body if route.max_body is None else route.max_body
    yield "body", f"up to {bytes_text(body)}"
    yield "patience", f"{seconds_text(route.connect_timeout)} to connect"
    yield "silence", f"{seconds_text(route.read_timeout)} at most"
    yield "heartbeat", f"after {seconds_text(route.heartbeat)}" if route.heartbeat else ""


def _takes(route: RouteSettings) -> str:
    methods = ", ".join(route.methods) or "any method"
    hosts = ", ".join(route.hosts) or "any host"
    return f"{route.path} ({methods}, {hosts})"


def _denied(route: RouteSettings) -> str:
    """The route's own patterns, and how many its provider has where those are too many."""
    closed, own = closed_paths(route), route.deny_paths
    count = len(closed) - len(own)
    if count <= _MOST_SHOWN:
        return ", ".join(closed)
    theirs = f"{count} patterns of the provider's"
    return f"{theirs}, and yours: {', '.join(own)}" if own else theirs


def _injected(route: RouteSettings) -> str:
    credential = route.credential
    if missing := route.missing_credential:
        return f"nothing yet: {' or '.join(missing)} is not set"
    if credential.value is None:
        return "nothing"
    place = credential.header or f"?{credential.query}="
    return f"{place} ({credential.value.origin})"


def limits_of(route: RouteSettings, settings: Settings) -> Iterator[str]:
    """The route's limits, one a sentence."""
    for name in route.rate_limits:
        limit = settings.rate_limits[name]
        yield f"{name} {limit.rate} burst {limit.burst} per {' and '.join(limit.per)}"
    if route.max_concurrent:
        yield f"{route.max_concurrent} at a time"
