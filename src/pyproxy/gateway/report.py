"""What a request leaves in the audit log."""

from pyproxy.errors.refusal import Refusal
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.identify import Caller
from pyproxy.gateway.visit import Visit
from pyproxy.telemetry.audit import AuditEvent
from pyproxy.telemetry.record import Record

_EVENTS: dict[str, AuditEvent] = {
    "invalid_token": "auth.failed",
    "expired_token": "auth.failed",
    "missing_token": "auth.failed",
    "ambiguous_credentials": "auth.failed",
    "banned": "auth.banned",
    "rate_limited": "limit.exceeded",
    "too_many_concurrent": "limit.exceeded",
    "ip_not_allowed": "access.denied",
    "user_not_allowed": "access.denied",
    "model_not_allowed": "access.denied",
    "path_denied": "access.denied",
}


def verified(desk: Desk, caller: Caller, visit: Visit) -> None:
    """A credential proved good, and was not known on this connection."""
    principal = caller.principal
    visit.exchange.peer.greeted = principal
    if principal.kind == "anonymous":
        return
    desk.audit.put(
        "auth.ok",
        desk.wall(),
        user=principal.name,
        ip=visit.address,
        result="ok",
        details={"kind": principal.kind, "key": principal.key_id},
        request_id=visit.request_id,
    )


def denied(desk: Desk, refusal: Refusal, record: Record) -> None:
    """Somebody was refused for who they are or how often they came."""
    event = _EVENTS.get(refusal.code)
    if event is None:
        return
    desk.audit.put(
        event,
        desk.wall(),
        user=record.user,
        ip=record.ip,
        result=refusal.code,
        details={"reason": refusal.detail, "route": record.route, "path": record.path},
        request_id=record.request_id,
    )
