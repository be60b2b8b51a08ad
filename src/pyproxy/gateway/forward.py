"""The last step: a request goes to an upstream, and its answer to the client."""

from typing import Final

from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import UpstreamUnreachable
from pyproxy.gateway.desk import Desk
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.relay import Relay
from pyproxy.gateway.report import failed
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

    Another attempt is made after a failed connect, and when a kept connection
    turned out stale before a byte of the answer, if the request can do no harm
    twice and has no body.

    Raises:
        Refusal: No answer's head came; 502 or 504.
    """
    tried: list[Endpoint] = []
    while True:
        endpoint = plan.upstream.pick(tried)
        tried.append(endpoint)
        record.upstream = endpoint.name
        may_retry = len(tried) <= plan.retries
        connection = endpoint.idle_connection() if len(tried) == 1 else None
        if connection is None:
            await exchange.to_task()
            try:
                connection = await endpoint.connect(plan.connect_timeout)
            except UpstreamUnreachable as exc:
                if may_retry:
                    failed(desk, exc, record)
                    continue
                raise
        was_used = connection.was_used
        try:
            await _attempt(desk, plan, exchange, up, record, cors, endpoint, connection)
        except UpstreamUnreachable:
            if was_used and not connection.has_answered and may_retry and _is_replayable(exchange):
                continue
            raise
        return


def _is_replayable(exchange: Exchange) -> bool:
    return exchange.head.method in _IDEMPOTENT and exchange.body.length == 0


def _check(exchange: Exchange, connection: UpstreamConnection) -> None:
    """Nothing happened to either side while the connection was made.

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
    """One request over one connection."""
    _check(exchange, connection)
    relay = Relay(
        exchange, connection, plan.down,
        request_id=record.request_id, cors=cors, desk=desk,
    )  # fmt: skip
    end = upward_end(up, record.request_id, exchange.body.length)
    sent_at = desk.now()
    endpoint.busy += 1
    try:
        connection.request(
            b"".join((up.start, endpoint.host_line, up.lines, end)),
            exchange.head.method,
            is_chunked=exchange.body.length == CHUNKED,
            receiver=relay,
            read_timeout=plan.read_timeout,
        )
        exchange.source = connection
        exchange.on_broken = relay.body_broke
        exchange.body.withheld = plan.up.dropped
        exchange.send_body_to(connection)
        connection.flush_request()
        await relay.done
    finally:
        endpoint.busy -= 1
        exchange.source = exchange.on_broken = None
        if not relay.is_complete:
            connection.abort()
        if not exchange.body.is_complete:
            exchange.body.detach()
        record.status = relay.status or record.status
        record.is_aborted = relay.is_aborted
        if relay.broke_off is not None:
            failed(desk, relay.broke_off, record)
        if relay.head_at:
            record.upstream_ms = (relay.head_at - sent_at) * 1000.0
