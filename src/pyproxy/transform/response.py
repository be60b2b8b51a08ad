"""What is sent down: the upstream's answer with the gateway's fields on it."""

from dataclasses import dataclass
from typing import Final

from pyproxy.transform.cors import UPSTREAM_FIELDS
from pyproxy.wire.date import date_line
from pyproxy.wire.head import ResponseHead
from pyproxy.wire.hop_by_hop import HOP_BY_HOP, kept_lines
from pyproxy.wire.status import status_line

_ALWAYS: Final = (
    HOP_BY_HOP | UPSTREAM_FIELDS | frozenset({b"server", b"proxy-authenticate", b"alt-svc"})
)
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class DownwardRules:
    """How a route's answers are changed on the way down, compiled.

    Attributes:
        dropped: Lower-case names of the upstream that do not travel on.
        block: Field lines on every answer, over plain HTTP.
        tls_block: The same over TLS.
    """

    dropped: frozenset[bytes]
    block: bytes
    tls_block: bytes


def downward_rules(
    security: tuple[bytes, bytes],
    security_names: frozenset[bytes],
    *,
    set_fields: tuple[tuple[bytes, bytes], ...] = (),
    server: bytes = b"",
) -> DownwardRules:
    """Compile a route's rules.

    Args:
        security: The gateway's field lines, plain and over TLS.
        security_names: Lower-case names in them.
        set_fields: Set on every answer; an empty value only removes.
        server: What ``Server`` says; empty sends none.
    """
    lines = b"".join(b"%b: %b\r\n" % pair for pair in set_fields if pair[1])
    if server:
        lines += b"Server: %b\r\n" % server
    dropped = _ALWAYS | security_names | {name.lower() for name, _ in set_fields}
    return DownwardRules(frozenset(dropped), security[0] + lines, security[1] + lines)


def downward_head(
    head: ResponseHead,
    rules: DownwardRules,
    *,
    is_tls: bool,
    request_id: str,
    wall: float,
    cors: bytes = b"",
    keeps_length: bool = False,
) -> bytes:
    """The head of the answer to the client, without framing and the empty line.

    Args:
        head: The upstream's.
        rules: The route's.
        is_tls: The client's connection is encrypted.
        request_id: Sent unless the upstream names the request itself, as model
            APIs do and their SDKs read.
        wall: Epoch seconds, for ``Date`` where the upstream sent none.
        cors: Field lines for the client's origin.
        keeps_length: Keep ``Content-Length`` although no body follows: the answer
            to ``HEAD``, and 304 (RFC 9110 section 8.6).
    """
    parts = [status_line(head.status, head.reason)]
    parts += kept_lines(head, rules.dropped)
    parts.append(rules.tls_block if is_tls else rules.block)
    if cors:
        parts.append(cors)
    index = head.index
    if b"x-request-id" not in index:
        parts.append(f"X-Request-Id: {request_id}\r\n".encode("ascii"))
    if b"date" not in index:
        # RFC 9110 section 6.6.1: a recipient with a clock adds what is missing.
        parts.append(date_line(wall))
    if keeps_length:
        parts.append(_length_line(head))
    return b"".join(parts)


def _length_line(head: ResponseHead) -> bytes:
    """``Content-Length`` of a body that does not follow, if it is there and has one reading."""
    length = head.index.get(b"content-length", b"")
    is_clear = b"content-length" not in head.repeated and b"transfer-encoding" not in head.index
    if head.status == _NO_CONTENT or not length.isdigit() or not is_clear:
        return b""
    return b"Content-Length: %b\r\n" % length


def interim_head(head: ResponseHead, rules: DownwardRules) -> bytes:
    """A 1xx head for the client, without its empty line (RFC 9110 section 15.2)."""
    return status_line(head.status, head.reason) + b"".join(kept_lines(head, rules.dropped))
