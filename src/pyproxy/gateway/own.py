"""The gateway's own endpoints; matched before any route, on every listener."""

import json
from typing import Final

from pyproxy.errors.refusal import (
    AttemptsSpent,
    BadRequest,
    BodyTooLarge,
    Draining,
    InvalidToken,
    MethodNotAllowed,
    MissingToken,
    NoSigningKey,
    NotFound,
    Refusal,
)
from pyproxy.gateway.asked import asked_about, without_certificate
from pyproxy.gateway.ban import tried
from pyproxy.gateway.course import path_upwards
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.entrance import charge, let_in
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.identify import Caller, presented, verify
from pyproxy.gateway.permit import allow
from pyproxy.gateway.report import verified
from pyproxy.gateway.visit import Visit
from pyproxy.identity.authenticator import Budget
from pyproxy.limits.budget import FailureBudget
from pyproxy.limits.meter import Meter
from pyproxy.telemetry.record import Record
from pyproxy.wire.date import date_line
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.percent import percent_encoded
from pyproxy.wire.status import status_line

# Each is the `route` of its access lines.
MINT: Final = "token"
REVOKE: Final = "revoke"
VERIFY: Final = "verify"
HEALTH: Final = "health"
JWKS: Final = "jwks"

# A request for a token has no body to speak of.
MAX_OWN_BODY: Final = 1024

_READ: Final = frozenset({b"GET", b"HEAD"})
_WRITE: Final = frozenset({b"POST"})
_METHODS: Final = {MINT: _WRITE, REVOKE: _WRITE, VERIFY: _READ, HEALTH: _READ, JWKS: _READ}


async def answer_own(
    name: str, desk: Desk, gateway: Gateway, visit: Visit, record: Record, listener: str
) -> None:
    """Answer a request for one of the gateway's own paths.

    Args:
        name: Which endpoint.
        desk: The worker's.
        gateway: In force.
        visit: The request.
        record: Filled with what is found out.
        listener: Where it came in: an address, as configured.

    Raises:
        Refusal: The method is wrong, or what the endpoint says no to.
    """
    exchange = visit.exchange
    methods = _METHODS[name]
    if exchange.head.method not in methods:
        allowed = b", ".join(sorted(methods))
        raise MethodNotAllowed(fields=((b"Allow", allowed),))
    exchange.body.limit(MAX_OWN_BODY)
    if exchange.body.length == CHUNKED and not exchange.body.is_complete:
        raise BodyTooLarge("a body of unknown length")
    record.route = name
    if name == HEALTH:
        await _health(desk, gateway, visit, record)
    elif name == JWKS:
        _jwks(desk, gateway, visit, record)
    elif name == VERIFY:
        await _verify(desk, gateway, visit, record, listener)
    elif name == MINT:
        await _token(desk, gateway, visit, record)
    else:
        await _revoke(desk, gateway, visit, record)


def _answer(
    desk: Desk, gateway: Gateway, visit: Visit, record: Record, body: bytes, fields: bytes = b""
) -> None:
    """200 with a JSON body."""
    exchange = visit.exchange
    record.status = 200
    block = gateway.tls_block if exchange.peer.is_tls else gateway.block
    cors = gateway.cors.response_block(exchange.head.index.get(b"origin"))
    own = f"X-Request-Id: {record.request_id}\r\n".encode("ascii") + date_line(desk.wall())
    head = b"".join(
        (
            status_line(200),
            b"Content-Type: application/json\r\n",
            fields,
            own,
            block,
            cors,
        )
    )
    if not exchange.body.is_complete:
        exchange.keeps_alive = False
    exchange.answer(head, body)


async def _health(desk: Desk, gateway: Gateway, visit: Visit, record: Record) -> None:
    meter, now = Meter(gateway.local_store, (gateway.health_limit,)), desk.now()
    if not meter.charge_nowait(visit.address, "", HEALTH, now):
        await meter.charge(visit.address, "", HEALTH, now)
    if desk.is_draining:
        raise Draining
    _answer(desk, gateway, visit, record, b'{"status":"ok"}', b"Cache-Control: no-store\r\n")


def _jwks(desk: Desk, gateway: Gateway, visit: Visit, record: Record) -> None:
    if gateway.minter is None:
        raise NotFound("no signing key")
    _answer(desk, gateway, visit, record, gateway.jwks, b"Cache-Control: max-age=300\r\n")


async def _caller(
    desk: Desk, gateway: Gateway, visit: Visit, record: Record, budget: Budget
) -> Caller:
    """Who asks an endpoint that wants a key or a token; nobody is told of it yet.

    Raises:
        Refusal: Nobody known.
    """
    await tried(desk, gateway, visit)
    try:
        credential = presented(visit, gateway.credentials)
    except InvalidToken:
        await budget.spend()
        raise
    if credential is None:
        raise MissingToken
    caller = await verify(gateway.authenticator, credential, budget, desk.wall())
    record.user = caller.principal.name
    return caller


