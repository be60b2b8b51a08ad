"""What a request leaves in the audit log and, of trouble with its upstream, in the log."""

from pyproxy.errors.refusal import Refusal
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.identify import Caller
from pyproxy.gateway.visit import Visit
from pyproxy.telemetry.audit import AuditEvent
from pyproxy.telemetry.record import Record

_EVENTS: dict[str, AuditEvent] = {
    "invalid_token": "auth.failed",
    "expired_token": "auth.failed",
    "missing_token": "access.denied",
    "ambiguous_credentials": "auth.failed",
    "rate_limited": "limit.exceeded",
    "too_many_concurrent": "limit.exceeded",
    "ip_not_allowed": "access.denied",
    "user_not_allowed": "access.denied",
    "path_denied": "access.denied",
    "model_not_allowed": "access.denied",
}
_OF_THE_UPSTREAM = frozenset(
    {"upstream_unreachable", "upstream_protocol_error", "upstream_timeout", "credential_missing"}
)


def verified(desk: Desk, caller: Caller, visit: Visit) -> None:
    """Somebody was let in: told once a connection, and whenever a credential was verified."""
    principal, peer = caller.principal, visit.exchange.peer
    if not caller.is_fresh and principal == peer.greeted:
        return
    peer.greeted = principal
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


def failed(desk: Desk, refusal: Refusal, record: Record) -> None:
    """An upstream gave no answer, or no whole one; why is for the operator alone."""
    if desk.trouble is None or refusal.code not in _OF_THE_UPSTREAM:
        return
    desk.trouble.put(
        "warning",
        "upstream.failed",
        desk.now(),
        (record.upstream, refusal.detail),
        upstream=record.upstream,
        route=record.route,
        code=refusal.code,
        reason=refusal.detail,
        request_id=record.request_id,
    )
