"""The last step: a request goes to an upstream, and its answer to the client."""

from typing import Final

from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import Refusal, UpstreamTimeout, UpstreamUnreachable
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.heartbeat import Heartbeat
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.relay import Relay
from pyproxy.gateway.report import failed
from pyproxy.gateway.tap import TappedRelay
from pyproxy.gateway.tunnel import Tunnel
from pyproxy.telemetry.record import Record
from pyproxy.transform.request import UpwardHead, upward_end
from pyproxy.upstream.connection import UpstreamConnection
from pyproxy.upstream.endpoint import Endpoint
from pyproxy.wire.framing import CHUNKED

# RFC 9110 section 9.2.2: sent twice they do what they do once.
_IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})


async def forward(
    desk: Desk, plan: Plan, exchange: Exchange, up: UpwardHead, record: Record, cors: bytes
) -> None:
    """Send a request up and relay its answer; returns when that is complete or broken off.

    Another attempt is made after a failed connect, and when a connection ended before a
    byte of the answer, if the request can do no harm twice and has no body.

    Raises:
        Refusal: No answer's head came; 502 or 504.
    """
    tried: list[Endpoint] = []
    while True:
        endpoint = plan.upstream.pick(tried, desk.now())
        tried.append(endpoint)
        record.upstream = endpoint.name
        if record.trace is not None:
            record.trace.attempt(endpoint.name, desk.now())
        connection = kept = endpoint.idle_connection() if len(tried) == 1 else None
        try:
            if connection is None:
                await exchange.to_task()
                connection = _checked(exchange, await endpoint.connect(plan.connect_timeout))
            else:
                _checked(exchange, connection)
            await _attempt(desk, plan, exchange, up, record, cors, endpoint, connection)
        except (UpstreamUnreachable, UpstreamTimeout) as exc:
            # A kept connection that ended was stale, which says nothing of the endpoint.
            is_stale = _is_stale(kept) and isinstance(exc, UpstreamUnreachable)
            _note(exc, record, None if is_stale else endpoint, desk.now())
            if len(tried) > plan.retries or not _may_try_again(exc, plan, exchange, connection):
                raise
            if not is_stale:
                failed(desk, exc, record)
        else:
            return


def _note(refusal: Refusal, record: Record, to_blame: Endpoint | None, now: float) -> None:
    """Remember that an attempt failed, and whose fault it was."""
    if to_blame is not None:
        to_blame.failed(now)
    if record.trace is not None:
        attempt = record.trace.attempts[-1]
        attempt.code, attempt.ended = refusal.code, now


def _is_stale(kept: UpstreamConnection | None) -> bool:
    return kept is not None and not kept.has_answered


def _may_try_again(
    refusal: Refusal, plan: Plan, exchange: Exchange, connection: UpstreamConnection | None
) -> bool:
    """Whether a request that failed does no harm, and may do good, if it is tried once more.

    One that was not sent does none, whatever it is. Who waited for a silent upstream
    shall not wait twice. An endpoint that ended a new connection would end the next.
    """
    if connection is None:
        return True
    if isinstance(refusal, UpstreamTimeout) or connection.has_answered:
        return False
    is_replayable = exchange.head.method in _IDEMPOTENT and exchange.body.length == 0
    return is_replayable and (connection.was_used or len(plan.upstream.endpoints) > 1)


def _checked(exchange: Exchange, connection: UpstreamConnection) -> UpstreamConnection:
    """The connection, if nothing happened to either side while it was made.

    Raises:
        Refusal: The request's body broke, or the connection ended.
    """
    if exchange.broken is not None:
        connection.abort()
        raise exchange.broken
    if not connection.is_open:
        # It ended, or said something unasked, between the handshake and now: nobody
        # would tell a request that is sent over it.
        raise UpstreamUnreachable("the connection ended before it was used")
    return connection


async def _attempt(
    desk: Desk,
    plan: Plan,
    exchange: Exchange,
    up: UpwardHead,
    record: Record,
    cors: bytes,
    endpoint: Endpoint,
    connection: UpstreamConnection,
) -> None:
    """One request over one connection, which was checked just now."""
    relay = (
        Relay(
            exchange, connection, plan.down,
            request_id=record.request_id, cors=cors, desk=desk, worked=endpoint.worked,
        )
        if plan.heartbeat is None
        else TappedRelay(
            exchange, connection, plan.down,
            request_id=record.request_id, cors=cors, desk=desk, worked=endpoint.worked,
            tap=Heartbeat(exchange, connection, plan.heartbeat, desk.loop),
        )
    )  # fmt: skip
    # Bytes of a body could be taken for the first of another protocol.
    protocols = () if exchange.body.length else up.protocols
    record.asked_at = desk.now()
    endpoint.busy += 1
    try:
        connection.request(
            b"".join((
                up.start, endpoint.host_line, up.lines,
                b"" if record.trace is None else record.trace.lines(),
                upward_end(up, record.request_id, exchange.body.length, protocols),
            )),
            exchange.head.method,
            is_chunked=exchange.body.length == CHUNKED,
            receiver=relay,
            read_timeout=plan.read_timeout,
        )  # fmt: skip
        if protocols:
            connection.offer(Tunnel(exchange, connection, relay, protocols, desk.loop))
        exchange.source = connection
        exchange.on_broken = relay.body_broke
        exchange.send_body_to(connection)
        connection.flush_request()
        await relay.done
    finally:
        endpoint.busy -= 1
        exchange.source = exchange.on_broken = None
        if not relay.is_complete:
            relay.drop()
        if not exchange.body.is_complete:
            exchange.body.detach()
        desk.counts.streams -= relay.is_stream
        _write_down(record, relay)
        if relay.broke_off is not None:
            failed(desk, relay.broke_off, record)


def _write_down(record: Record, relay: Relay) -> None:
    """Keep what came of an attempt."""
    record.status = relay.status or record.status
    record.is_aborted = relay.is_aborted
    if relay.head_at:
        record.first_byte_at = relay.head_at
        record.upstream_ms = (relay.head_at - record.asked_at) * 1000.0
    if record.trace is not None:
        record.trace.attempts[-1].status = relay.status
