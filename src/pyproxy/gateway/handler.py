"""The way of a request: one straight line, in the order of the contract's checks."""

from functools import lru_cache
from typing import Final

from pyproxy.downstream.exchange import Exchange
from pyproxy.downstream.peer import Peer
from pyproxy.errors.refusal import CredentialMissing, Refusal
from pyproxy.gateway.ban import count_attempt, shut_out
from pyproxy.gateway.course import Course, find_course, known_course
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.entrance import charge, let_in
from pyproxy.gateway.forward import forward
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.identify import Caller, recognise
from pyproxy.gateway.own import answer_own
from pyproxy.gateway.permit import allow, occupied
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.refuse import refusal_head, refuse
from pyproxy.gateway.report import denied, failed
from pyproxy.gateway.screen import permit_model
from pyproxy.gateway.trailers import Withheld
from pyproxy.gateway.visit import Visit, admit, request_id_of
from pyproxy.identity.echo import MisplacedCredential, is_sub_protocol
from pyproxy.providers.preset import Dialect
from pyproxy.routing.choice import Match
from pyproxy.telemetry.record import Record, path_of
from pyproxy.transform.request import Sender, upward_head
from pyproxy.transform.sub_protocols import SUB_PROTOCOLS
from pyproxy.wire.date import date_line
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.status import status_line
from pyproxy.wire.target import read_target

# nginx's name for it: the client left before there was an answer.
CLIENT_LEFT: Final = 499
_NO_FIELDS: Final[frozenset[bytes]] = frozenset()


class Handler:
    """Answers the requests of one listener.

    Args:
        desk: The worker's.
        listener: Its address, as configured.
    """

    def __init__(self, desk: Desk, listener: str) -> None:
        self._desk = desk
        self._listener = listener

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens; its record is written at the end."""
        desk = self._desk
        gateway = desk.gateway
        head = exchange.head
        started = desk.now()
        record = Record(
            request_id=request_id_of(head, desk.new_id),
            ip=exchange.peer.address,
            method=head.method.decode("ascii"),
            path=path_of(head.target),
            status=CLIENT_LEFT,
            trace=None
            if gateway.tracer is None
            else gateway.tracer.begin(head, is_tls=exchange.peer.is_tls),
        )
        known, course = known_course(exchange, gateway), None
        desk.counts.begun += 1
        try:
            visit = (
                known.visit.again(exchange, record.request_id)
                if known
                else admit(exchange, gateway.trusted, record.request_id)
            )
            record.ip = visit.address
            if left_s := desk.bans.left_s(visit.client, started):
                shut_out(gateway, visit, left_s)
            course = known or find_course(visit, gateway, self._listener)
            if course.match is not None:
                await self._proxy(gateway, course, course.match.value, visit, record)
            elif course.own is not None:
                await answer_own(course.own, desk, gateway, visit, record, self._listener)
            else:
                _answer_preflight(desk, gateway, visit, record)
        except Refusal as refusal:
            self._refuse(gateway, exchange, refusal, course.match if course else None, record)
        except Exception as exc:  # noqa: BLE001 - the one place around a request; a fault of ours
            desk.report(exc, record.request_id)
            self._refuse(gateway, exchange, Refusal(), course.match if course else None, record)
        finally:
            self._conclude(exchange, record, started)

    def _conclude(self, exchange: Exchange, record: Record, started: float) -> None:
        """Write the request's record, now that all of it is known."""
        desk = self._desk
        record.bytes_in = exchange.body.received
        record.bytes_out = exchange.sent
        ended = desk.now()
        record.ms = (ended - started) * 1000.0
        if exchange.has_begun and not exchange.is_ended:
            record.is_aborted = True
        if not record.first_byte_at and exchange.has_begun:
            record.first_byte_at = ended  # the gateway's own answers leave in one piece
        desk.counts.ended(record, started, ended)
        if desk.access is not None:
            desk.access.put(record, desk.wall())
        if record.trace is not None and (tracer := desk.gateway.tracer) is not None:
            tracer.put(record, started, desk.now(), desk.wall())

    async def _proxy(
        self, gateway: Gateway, course: Course, plan: Plan, visit: Visit, record: Record
    ) -> None:
        """Take a request through a route's checks and to its upstream.

        Raises:
            Refusal: A check says no, or no answer's head came from the upstream.
        """
        desk, exchange = self._desk, visit.exchange
        record.route = plan.name
        allow(plan, visit.address)
        exchange.body.limit(plan.max_body)
        caller = recognise(gateway, course.credential, desk.wall())
        up = None if caller is None else course.up_for(caller.principal)
        if caller is None or up is None:
            caller = await let_in(desk, gateway, plan, visit, record, course.path, caller)
            sender = _sender(plan, visit, caller)
            up = upward_head(exchange.head, course.path, visit.target.query, plan.up, sender)
            course.keep(caller, up)
        record.user = caller.principal.name
        if exchange.body.length == CHUNKED:
            token = caller.credential.token.encode() if caller.credential else b""
            exchange.body.withholds = Withheld(plan.up, token)
        if plan.models is not None:
            await permit_model(
                plan.models,
                exchange,
                record,
                course.path,
                visit.target.query,
                is_upgrade=bool(up.protocols),
                loop=desk.loop,
            )
        await charge(desk, plan, caller.principal, visit)
        if plan.missing_credential:
            raise CredentialMissing.naming(plan.missing_credential)
        index = exchange.head.index
        cors = gateway.cors.response_block(index.get(b"origin")) if gateway.cors.is_on else b""
        if plan.max_concurrent:
            with occupied(plan, caller.principal.name or visit.address, desk.under_way):
                await forward(desk, plan, exchange, up, record, cors)
        else:
            await forward(desk, plan, exchange, up, record, cors)

    def _refuse(
        self,
        gateway: Gateway,
        exchange: Exchange,
        refusal: Refusal,
        match: Match[Plan] | None,
        record: Record,
    ) -> None:
        desk = self._desk
        dialect: Dialect = "plain"
        if match is not None:
            path = read_target(exchange.head.target, exchange.head.method).path
            dialect = match.value.dialect(match.rest(path))
        record.code = refusal.code
        if isinstance(refusal, MisplacedCredential):
            record.path, record.request_id = "", desk.new_id()
        if not exchange.has_begun:
            record.status = refusal.status
        desk.counts.refused(refusal, record)
        denied(desk, refusal, record)
        count_attempt(desk, gateway, exchange.peer, refusal, record)
        failed(desk, refusal, record)
        block = gateway.tls_block if exchange.peer.is_tls else gateway.block
        origin = exchange.head.index.get(b"origin")
        block += gateway.cors.response_block(origin)
        refuse(exchange, refusal, dialect, record.request_id, block, desk.wall())

    def reject(self, refusal: Refusal, peer: Peer) -> bytes:
        """The whole answer to something that is no request; writes its record."""
        desk = self._desk
        gateway = desk.gateway
        record = Record(
            request_id=desk.new_id(), ip=peer.address, status=refusal.status, code=refusal.code
        )
        desk.counts.rejected(refusal, record)
        denied(desk, refusal, record)
        if desk.access is not None:
            desk.access.put(record, desk.wall())
        block = gateway.tls_block if peer.is_tls else gateway.block
        head, body = refusal_head(refusal, "plain", record.request_id, block, desk.wall())
        return b"%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (head, len(body), body)


