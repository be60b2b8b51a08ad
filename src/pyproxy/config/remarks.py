"""What is allowed and unwise."""

from collections.abc import Iterator
from typing import Final

from pyproxy.config.bind import Bind
from pyproxy.config.finding import Finding
from pyproxy.config.network import Network
from pyproxy.config.route import RouteSettings
from pyproxy.config.secret import LITERAL
from pyproxy.config.settings import Settings
from pyproxy.egress.literal import literal
from pyproxy.egress.private import is_ones_own, is_private

# 16 random characters of base64 hold 96 bits; whatever is shorter may be guessed.
_SHORTEST_KEY: Final = 16
# What one owner has: no IPv4 block of a company or cloud is wider than a /8, of IPv6 than a /16.
_WIDEST: Final = {4: 8, 6: 16}
# What a browser brings by itself; a key or a token a page has to know and send.
_BROUGHT_BY_BROWSERS: Final = frozenset({"mtls"})
_ANY_PAGE: Final = "*"


def remarks_on(settings: Settings) -> tuple[Finding, ...]:
    """Find what should be changed, though it can be served."""
    return (
        *_wide_trust(settings),
        *_plain_http(settings),
        *_admin(settings),
        *_open_routes(settings),
        *_open_to_any_page(settings),
        *_lets_all_pass(settings),
        *_weak_keys(settings),
        *_shadowed_routes(settings),
        *_bare_credentials(settings),
        *_missing_credentials(settings),
        *_credentials_in_the_open(settings),
    )


def _plain_http(settings: Settings) -> Iterator[Finding]:
    for i, listener in enumerate(settings.listeners):
        if not listener.is_tls and listener.address.is_public:
            yield Finding(
                ("listeners", i, "bind"),
                "is plain HTTP on a public address: keys can be read on the way; "
                "add a certificate, or listen on a private address",
            )


def _admin(settings: Settings) -> Iterator[Finding]:
    admin, token = settings.server.admin, settings.server.admin_token
    if not admin or token is None:
        return
    if Bind.parse(admin).is_public:
        yield Finding(
            ("server", "admin"),
            "is plain HTTP on a public address: the token can be read on the way; "
            "listen on a private address",
        )
    if len(token.reveal()) < _SHORTEST_KEY:
        yield Finding(
            ("server", "admin_token"),
            f"is shorter than {_SHORTEST_KEY} characters and may be guessed",
        )


def _open_routes(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        is_public = any(
            listener.address.is_public and not listener.client_ca
            for listener in settings.listeners
            if not listener.routes or route.name in listener.routes
        )
        if is_public and not route.auth and not route.allow_from:
            yield Finding(
                ("routes", i, "auth"),
                "is open to everybody on a public address; name a way in, or use allow_from",
            )


def _wide_trust(settings: Settings) -> Iterator[Finding]:
    for i, network in enumerate(settings.server.trusted_proxies):
        if _is_wide(network):
            yield Finding(
                ("server", "trusted_proxies", i),
                f"trusts {network}, which no one owns: whoever is there may claim any address; "
                "name the proxies' own networks",
            )


def _is_wide(network: Network) -> bool:
    return network.prefixlen < _WIDEST[network.version] and not network.is_private


def _open_to_any_page(settings: Settings) -> Iterator[Finding]:
    """Routes that a page of anybody's could use through the browser of one who may."""
    if _ANY_PAGE not in settings.cors.origins:
        return
    for i, route in enumerate(settings.routes):
        if not route.auth or _BROUGHT_BY_BROWSERS & {*route.auth}:
            yield Finding(
                ("routes", i, "auth"),
                'asks a page for no credential while cors.origins is ["*"]: any web page may use '
                "it through the browser of whoever reaches it; name the origins, or ask for a key",
            )


def _lets_all_pass(settings: Settings) -> Iterator[Finding]:
    if not settings.store.url.is_memory and settings.store.on_failure == "allow":
        yield Finding(
            ("store", "on_failure"),
            'is "allow": while the store is down nothing is limited; "local" limits in memory '
            'meanwhile, "deny" answers 503',
        )


def _weak_keys(settings: Settings) -> Iterator[Finding]:
    for i, key in enumerate(settings.auth.keys):
        if key.origin == LITERAL:
            yield Finding(
                ("auth", "keys", i),
                "is a key in plain text in the configuration; `pyproxy keys new` makes one whose "
                "hash is all that is kept",
            )
        if len(key.reveal()) < _SHORTEST_KEY:
            yield Finding(
                ("auth", "keys", i),
                f"is shorter than {_SHORTEST_KEY} characters and may be guessed",
            )
    for i, route in enumerate(settings.routes):
        secret = route.token.secret
        if secret and "token" in route.auth and len(secret.reveal()) < _SHORTEST_KEY:
            yield Finding(
                ("routes", i, "token", "secret"),
                f"is shorter than {_SHORTEST_KEY} characters and may be guessed",
            )


def _shadowed_routes(settings: Settings) -> Iterator[Finding]:
    """Routes of which another takes every request, on every listener that has them."""
    for i, route in enumerate(settings.routes):
        for j, above in enumerate(settings.routes[:i]):
            if _takes_all_of(above, route) and _is_everywhere(above, route, settings):
                yield Finding(
                    ("routes", i),
                    f"is never reached: routes[{j}] above it takes the same path, hosts and "
                    "methods; change one of them, or serve them by different listeners",
                )
                break


def _takes_all_of(above: RouteSettings, route: RouteSettings) -> bool:
    if above.path.rstrip("/") != route.path.rstrip("/") or set(above.hosts) != set(route.hosts):
        return False
    return not above.methods or (bool(route.methods) and {*route.methods} <= {*above.methods})


def _is_everywhere(above: RouteSettings, route: RouteSettings, settings: Settings) -> bool:
    tables = [set(listener.routes) for listener in settings.listeners]
    return all(
        not table or above.name in table for table in tables if not table or route.name in table
    )


def _bare_credentials(settings: Settings) -> Iterator[Finding]:
    """Authorization without a scheme, which no upstream understands (RFC 9110 section 11.6.2)."""
    for i, route in enumerate(settings.routes):
        value = route.credential.value
        is_bare = value is not None and " " not in value.reveal()
        if is_bare and route.credential.header.lower() == "authorization":
            yield Finding(
                ("routes", i, "credential", "value"),
                'has no scheme before the credential; most upstreams want "Bearer ${NAME}"',
            )


def _missing_credentials(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        if missing := route.missing_credential:
            yield Finding(
                ("routes", i, "credential"),
                f"is missing, so that every request is answered 503; set {' or '.join(missing)}",
            )


def _credentials_in_the_open(settings: Settings) -> Iterator[Finding]:
    for i, route in enumerate(settings.routes):
        is_sent = route.credential.is_configured
        far = [each for each in route.upstream if not each.is_tls and not _is_near(each.host)]
        if is_sent and far:
            yield Finding(
                ("routes", i, "upstream"),
                f"is plain HTTP to {far[0].host}: the credential can be read on the way; "
                "write https://",
            )


def _is_near(host: str) -> bool:
    """Whether the way there is the machine, a container network, or a network of one's own."""
    return is_private(host) if literal(host) else is_ones_own(host)
