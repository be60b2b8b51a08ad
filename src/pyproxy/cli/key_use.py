"""Whether keys and routes know of each other what they say of each other."""

from collections.abc import Iterable, Iterator, Sequence

from pyproxy.cli.key_lines import label_of
from pyproxy.config.faults import did_you_mean
from pyproxy.config.route import RouteSettings
from pyproxy.errors.fault import Fault
from pyproxy.identity.keys_file import KeyEntry


def lost_routes(entries: Iterable[KeyEntry], routes: Sequence[RouteSettings]) -> Iterator[Fault]:
    """Remarks on keys whose ``routes=`` names a route that is not there."""
    names = [route.name for route in routes]
    for entry in entries:
        for name in sorted((entry.routes or frozenset()).difference(names)):
            hint = did_you_mean(name, names)
            yield Fault(entry.origin, f"routes={name}: no route has this name{hint}")


def unknown_users(entries: Sequence[KeyEntry], routes: Sequence[RouteSettings]) -> Iterator[Fault]:
    """Remarks on ``users`` whom no key is for, on routes that nothing but a key opens."""
    if any(entry.scheme == "bcrypt" and not entry.name for entry in entries):
        return  # such a key's user is named by digits of the key itself, which nobody here has
    names = [label_of(entry) for entry in entries]
    for i, route in enumerate(routes):
        for j, user in enumerate(route.users if {*route.auth} == {"key"} else ()):
            if user not in names:
                hint = did_you_mean(user, names)
                problem = f"no key has this name{hint} (route {route.name})"
                yield Fault(f"routes[{i}].users[{j}]", problem)
