"""How a listener is reached from the machine it runs on."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from pyproxy.config.bind import Bind
from pyproxy.config.listener import ListenerSettings

# An address that means "all of them" is not one that can be connected to.
_LOOPBACK = {str(IPv4Address(0)): "127.0.0.1", str(IPv6Address(0)): "::1"}


def local_address(listener: ListenerSettings) -> Bind:
    """Where to connect to, from here."""
    return reachable(listener.address)


def reachable(address: Bind) -> Bind:
    """Where what listens there can be connected to, from here."""
    return replace(address, host=_LOOPBACK.get(address.host, address.host))


def base_url(listener: ListenerSettings) -> str:
    """The URL that a person on this machine types; by name, since certificates are for names."""
    scheme = "https" if listener.is_tls else "http"
    bind = listener.address
    if bind.path:
        return f"{scheme}://localhost"
    local = {*_LOOPBACK, *_LOOPBACK.values()}
    host = "localhost" if bind.host in local else bind.host
    return f"{scheme}://[{host}]:{bind.port}" if ":" in host else f"{scheme}://{host}:{bind.port}"
