"""The way of a request to the admin listener."""

from collections.abc import Mapping
from typing import Final

from pyproxy.admin.answer import Answer, in_json, refused
from pyproxy.admin.bans import client_of, lift_ban, list_bans
from pyproxy.admin.desk import AdminDesk
from pyproxy.admin.exposition import Exhibition
from pyproxy.admin.guard import refuse_strangers
from pyproxy.admin.preference import prefers_html
from pyproxy.admin.readiness import reasons_against
from pyproxy.admin.status import status_of
from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import (
    BadRequest,
    BodyTooLarge,
    MethodNotAllowed,
    NotFound,
    Refusal,
)
from pyproxy.telemetry.audit import AuditEvent
from pyproxy.telemetry.record import path_of
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import RequestHead
from pyproxy.wire.syntax import Malformed
from pyproxy.wire.target import Target, read_host, read_target

PAGE: Final = b"/"
METRICS: Final = b"/metrics"
READY: Final = b"/ready"
STATUS: Final = b"/status"
BANS: Final = b"/bans"

_READ: Final = frozenset({b"GET", b"HEAD"})
_METHODS: Final[Mapping[bytes, frozenset[bytes]]] = {
    PAGE: _READ,
    METRICS: _READ,
    READY: _READ,
    STATUS: _READ,
    BANS: _READ | {b"DELETE"},
}
# Nobody has anything to say here.
_MAX_BODY: Final = 1024
_OK: Final = 200
_UNAVAILABLE: Final = 503
_SEE_OTHER: Final = 303

_EVENTS: Final[Mapping[str, AuditEvent]] = {
    "invalid_token": "auth.failed",
    "missing_token": "access.denied",
    "host_not_allowed": "access.denied",
    "cross_origin": "access.denied",
    "rate_limited": "limit.exceeded",
}


class AdminHandler:
    """Answers the requests of the admin listener.

    Args:
        desk: What it works with.
    """

    def __init__(self, desk: AdminDesk) -> None:
        self._desk = desk
        self._exhibition = Exhibition(desk.gauge.look, desk.elsewhere)

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens."""
        desk, head = self._desk, exchange.head
        try:
            answer = await self._answer(exchange)
        except Refusal as refusal:
            answer = self._refused(refusal, exchange.peer, head)
            if isinstance(refusal, BadRequest):
                # Who cannot be trusted to write one request is not asked for the next.
                exchange.keeps_alive = False
        except Exception as exc:  # noqa: BLE001 - the one place around a request; a fault of ours
            request_id = desk.new_id()
            desk.report(exc, request_id)
            answer = refused(Refusal(fields=((b"X-Request-Id", request_id.encode("ascii")),)))
        if not exchange.body.is_complete:
            exchange.keeps_alive = False
        exchange.answer(answer.head(desk.wall()), answer.body)

    def reject(self, refusal: Refusal, peer: Peer) -> bytes:
        """The whole answer to something that is no request."""
        answer = self._refused(refusal, peer, None)
        head = answer.head(self._desk.wall())
        framing = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(answer.body)
        return b"".join((head, framing, answer.body))

    async def _answer(self, exchange: Exchange) -> Answer:
        """Take a request through its checks and to what it asks for.

        Raises:
            Refusal: A check says no.
        """
        desk, head = self._desk, exchange.head
        target, host = _well_formed(head)
        if target.decoded != PAGE or not desk.guard.wants_token:
            # The page holds no data: it asks for the token, and shows it with its questions.
            desk.guard.admit(head, host, exchange.peer.address, desk.now())
        methods = _METHODS.get(target.decoded)
        if methods is None:
            raise NotFound
        if head.method not in methods:
            raise MethodNotAllowed(fields=((b"Allow", b", ".join(sorted(methods))),))
        exchange.body.limit(_MAX_BODY)
        if exchange.body.length == CHUNKED and not exchange.body.is_complete:
            raise BodyTooLarge("a body of unknown length")
        if target.decoded == BANS:
            await exchange.to_task()
            return await self._bans(exchange, target)
        if target.decoded == METRICS:
            await exchange.to_task()
            return await self._exhibition.show()
        return self._shown(target.decoded, head)

    def _shown(self, path: bytes, head: RequestHead) -> Answer:
        desk, accept = self._desk, head.index.get(b"accept", b"").decode("latin-1")
        if path == PAGE:
            page = desk.page
            return Answer(page.content, "text/html; charset=utf-8", policy=page.policy)
        if path == STATUS and prefers_html(accept):
            fields = ((b"Location", PAGE), (b"Vary", b"Accept"))
            return Answer(b"", "text/plain", status=_SEE_OTHER, fields=fields)
        snapshot = desk.gauge.look()
        if path == STATUS:
            return in_json(status_of(snapshot, desk.window), fields=((b"Vary", b"Accept"),))
        against = reasons_against(snapshot)
        status = _UNAVAILABLE if against else _OK
        return in_json({"ready": not against, "reasons": list(against)}, status=status)

    async def _bans(self, exchange: Exchange, target: Target) -> Answer:
        desk, head = self._desk, exchange.head
        if head.method != b"DELETE":
            return await list_bans(desk.bans)
        refuse_strangers(head)
        client = client_of(target.query)
        answer = await lift_ban(desk.bans, client)
        desk.audit.put(
            "ban.lifted",
            desk.wall(),
            ip=exchange.peer.address,
            result="lifted" if answer.status == _OK else "not_found",
            details={"client": client},
        )
        return answer

    def _refused(self, refusal: Refusal, peer: Peer, head: RequestHead | None) -> Answer:
        """Tell the audit log of who is turned away for who they are."""
        desk = self._desk
        event = _EVENTS.get(refusal.code)
        if event is not None and head is not None:
            desk.audit.put(
                event,
                desk.wall(),
                ip=peer.address,
                result=refusal.code,
                details={"listener": "admin", "path": path_of(head.target)},
            )
        return refused(refusal)


def _well_formed(head: RequestHead) -> tuple[Target, bytes]:
    """What is asked for, and under which name; lower-case, without a port.

    Raises:
        BadRequest: The target or ``Host`` is malformed, missing or repeated, or they
            contradict each other (RFC 9112 section 3.2).
    """
    host = head.index.get(b"host")
    if b"host" in head.repeated or (host is None and head.minor == 1):
        raise BadRequest("Host is missing or repeated")
    try:
        target = read_target(head.target, head.method)
        name = b"" if host is None else read_host(host)
        authority = read_host(target.authority) if target.authority else name
    except Malformed as exc:
        raise BadRequest(str(exc)) from exc
    if authority != name:
        raise BadRequest("the target's authority and Host differ")
    return target, name
