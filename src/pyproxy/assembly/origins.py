"""Where a route's requests go."""

from pyproxy.config.origin import Origin
from pyproxy.config.route import RouteSettings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.providers.catalogue import CATALOGUE


def upstreams(route: RouteSettings) -> tuple[Origin, ...]:
    """As configured, else where its provider is; empty where neither says."""
    origin = CATALOGUE[route.provider].origin
    return route.upstream or ((Origin.parse(origin),) if origin else ())


def origins_of(where: str, route: RouteSettings) -> tuple[Origin, ...]:
    """The upstreams of a route: its own, else its provider's.

    Args:
        where: The route's place in the configuration, for faults.
        route: Sound.

    Raises:
        ConfigurationError: There is none, or several that differ in path.
    """
    origins = upstreams(route)
    if not origins:
        raise ConfigurationError(Fault(f"{where}.upstream", "is required by this provider"))
    if len({origin.path for origin in origins}) > 1:
        raise ConfigurationError(Fault(f"{where}.upstream", "has URLs with different paths"))
    return origins