class _Prepaid:
    """The budget of a request that has spent from ``auth`` already, good or not."""

    def __init__(self, client: str) -> None:
        self.client = client

    async def reserve(self) -> None:
        """Paid."""

    async def refund(self) -> None:
        """Nothing goes back: the request itself costs."""

    async def spend(self) -> None:
        """Paid."""


def _budget(desk: Desk, gateway: Gateway, visit: Visit) -> FailureBudget:
    return FailureBudget(gateway.store, gateway.auth_limit, visit.address, desk.now())


async def _verify(
    desk: Desk, gateway: Gateway, visit: Visit, record: Record, listener: str
) -> None:
    """Say for another proxy whether a request may pass, and whose it is."""
    asked = asked_about(visit)
    if asked is None:
        caller = await _caller(desk, gateway, visit, record, _budget(desk, gateway, visit))
        verified(desk, caller, visit)
    else:
        method, visit = asked
        match = gateway.tables[listener].match(visit.host, visit.target.path, method)
        plan = without_certificate(match.value)
        record.route = plan.name
        allow(plan, visit.address)
        path = path_upwards(match, visit)
        caller = await let_in(desk, gateway, plan, visit, record, path)
        if plan.models is not None:
            plan.models.judge_unseen(method, path, visit.target.query, visit.exchange.head)
        await charge(desk, plan, caller.principal, visit)
    # Sent for nobody too: empty, it replaces what a client may have put there. Written as
    # `identity_header` is, so that no two names look the same.
    name = percent_encoded(caller.principal.name)
    fields = b"X-Auth-User: %b\r\nCache-Control: no-store\r\n" % name
    body = json.dumps({"user": caller.principal.name}).encode()
    _answer(desk, gateway, visit, record, body, fields)


async def _token(desk: Desk, gateway: Gateway, visit: Visit, record: Record) -> None:
    """Exchange an API key for a token; a token buys no other, so its life cannot be prolonged."""
    budget = _budget(desk, gateway, visit)
    try:
        await budget.spend()
    except AttemptsSpent as exc:
        raise _unpaid(gateway, visit, exc, desk.wall()) from exc
    if gateway.minter is None:
        raise NoSigningKey
    caller = await _caller(desk, gateway, visit, record, _Prepaid(budget.client))
    principal = caller.principal
    if principal.kind != "key":
        raise InvalidToken("only an API key is exchanged for a token")
    verified(desk, caller, visit)
    try:
        minted = gateway.minter.mint(
            principal.name,
            desk.wall(),
            desk.new_id(),
            routes=principal.routes,
            limit=principal.limit,
            not_after=principal.expires_at,
        )
    except ValueError as exc:
        raise BadRequest(str(exc)) from exc
    desk.audit.put(
        "token.minted", desk.wall(), user=principal.name, ip=visit.address, result="ok",
        details={"kid": minted.kid, "expires_in": minted.expires_in}, request_id=record.request_id,
    )  # fmt: skip
    body = {
        "token": minted.token,
        "expires_in": minted.expires_in,
        "kid": minted.kid,
        "alg": minted.alg,
    }
    _answer(desk, gateway, visit, record, json.dumps(body).encode(), b"Cache-Control: no-store\r\n")


def _unpaid(gateway: Gateway, visit: Visit, spent: AttemptsSpent, wall: float) -> Refusal:
    """The refusal of a request for a token that is one too many; it may be a good key's."""
    try:
        credential = presented(visit, gateway.credentials)
    except Refusal:
        return spent
    if credential is None or gateway.authenticator.recall(credential, wall) is not None:
        return spent.uncounted()
    return gateway.authenticator.untried(credential, spent)


async def _revoke(desk: Desk, gateway: Gateway, visit: Visit, record: Record) -> None:
    caller = await _caller(desk, gateway, visit, record, _budget(desk, gateway, visit))
    verified(desk, caller, visit)
    principal = caller.principal
    if principal.kind != "jwt" or principal.expires_at is None:
        raise BadRequest("only a token can be revoked")
    gateway.revocations.revoke(principal.token_id, principal.expires_at, desk.wall())
    desk.audit.put(
        "token.revoked", desk.wall(), user=principal.name, ip=visit.address, result="ok",
        request_id=record.request_id,
    )  # fmt: skip
    await gateway.revocations.spread(principal.token_id, principal.expires_at)
    _answer(desk, gateway, visit, record, b'{"revoked":true}', b"Cache-Control: no-store\r\n")
