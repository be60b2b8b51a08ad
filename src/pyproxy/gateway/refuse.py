"""A refusal becomes an answer; the only place where that happens."""

from pyproxy.downstream.exchange import Exchange
from pyproxy.errors.refusal import BadRequest, Refusal
from pyproxy.providers.preset import Dialect
from pyproxy.transform.dialect import render
from pyproxy.wire.date import date_line
from pyproxy.wire.status import status_line


def refusal_head(
    refusal: Refusal, dialect: Dialect, request_id: str, block: bytes, wall: float
) -> tuple[bytes, bytes]:
    """Head, without framing and the empty line, and body of the answer.

    Args:
        refusal: Why.
        dialect: Whose error shape.
        request_id: Of the request, or one made for what was none.
        block: Field lines that every answer carries.
        wall: Epoch seconds.
    """
    status, fields, body = render(refusal, dialect, request_id)
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"".join((status_line(status), lines, block, date_line(wall))), body


def refuse(
    exchange: Exchange,
    refusal: Refusal,
    dialect: Dialect,
    request_id: str,
    block: bytes,
    wall: float,
) -> None:
    """Answer with the refusal; an answer that has begun is broken off instead."""
    if exchange.has_begun:
        exchange.abort()
        return
    if not exchange.body.is_complete or isinstance(refusal, BadRequest):
        # Who cannot be trusted to write one request is not asked for the next.
        exchange.keeps_alive = False
    head, body = refusal_head(refusal, dialect, request_id, block, wall)
    exchange.answer(head, body)
