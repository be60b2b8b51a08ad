"""Sets of networks, and whether an address is in one."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

# Addresses remembered; a busy gateway sees fewer clients than this at a time.
MEMO_CAPACITY = 4096
_MAPPED_BITS = 96  # ::ffff:0:0/96 holds IPv4 (RFC 4291 section 2.5.5.2)


class Networks:
    """Networks compiled for one question: is this address in any of them?

    An IPv4 address written in IPv6 (``::ffff:10.0.0.1``, as a dual-stack socket
    reports it) counts as the IPv4 address, in networks too. Answers are
    remembered; at the bound they are all forgotten, since recomputing one is cheap.
    """

    __slots__ = ("_memo", "_prefixes")

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        prefixes: dict[tuple[int, int], set[int]] = {}
        for network in map(_unmapped_network, networks):
            shift = network.max_prefixlen - network.prefixlen
            heads = prefixes.setdefault((network.version, shift), set())
            heads.add(int(network.network_address) >> shift)
        self._prefixes = prefixes
        self._memo: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there is any network at all."""
        return bool(self._prefixes)

    def contains(self, address: str) -> bool:
        """Whether ``address`` is in one of the networks; what is no address never is."""
        known = self._memo.get(address)
        if known is None:
            known = self._look_up(address)
            if len(self._memo) >= MEMO_CAPACITY:
                self._memo.clear()
            self._memo[address] = known
        return known

    def _look_up(self, text: str) -> bool:
        try:
            address = unmapped(ip_address(text))
        except ValueError:  # a unix socket's peer has no address
            return False
        number, version = int(address), address.version
        return any(
            version == family and (number >> shift) in heads
            for (family, shift), heads in self._prefixes.items()
        )


def unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _unmapped_network(network: Network) -> Network:
    head = unmapped(network.network_address)
    if network.version == head.version or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((int(head), network.prefixlen - _MAPPED_BITS))
