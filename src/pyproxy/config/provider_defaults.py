"""What a route's provider fills in: where it is, and the credential that it wants."""

from collections.abc import Iterator
from typing import Final

from pyproxy.config.environment import Environment, Tree
from pyproxy.config.finding import Location
from pyproxy.config.origin import Origin
from pyproxy.config.secret import Secret
from pyproxy.config.surroundings import Surroundings
from pyproxy.errors.fault import Fault
from pyproxy.providers.catalogue import CATALOGUE
from pyproxy.providers.preset import Preset, ProviderCredential

_ROUTES: Final = "routes"


def fill_provider_defaults(tree: Tree, environment: Environment, around: Surroundings) -> None:
    """Put in each route's upstream and credential, as far as it leaves them out.

    A route that looks for its callers' credentials in fields of its own passes all others
    on, and gets none.

    Args:
        tree: As it is written, faulty perhaps; changed in place.
        environment: Has the variables that providers' clients read too.
        around: Where the files of secrets are found.
    """
    for i, route, preset in _routes(tree):
        _fill_upstream(route, preset, environment, (_ROUTES, i, "upstream"))
        if preset.credential is not None:
            _fill_credential(route, preset, preset.credential, environment, around, i)


def _routes(tree: Tree) -> Iterator[tuple[int, Tree, Preset]]:
    routes = tree.get(_ROUTES)
    for i, route in enumerate(routes if isinstance(routes, list) else ()):
        provider = route.get("provider") if isinstance(route, dict) else None
        preset = CATALOGUE.get(provider) if isinstance(provider, str) else None
        if preset is not None:
            yield i, route, preset


def _fill_upstream(route: Tree, preset: Preset, environment: Environment, where: Location) -> None:
    if route.get("upstream"):
        return
    if preset.target_variable and (target := environment.text(preset.target_variable)):
        # A host alone is what the variables of the sidecars that came before held.
        route["upstream"] = target if "://" in target else f"https://{target}"
        environment.filled[where] = preset.target_variable
    elif preset.derived_from is not None:
        variable, origin_of = preset.derived_from
        if origin := origin_of(environment.text(variable)):
            route["upstream"] = origin
            environment.filled[where] = variable


def _fill_credential(
    route: Tree,
    preset: Preset,
    wanted: ProviderCredential,
    environment: Environment,
    around: Surroundings,
    index: int,
) -> None:
    given = route.get("credential", {})
    if given == {} and not route.get("credential_from"):
        for variable in wanted.variables:
            key = environment.key(variable)
            if key is not None:
                if not _put(route, preset, wanted, key, variable):
                    environment.faults.append(_without_key(key, variable))
                environment.filled[_ROUTES, index, "credential"] = variable
                return
    elif isinstance(given, dict) and given.keys() == {"value"}:
        try:
            key = Secret.parse(given["value"], around)
        except ValueError:
            return  # said where the value is judged
        _ = _put(route, preset, wanted, key, "")


def _put(
    route: Tree, preset: Preset, wanted: ProviderCredential, key: Secret, variable: str
) -> bool:
    value = wanted.value(key.reveal(), variable, _host(route, preset))
    if value:
        route["credential"] = {"header": wanted.header, "value": Secret(value, key.origin)}
    return bool(value)


def _without_key(key: Secret, variable: str) -> Fault:
    """Not as if it were left out: a file that is being written would open what its key closes."""
    if key.file:
        name, where = f"{variable}_FILE", f"the file {key.file} "
    else:
        name, where = variable, ""
    return Fault(name, f"{where}holds no key: only space, or the name of a scheme")


def _host(route: Tree, preset: Preset) -> str:
    """Of the first upstream; ``""`` if that is none, as is said elsewhere."""
    upstream = route.get("upstream") or preset.origin
    first = upstream[0] if isinstance(upstream, list) else upstream
    try:
        return Origin.parse(str(first)).host
    except ValueError:
        return ""
