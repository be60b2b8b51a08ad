"""What is sent down: the upstream's answer with the gateway's fields on it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pyproxy.transform.cors import UPSTREAM_FIELDS
from pyproxy.wire.date import date_line
from pyproxy.wire.event_stream import is_event_stream
from pyproxy.wire.head import ResponseHead
from pyproxy.wire.hop_by_hop import HOP_BY_HOP, kept_lines
from pyproxy.wire.status import status_line

_ALWAYS: Final = HOP_BY_HOP | UPSTREAM_FIELDS | frozenset({b"server", b"alt-svc"})
_NO_CONTENT: Final = 204
_HIDDEN: Final = b"***"
# What is shorter may well be a part of something else.
_UNMISTAKABLE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class DownwardRules:
    """How a route's answers are changed on the way down, compiled.

    Attributes:
        dropped: Lower-case names of the upstream that do not travel on.
        block: Field lines on every answer, over plain HTTP.
        tls_block: The same over TLS.
        hidden: The injected credential as it may come back: some servers repeat a query in
            ``Location``, or a field for whoever looks for a fault. Bodies are not looked at.
    """

    dropped: frozenset[bytes]
    block: bytes
    tls_block: bytes
    hidden: tuple[bytes, ...] = field(default=(), repr=False)

    def without_credential(self, lines: bytes) -> bytes:
        """Lines of an answer, stars where they repeat the injected credential."""
        for secret in self.hidden:
            if lines.find(secret) >= 0:
                lines = lines.replace(secret, _HIDDEN)
        return lines


def downward_rules(
    security: tuple[bytes, bytes],
    security_names: frozenset[bytes],
    *,
    set_fields: tuple[tuple[bytes, bytes], ...] = (),
    server: bytes = b"",
    hidden: Iterable[bytes] = (),
) -> DownwardRules:
    """Compile a route's rules.

    Args:
        security: The gateway's field lines, plain and over TLS.
        security_names: Lower-case names in them.
        set_fields: Set on every answer; an empty value only removes.
        server: What ``Server`` says; empty sends none.
        hidden: Spellings of the injected credential; short ones are left alone.
    """
    lines = b"".join(b"%b: %b\r\n" % pair for pair in set_fields if pair[1])
    if server:
        lines += b"Server: %b\r\n" % server
    dropped = _ALWAYS | security_names | {name.lower() for name, _ in set_fields}
    secrets = tuple(each for each in hidden if len(each) >= _UNMISTAKABLE_BYTES)
    return DownwardRules(frozenset(dropped), security[0] + lines, security[1] + lines, secrets)


@dataclass(frozen=True, slots=True)
class DownwardHead:
    """An answer's head for the client, but for what differs each time it is sent.

    Attributes:
        made_of: What it was made of, compared by ``is_of``.
        lines: Status line and fields.
        wants_id: The upstream did not name the request itself, as model APIs do
            whose SDKs read it.
        wants_date: RFC 9110 section 6.6.1: a recipient with a clock adds what is missing.
        length: ``Content-Length`` of a body that does not follow.
        is_stream: The body is a stream of events.
    """

    made_of: tuple[ResponseHead, DownwardRules, bool, bytes, bool]
    lines: bytes
    wants_id: bool
    wants_date: bool
    length: bytes
    is_stream: bool

    def is_of(
        self, head: ResponseHead, rules: DownwardRules, is_tls: bool, cors: bytes, keeps: bool
    ) -> bool:
        """Whether ``downward_head`` would give the same for the same very head and rules."""
        made = self.made_of
        return made[0] is head and made[1] is rules and made[2:] == (is_tls, cors, keeps)


def downward_head(
    head: ResponseHead, rules: DownwardRules, is_tls: bool, cors: bytes, keeps: bool
) -> DownwardHead:
    """What the client gets of an answer's head, without framing.

    Args:
        head: The upstream's.
        rules: The route's.
        is_tls: The client's connection is encrypted.
        cors: Field lines for the client's origin.
        keeps: ``Content-Length`` stays although no body follows: the answer to
            ``HEAD``, and 304 (RFC 9110 section 8.6).
    """
    kept = b"".join((status_line(head.status, head.reason), *kept_lines(head, rules.dropped)))
    if rules.hidden:
        kept = rules.without_credential(kept)
    parts = (kept, rules.tls_block if is_tls else rules.block, cors)
    index = head.index
    return DownwardHead(
        (head, rules, is_tls, cors, keeps),
        b"".join(parts),
        b"x-request-id" not in index,
        b"date" not in index,
        _length_line(head) if keeps else b"",
        is_event_stream(head),
    )


def downward_end(down: DownwardHead, request_id: str, wall: float) -> bytes:
    """The last lines of a head, without framing and the empty line.

    Args:
        down: What goes before.
        request_id: Of this request.
        wall: Epoch seconds.
    """
    text = f"X-Request-Id: {request_id}\r\n".encode("ascii") if down.wants_id else b""
    if down.wants_date:
        text += date_line(wall)
    return text + down.length


def _length_line(head: ResponseHead) -> bytes:
    """``Content-Length`` of a body that does not follow, if it is there and has one reading."""
    length = head.index.get(b"content-length", b"")
    is_clear = b"content-length" not in head.repeated and b"transfer-encoding" not in head.index
    if head.status == _NO_CONTENT or not length.isdigit() or not is_clear:
        return b""
    return b"Content-Length: %b\r\n" % length


def interim_head(head: ResponseHead, rules: DownwardRules) -> bytes:
    """A 1xx head for the client, without its empty line (RFC 9110 section 15.2)."""
    kept = b"".join((status_line(head.status, head.reason), *kept_lines(head, rules.dropped)))
    return rules.without_credential(kept)
