"""Where routes may lead, and which way connections there take."""

from collections.abc import Iterator

from pyproxy.assembly.origins import origins_of
from pyproxy.config.egress import EgressSettings
from pyproxy.config.origin import Origin
from pyproxy.config.settings import Settings
from pyproxy.egress.hosts import HostPattern, are_allowed
from pyproxy.egress.private import is_ones_own
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.providers.preset import Preset
from pyproxy.upstream.endpoint import Address
from pyproxy.upstream.tls import ClientTls
from pyproxy.upstream.way import Way


def way_to(origin: Origin, preset: Preset, egress: EgressSettings) -> Way:
    """The way to one upstream of a route.

    Args:
        origin: The upstream.
        preset: The route's provider.
        egress: The section.
    """
    is_public_only = preset.is_public_api and not egress.allow_private
    return Way(
        allowed=egress.allow,
        proxy=egress.proxy_for(origin.host, origin.port) if origin.is_tls else None,
        is_public_only=is_public_only and not is_ones_own(origin.host),
    )


def address_of(origin: Origin, tls: ClientTls | None, way: Way) -> Address:
    """Where an endpoint is, and how to talk to it.

    Args:
        origin: The upstream.
        tls: Of its route, if any of the route's upstreams speaks it.
        way: To this one.
    """
    if tls is None or not origin.is_tls:
        return Address(origin.host, origin.port, way=way)
    name = tls.name_for(origin.host)
    return Address(origin.host, origin.port, tls.context, name, tls.pins.check, way)


def forbidden(settings: Settings) -> Iterator[Fault]:
    """The upstreams that ``egress.allow`` does not name, a provider's own among them."""
    allow = settings.egress.allow
    for number, route in enumerate(settings.routes):
        where = f"routes[{number}]"
        try:
            origins = origins_of(where, route)
        except ConfigurationError:  # reported by who connects them
            continue
        for origin in origins:
            if not are_allowed(allow, origin.host):
                key = "upstream" if route.upstream else "provider"
                yield Fault(f"{where}.{key}", f"{_beyond(origin, allow)} (route {route.name})")


def _beyond(origin: Origin, allow: tuple[HostPattern, ...]) -> str:
    named = ", ".join(f'"{pattern}"' for pattern in allow)
    wanted = HostPattern.parse(origin.host)
    return (
        f"leads to {origin}, and egress.allow names {named} alone; "
        f'add "{wanted}" there, or change the upstream'
    )
