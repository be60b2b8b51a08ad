"""What another proxy asks about when it lets us decide: nginx's ``auth_request``, forward-auth."""

from dataclasses import replace
from typing import Final

from pyproxy.errors.refusal import BadRequest, MissingToken
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.visit import Visit
from pyproxy.wire.head import RequestHead
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import read_host, read_target

# Traefik and Caddy send the first of each; for nginx people write either.
_URI: Final = (b"x-forwarded-uri", b"x-original-uri")
_METHOD: Final = (b"x-forwarded-method", b"x-original-method")
_HOST: Final = (b"x-forwarded-host", b"x-original-host")
_MTLS: Final = "mtls"


def asked_about(visit: Visit) -> tuple[bytes, Visit] | None:
    """The request that a trusted proxy wants to be decided, as if it had come to us.

    Of a peer that is not trusted nothing is believed. One that is must set the
    fields itself and not pass a client's on: where two of them differ, somebody
    else's is among them.

    Returns:
        Its method and the visit that it would be; ``None``: only the credential
        is asked about.

    Raises:
        BadRequest: A field is repeated, malformed, or contradicts its twin.
    """
    head = visit.exchange.head
    uri = _said(head, _URI) if visit.is_trusted else b""
    if not uri:
        return None
    method = _said(head, _METHOD) or head.method
    try:
        target = read_target(uri, method)
        host = _said(head, _HOST) or target.authority or visit.host
        if host:
            read_host(host)
    except Malformed as exc:
        raise BadRequest(f"asked about: {exc}") from exc
    return method, replace(visit, target=target, host=host)


def without_certificate(plan: Plan) -> Plan:
    """A route's plan for a client whose certificate was not shown to us.

    The certificate of this connection is the other proxy's, and would let in
    whoever comes through it.

    Raises:
        MissingToken: There is no other way in.
    """
    if _MTLS not in plan.proofs:
        return plan
    proofs = plan.proofs - {_MTLS}
    if not proofs:  # never an open route instead
        raise MissingToken("the route wants a client's certificate, which was not shown to us")
    return replace(plan, proofs=proofs)


def _said(head: RequestHead, names: tuple[bytes, ...]) -> bytes:
    if not head.repeated.isdisjoint(names):
        raise BadRequest("a field that says what is asked for is repeated")
    values = {head.index[name] for name in names if head.index.get(name)}
    if len(values) > 1:
        raise BadRequest("two fields contradict each other on what is asked for")
    return values.pop() if values else b""
