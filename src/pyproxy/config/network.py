"""Networks of addresses, in CIDR notation."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

Network = IPv4Network | IPv6Network


def parse_network(value: object) -> Network:
    """Read a network or a single address.

    Args:
        value: ``"10.0.0.0/8"``, ``"2001:db8::/32"``, ``"192.0.2.7"``.

    Raises:
        ValueError: Anything else, and a network with bits set after its prefix: whoever wrote
            it meant either the address or the network, and we cannot tell which.
    """
    match value:
        case IPv4Network() | IPv6Network():
            return value
        case str():
            return _network(value)
        case _:
            raise ValueError('must be a network such as "10.0.0.0/8"')


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=True)
    except ValueError as reason:
        raise ValueError(_advice(text)) from reason


def _advice(text: str) -> str:
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return 'must be a network or an address, such as "10.0.0.0/8" or "192.0.2.7"'
    return f'has bits set after its prefix; write "{meant}" or the address alone'


def parse_trusted_network(value: object) -> Network:
    """Read the network of proxies that are believed.

    Raises:
        ValueError: As `parse_network`, and for every address there is: anybody could then
            claim any address, and the limits by address would fall.
    """
    network = parse_network(value)
    if network.prefixlen == 0:
        raise ValueError("is wildcard trust: anybody could claim any address; name your proxies")
    return network


_CIDR = WithJsonSchema({"type": "string", "examples": ["10.0.0.0/8", "2001:db8::/32"]})

NetworkSetting = Annotated[
    Network, PlainValidator(parse_network), PlainSerializer(str, when_used="json"), _CIDR
]
"""A network or an address."""

TrustedNetwork = Annotated[
    Network, PlainValidator(parse_trusted_network), PlainSerializer(str, when_used="json"), _CIDR
]
"""A network or an address, but not all of them."""
