"""Where clients find a route: its listener, by which name, and whom they must trust for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyproxy.cli.addresses import base_url
from pyproxy.cli.trust import authority_of
from pyproxy.config.files import MOST_OF_PEM, read_file
from pyproxy.config.listener import ListenerSettings
from pyproxy.config.route import RouteSettings
from pyproxy.config.settings import Settings
from pyproxy.errors.fault import ConfigurationError, Fault
from pyproxy.runtime.certificates import read_certificate

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?"
    r"(?:/[!-\"$->@-~]*)?"
)
_ELSEWHERE: Final = "give --url, where clients reach it"


@dataclass(frozen=True, slots=True)
class Approach:
    """How a client gets to a route.

    Attributes:
        url: Without the route's path and without a slash at its end.
        listener: That takes it.
        ca: A file that the client must trust; None: it trusts the listener already.
        remarks: What will keep it out, as sentences.
    """

    url: str
    listener: ListenerSettings
    ca: Path | None = None
    remarks: tuple[str, ...] = ()


def approach(route: RouteSettings, settings: Settings, url: str = "", host: str = "") -> Approach:
    """The way to a route. Looks at the listener's certificate.

    Args:
        route: One of the settings'.
        settings: Have its listener.
        url: Leads to the listener from where the clients are; wins over what it says of itself.
        host: Likewise, but the listener's scheme and port hold.

    Raises:
        ConfigurationError: It cannot be said, or ``url`` is none.
    """
    wanted = host or next(iter(_concrete(route.hosts)), "")
    listener = _listener(route, settings, wanted.lower())
    address = listener.address
    if url:
        return _from_elsewhere(listener, url)
    if address.path or not address.port:
        problem = f"is served on {listener.bind} alone; {_ELSEWHERE}"
        raise ConfigurationError(Fault(f"route {route.name}", problem))
    names, ca, remarks = _certificate(listener)
    host = wanted or _host(listener, names)
    if names and not _covers(names, host.lower()):
        remarks = (*remarks, f"{listener.certificate} does not name {host}: no client trusts it")
    if route.hosts and not _covers(route.hosts, host.lower()):
        remarks = (*remarks, f"takes requests for {', '.join(route.hosts)} alone: give --host")
    scheme = "https" if listener.is_tls else "http"
    bracketed = f"[{host}]" if ":" in host else host
    return Approach(f"{scheme}://{bracketed}:{address.port}", listener, ca, remarks)


def _from_elsewhere(listener: ListenerSettings, url: str) -> Approach:
    found = _URL.fullmatch(url)
    if found is None:
        problem = f"{url!r} is no URL such as https://gateway.example:5000"
        raise ConfigurationError(Fault("--url", problem))
    names, ca, remarks = _certificate(listener)
    # Under a name that is not the certificate's somebody else speaks TLS before us.
    is_ours = found["scheme"] == "https" and _covers(names, found["host"].strip("[]").lower())
    return Approach(url.rstrip("/"), listener, ca if is_ours else None, remarks)


def _listener(route: RouteSettings, settings: Settings, host: str) -> ListenerSettings:
    """The first that clients can use as it is; a balancer's and a unix socket come last.

    Of several with certificates the one counts whose certificate names the host.
    """
    serving = [each for each in settings.listeners if not each.routes or route.name in each.routes]
    if not serving:
        raise ConfigurationError(Fault(f"route {route.name}", "is served by no listener"))
    return min(
        serving,
        key=lambda each: (
            bool(each.address.path),
            each.proxy_protocol,
            bool(host) and each.is_tls and not _covers(_certificate(each)[0], host),
        ),
    )


def _certificate(
    listener: ListenerSettings,
) -> tuple[tuple[str, ...], Path | None, tuple[str, ...]]:
    """Names, whom to trust, and what is wrong with it."""
    if not listener.is_tls:
        return (), None, ()
    path = Path(listener.certificate)
    try:
        facts = read_certificate(read_file(path, MOST_OF_PEM), str(path))
    except ConfigurationError as error:
        return (), None, (str(error),)
    return facts.names, authority_of(path), ()


def _host(listener: ListenerSettings, names: Sequence[str]) -> str:
    """As the listener calls itself, or the certificate where that does not know such a name."""
    found = _URL.fullmatch(base_url(listener))
    host = found["host"].strip("[]") if found else "localhost"
    is_any = listener.address.host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    if is_any and names and not _covers(names, host):
        return next(iter(_concrete(names)), host)
    return host


def _concrete(names: Sequence[str]) -> list[str]:
    return [name for name in names if not name.startswith("*")]


def _covers(names: Sequence[str], host: str) -> bool:
    return host in names or f"*.{host.partition('.')[2]}" in names