def _sender(plan: Plan, visit: Visit, caller: Caller) -> Sender:
    """What the next hop may learn, and which credential it must not."""
    fields, query = _NO_FIELDS, _NO_FIELDS
    is_alone = False
    if caller.credential is not None:
        fields, query = _stripped(caller.credential.places)
        if SUB_PROTOCOLS in fields and plan.credentials.is_everywhere:
            is_alone = is_sub_protocol(
                caller.credential, visit.exchange.head, plan.credentials.secrets
            )
    if is_alone:
        fields -= {SUB_PROTOCOLS}
    if plan.secret is not None:
        fields |= {plan.secret.header}
    peer = visit.exchange.peer
    return Sender(
        peer.address,
        visit.address,
        visit.is_trusted,
        "https" if peer.is_tls else "http",
        visit.host,
        caller.principal.name,
        fields,
        query,
        is_sub_protocol=is_alone,
    )


@lru_cache(maxsize=64)
def _stripped(places: frozenset[str]) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Fields and query parameters that held the gateway's credential."""
    fields = frozenset(place.encode() for place in places if not place.startswith("?"))
    return fields, frozenset(place[1:].encode() for place in places if place.startswith("?"))


def _answer_preflight(desk: Desk, gateway: Gateway, visit: Visit, record: Record) -> None:
    """Answer a browser's question itself (Fetch standard, CORS-preflight fetch)."""
    exchange = visit.exchange
    record.status = 204
    block = gateway.tls_block if exchange.peer.is_tls else gateway.block
    lines = gateway.cors.preflight_block(exchange.head.index[b"origin"])
    request_id = f"X-Request-Id: {record.request_id}\r\n".encode("ascii")
    date = date_line(desk.wall())
    exchange.begin(status_line(204) + block + lines + request_id + date, None)
    exchange.end([])
    exchange.flush()
