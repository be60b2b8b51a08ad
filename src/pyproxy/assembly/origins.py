"""Where a route's requests go."""

from pyproxy.config.origin import Origin
from pyproxy.config.route import RouteSettings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.providers.catalogue import CATALOGUE


def origins_of(where: str, route: RouteSettings) -> tuple[Origin, ...]:
    """The upstreams of a route: its own, else its provider's.

    Args:
        where: The route's place in the configuration, for faults.
        route: Sound.

    Raises:
        ConfigurationError: There is none, or several that differ in path.
    """
    preset = CATALOGUE[route.provider]
    origins = route.upstream or ((Origin.parse(preset.origin),) if preset.origin else ())
    if not origins:
        raise ConfigurationError(Fault(f"{where}.upstream", "is required by this provider"))
    if len({origin.path for origin in origins}) > 1:
        raise ConfigurationError(Fault(f"{where}.upstream", "has URLs with different paths"))
    return tuple(origins)
