"""What is known of a request before any route has seen it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import BadRequest, ExpectationFailed, MethodNotAllowed
from pyproxy.identity.networks import Networks
from pyproxy.limits.limit import network
from pyproxy.wire.forwarded import client_address
from pyproxy.wire.head import RequestHead
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import Target, read_host, read_target

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,128}")
# Neither makes sense at a gateway (RFC 9110 sections 9.3.6 and 9.3.8).
_NEVER: Final = frozenset({b"CONNECT", b"TRACE"})


@dataclass(slots=True)
class Visit:
    """A well-formed request.

    Attributes:
        exchange: The request itself, and the way to answer it.
        target: What is asked for.
        host: ``Host`` as sent; empty in HTTP/1.0 without one.
        address: The client's address, once trust is decided.
        is_trusted: The peer is a trusted proxy.
        request_id: The client's, or ours.
        client: Whom failures are counted for, and who may be banned; see ``countable``.
    """

    exchange: Exchange
    target: Target
    host: bytes
    address: str
    is_trusted: bool
    request_id: str
    client: str = ""

    def again(self, exchange: Exchange, request_id: str) -> "Visit":
        """The same visit by a later request with the same head."""
        return Visit(
            exchange, self.target, self.host, self.address, self.is_trusted, request_id, self.client
        )


def countable(address: str, peer: Peer, trusted: Networks) -> str:
    """Whom failures of a request are counted for; empty if that would be somebody else too.

    Through a trusted proxy, a balancer that names nobody and a unix socket others come as
    well, who must not be shut out with one that fails.

    Args:
        address: The client's.
        peer: Who holds the connection.
        trusted: Networks of trusted proxies.
    """
    if not address or peer.is_unnamed or (trusted and trusted.contains(address)):
        return ""
    return network(address)


def request_id_of(head: RequestHead, make: Callable[[], str]) -> str:
    """The client's request id if it has the right form, else a new one."""
    given = head.index.get(b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given) and b"x-request-id" not in head.repeated:
        return given.decode("ascii")
    return make()


def admit(exchange: Exchange, trusted: Networks, request_id: str) -> Visit:
    """Check what every request must be, whatever it asks for.

    Raises:
        BadRequest: The target or ``Host`` is malformed, missing or repeated, or
            they contradict each other (RFC 9112 section 3.2).
        MethodNotAllowed: ``CONNECT`` or ``TRACE``.
        ExpectationFailed: ``Expect`` asks for something unknown.
    """
    head, peer = exchange.head, exchange.peer
    if head.method in _NEVER:
        # RFC 9110 section 10.2.1: an empty Allow, nothing is allowed.
        raise MethodNotAllowed(head.method.decode(), fields=((b"Allow", b""),))
    try:
        target = read_target(head.target, head.method)
        host = _host(head, target)
    except Malformed as exc:
        raise BadRequest(str(exc)) from exc
    expect = head.index.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        raise ExpectationFailed
    address, is_trusted = peer.address, False
    if trusted and not peer.is_unnamed and trusted.contains(address):
        is_trusted = True
        chains = [
            line.partition(b":")[2] for name, line in head.lines if name == b"x-forwarded-for"
        ]
        address = client_address(address, chains, trusted.contains)
    client = countable(address, peer, trusted)
    return Visit(exchange, target, host, address, is_trusted, request_id, client)


def _host(head: RequestHead, target: Target) -> bytes:
    host = head.index.get(b"host")
    if host is None:
        if head.minor == 1:
            raise Malformed("Host is missing")
        return target.authority
    if b"host" in head.repeated:
        raise Malformed("Host is repeated")
    name = read_host(host)
    if target.authority and read_host(target.authority) != name:
        raise Malformed("the target's authority and Host differ")
    return host
