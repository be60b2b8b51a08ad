"""Hosts that are addresses, whichever way they are written."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is; ``None`` for a name.

    Brackets are dropped, and an IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2)
    is the IPv4 address: connecting to either leads to the same place.
    """
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if is_bracketed else host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def plain_name(host: str) -> str:
    """A name as it is compared: lower case, without the final dot."""
    return host.lower().removesuffix(".")
