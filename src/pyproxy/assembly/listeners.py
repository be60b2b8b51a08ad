"""Listeners that share an address are one listener with several certificates."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyproxy.config.listener import ListenerSettings
from pyproxy.errors.fault import ConfigurationError, Fault


@dataclass(frozen=True, slots=True)
class Group:
    """What listens on one address.

    Attributes:
        bind: The address.
        routes: Names of the routes served here; empty: every route.
        listeners: As configured; the first one's certificate is the default.
    """

    bind: str
    routes: tuple[str, ...]
    listeners: tuple[ListenerSettings, ...]

    @property
    def is_tls(self) -> bool:
        """Whether TLS is spoken here."""
        return self.listeners[0].is_tls

    @property
    def proxy_protocol(self) -> bool:
        """Whether a PROXY header comes before each connection."""
        return self.listeners[0].proxy_protocol


def group_listeners(listeners: Sequence[ListenerSettings]) -> tuple[Group, ...]:
    """Group listeners by address, in their order.

    Raises:
        ConfigurationError: Two on one address differ in what a connection settles
            before a name is known: a PROXY header or not, TLS or not, versions, client
            certificates, routes.
    """
    groups: dict[str, list[ListenerSettings]] = {}
    faults: list[Fault] = []
    for number, listener in enumerate(listeners):
        group = groups.setdefault(listener.bind, [])
        if group and _shared(group[0]) != _shared(listener):
            problem = (
                f"shares {listener.bind} with another listener and must agree with it in "
                "min_version, client_ca, proxy_protocol and routes, and have a certificate"
            )
            faults.append(Fault(f"listeners[{number}]", problem))
        group.append(listener)
    if faults:
        raise ConfigurationError(*faults)
    return tuple(Group(bind, group[0].routes, tuple(group)) for bind, group in groups.items())


def _shared(listener: ListenerSettings) -> tuple[object, ...]:
    return (
        listener.is_tls,
        listener.min_version,
        listener.client_ca,
        listener.proxy_protocol,
        listener.routes,
    )
