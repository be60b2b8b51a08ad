"""Addresses that no public API has, and names that nobody else can turn to them."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Final

from pyproxy.egress.literal import literal, plain_name

# The special-purpose registry of RFC 6890, section 2.2.2, as far as nothing public is in it;
# written out, because what `ipaddress` calls global differs between versions of Python.
_SPECIAL_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of some clouds
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, and the metadata service of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_UNICAST_V6: Final = IPv6Network("2000::/3")  # RFC 4291 section 2.4: all that was ever given out
_SPECIAL_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # of the IETF: Teredo (RFC 4380), which hides an IPv4 address, and tests
            "2001:db8::/32",
            "2002::/16",  # 6to4 (RFC 3056), which hides one too
            "3fff::/20",
        ),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: leads where its last 32 bits say
_LOCALHOST: Final = "localhost"


def is_private(ip: str) -> bool:
    """Whether an address lies within some network of somebody's own, or is none at all.

    Whatever is not known to be public counts as private. IPv4 inside of IPv6 is judged
    where it leads anywhere (mapped, NAT64), and refused unseen in Teredo and 6to4, through
    which nobody offers an API.
    """
    address = literal(ip)
    if address is None:
        return True
    if isinstance(address, IPv4Address):
        return any(address in network for network in _SPECIAL_V4)
    if address in _NAT64:
        return is_private(str(IPv4Address(int(address) & 0xFFFF_FFFF)))
    return address not in _UNICAST_V6 or any(address in network for network in _SPECIAL_V6)


def is_ones_own(host: str) -> bool:
    """Whether a host is an address, or a name that no public server answers for.

    Names without a dot are found by the system alone, as containers are; ``localhost`` and
    what is below it never leave the machine (RFC 6761 section 6.3).
    """
    name = plain_name(host)
    return literal(host) is not None or "." not in name or name.endswith(f".{_LOCALHOST}")
