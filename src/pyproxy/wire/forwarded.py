"""Who a request is from, and how that is told to the next hop (RFC 7239 section 8)."""

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

# What upstreams believe about the client, the scheme or the path. From a peer that is
# not trusted none of it travels on (RFC 9700 section 4.13; Envoy's edge rules).
CLAIMS: Final = frozenset(
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port "
    b"x-forwarded-server x-forwarded-prefix x-forwarded-by x-forwarded-client-cert "
    b"x-forwarded-scheme x-forwarded-ssl x-real-ip x-client-ip x-cluster-client-ip client-ip "
    b"true-client-ip cf-connecting-ip fastly-client-ip x-original-forwarded-for x-original-url "
    b"x-original-host x-rewrite-url x-host x-http-method-override x-http-method "
    b"x-method-override x-ssl-client-cert x-ssl-client-verify x-ssl-client-s-dn "
    b"front-end-https proxy".split()
)


def client_address(peer: str, chains: Sequence[bytes], is_trusted: Callable[[str], bool]) -> str:
    """The client's address, as far as trusted peers vouch for it.

    Reads ``X-Forwarded-For`` from the right: each trusted hop vouches for the
    one before it. What stands left of the first untrusted address is hearsay.

    Args:
        peer: Who holds the connection.
        chains: Values of all ``X-Forwarded-For`` lines, in order.
        is_trusted: Whether an address is one of the trusted proxies.

    Returns:
        An address in its canonical form; ``peer`` where nothing better is known.
    """
    address = peer
    hops = [hop.strip() for chain in chains for hop in chain.decode("latin-1").split(",")]
    while hops and is_trusted(address):
        try:
            address = str(ip_address(_without_port(hops.pop())))
        except ValueError:
            break
    return address


def _without_port(hop: str) -> str:
    """``hop`` without the port that some proxies append."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    if hop.count(":") == 1:
        return hop.partition(":")[0]
    return hop
