"""Who a request is from, and how that is told to the next hop (RFC 7239 section 8)."""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

# What upstreams believe about the client, the scheme or the path. From a peer that is
# not trusted none of it travels on (RFC 9700 section 4.13; Envoy's edge rules).
CLAIMS: Final = frozenset(
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port "
    b"x-forwarded-server x-forwarded-prefix x-forwarded-by x-forwarded-client-cert "
    b"x-forwarded-scheme x-forwarded-ssl x-real-ip x-client-ip x-cluster-client-ip client-ip "
    b"true-client-ip cf-connecting-ip fastly-client-ip x-original-forwarded-for x-original-url "
    b"x-original-host x-rewrite-url x-host x-http-method-override x-http-method "
    b"x-method-override x-forwarded-user x-forwarded-email x-forwarded-groups "
    b"x-forwarded-preferred-username x-forwarded-access-token x-forwarded-uri "
    b"x-forwarded-method x-forwarded-path x-forwarded-proto-version x-auth-user remote-user "
    b"x-remote-user x-remote-ip x-remote-addr x-original-method x-originating-ip "
    b"x-proxyuser-ip x-envoy-external-address x-azure-clientip x-ssl-client-cert "
    b"x-ssl-client-verify x-ssl-client-s-dn ssl-client-cert ssl-client-verify ssl-client-s-dn "
    b"client-cert client-cert-chain x-client-cert x-arr-clientcert "  # RFC 9440
    b"x-auth-request-user x-auth-request-email x-auth-request-groups x-webauth-user "
    b"x-auth-request-preferred-username x-auth-request-access-token x-authenticated-user "
    b"x-remote-groups x-amzn-oidc-identity x-amzn-oidc-data x-amzn-oidc-accesstoken "
    b"x-goog-authenticated-user-email x-goog-authenticated-user-id x-goog-iap-jwt-assertion "
    b"x-ms-client-principal x-ms-client-principal-id x-ms-client-principal-name "
    b"cf-access-authenticated-user-email cf-access-jwt-assertion cf-connecting-ipv6 "
    b"tailscale-user-login tailscale-user-name x-appengine-user-ip x-sourceip "
    b"forwarded-for x-forward-for cluster-client-ip proxy-client-ip wl-proxy-client-ip "
    b"akamai-client-ip incap-client-ip x-appengine-remote-addr x-azure-socketip x-url-scheme "
    b"x-envoy-internal x-envoy-original-path front-end-https proxy".split()
)
# Each server has names of its own behind these; whatever they are, they are claims.
CLAIM_PREFIXES: Final = (b"x-forwarded", b"x-original-", b"x-rewrite-")

_WITH_PORT: Final = re.compile(r"(?:\[([^\]]*)\]|([^:\[]*))(?::[0-9]{1,5})?")


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
            address = canonical_address(_without_port(hops.pop()))
        except ValueError:
            break
    return address


def _without_port(hop: str) -> str:
    """``hop`` without the port that some proxies append, and without brackets."""
    found = _WITH_PORT.fullmatch(hop)
    return hop if found is None else found[found.lastindex or 0]


def canonical_address(text: str) -> str:
    """The one spelling of an address; IPv4 written in IPv6 is IPv4.

    Raises:
        ValueError: No address, or one with a zone: that is any text, and means
            nothing on another machine (RFC 4007 section 11).
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            raise ValueError("an address with a zone")
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
    return str(address)
