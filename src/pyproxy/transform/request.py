"""What is sent up: the client's request without what is the client's or the gateway's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from pyproxy.transform.credential_places import (
    CREDENTIAL_FIELDS,
    CREDENTIAL_QUERY,
    credential_fields,
    plain_name,
    without_credentials,
)
from pyproxy.transform.sub_protocols import SUB_PROTOCOLS, sub_protocols_line
from pyproxy.wire.forwarded import CLAIMS
from pyproxy.wire.framing import CHUNKED
from pyproxy.wire.head import RequestHead
from pyproxy.wire.hop_by_hop import HOP_BY_HOP, kept_request_lines, passes_trailers
from pyproxy.wire.percent import percent_decoded, percent_encoded
from pyproxy.wire.upgrade import Protocols, protocols_asked, upgrade_lines

# Never passed on, whatever the route: they speak to this hop.
_ALWAYS: Final = HOP_BY_HOP | frozenset({b"host", b"x-request-id"})
# What a trusted proxy in front may say about the client; the rest of CLAIMS is rewritten.
_REWRITTEN: Final = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"forwarded"}
)
_FORWARDED: Final = (
    b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Real-IP: %b\r\n"
)
_UPGRADE: Final = b"upgrade"
_BODY_METHODS: Final = frozenset({b"POST", b"PUT", b"PATCH"})


@dataclass(frozen=True, slots=True)
class UpwardRules:
    """How a route's requests are changed on the way up, compiled.

    Attributes:
        base: Path of the upstream's URL, without a trailing slash.
        version: The first segment of every path at the upstream, such as ``/v1``, which
            clients may leave out; ``b""``: there is none.
        dropped: Lower-case names that do not travel on, from any peer.
        dropped_query: Query names, as ``plain_name`` gives them, that do not travel on.
        added_query: The injected credential, if it goes there.
        added: Field lines for every request: the injected credential, ``Via``,
            configured fields.
        defaults: Field lines by lower-case name, added where the client sent none.
        tells_client: Whether the upstream learns who the client is.
        identity_field: Name of the field that carries the caller's name, or ``b""``.
        injects: A credential is injected; none of the client's own may stand beside it.
    """

    base: bytes
    version: bytes
    dropped: frozenset[bytes]
    dropped_query: frozenset[bytes]
    added_query: bytes = field(repr=False)
    added: bytes = field(repr=False)
    defaults: Mapping[bytes, bytes]
    tells_client: bool
    identity_field: bytes
    injects: bool = False


def upward_rules(
    *,
    base: bytes = b"",
    version: bytes = b"",
    injected: tuple[tuple[bytes, bytes], ...] = (),
    injected_query: bytes = b"",
    set_fields: Mapping[bytes, bytes] | None = None,
    defaults: Mapping[bytes, bytes] | None = None,
    tells_client: bool = True,
    via: bool = True,
    identity_field: bytes = b"",
    drops_cookies: bool = False,
    also_dropped: frozenset[bytes] = frozenset(),
) -> UpwardRules:
    """Compile a route's rules.

    Args:
        base: As ``UpwardRules.base``.
        version: As ``UpwardRules.version``.
        injected: Credential fields of the provider. One given, every credential
            that the client could have sent is dropped.
        injected_query: ``name=value`` of a credential that goes into the query, encoded.
        set_fields: Set on every request; an empty value only removes.
        defaults: Set where the client sent none.
        tells_client: As ``UpwardRules.tells_client``.
        via: Whether the gateway names itself (RFC 9110 section 7.6.3), behind those that
            the request passed before; else none is named.
        identity_field: As ``UpwardRules.identity_field``.
        drops_cookies: A public API sets none, so those that come are meant for
            somebody else.
        also_dropped: Further lower-case names, such as a shared secret's.
    """
    set_fields = set_fields or {}
    dropped = _ALWAYS | also_dropped | {name.lower() for name in set_fields}
    injects = bool(injected or injected_query)
    injected_names = {plain_name(injected_query)} if injected_query else frozenset()
    if injects:
        dropped |= CREDENTIAL_FIELDS | {name.lower() for name, _ in injected}
    if drops_cookies:
        dropped |= {b"cookie"}
    if not via:
        dropped |= {b"via"}
    if identity_field:
        dropped |= {identity_field.lower()}
    added = [*injected, *((name, value) for name, value in set_fields.items() if value)]
    lines = b"".join(b"%b: %b\r\n" % pair for pair in added)
    return UpwardRules(
        base=base,
        version=version,
        dropped=frozenset(dropped),
        dropped_query=CREDENTIAL_QUERY | injected_names if injects else frozenset(),
        added_query=injected_query,
        added=lines + (b"Via: 1.1 pyproxy\r\n" if via else b""),
        defaults={name.lower(): b"%b: %b\r\n" % (name, v) for name, v in (defaults or {}).items()},
        tells_client=tells_client,
        identity_field=identity_field,
        injects=injects,
    )


def versioned(path: bytes, version: bytes) -> bytes:
    """A path that begins with the version, added if it is not there; never there twice.

    Args:
        path: Absolute, or ``*``, which is no path (RFC 9112 section 3.2.4).
        version: As ``UpwardRules.version``.
    """
    if not version or path == b"*":
        return path
    has_version = path.startswith(version) and path[len(version) :][:1] in {b"", b"/"}
    return path if has_version else version + path


@dataclass(slots=True)
class Sender:
    """What the gateway knows of who sent a request.

    Attributes:
        address: The client's address.
        is_trusted: The peer is a trusted proxy; what it says of the client stays.
        scheme: ``http`` or ``https``.
        host: ``Host`` as the client sent it.
        name: The principal's name, or ``""``.
        credential_fields: Lower-case names of the fields that held the gateway's credential.
        credential_query: Query names that held it.
        is_sub_protocol: One of the WebSocket sub-protocols held it, as credentials do.
    """

    peer: str
    address: str
    is_trusted: bool
    scheme: str
    host: bytes
    name: str
    credential_fields: frozenset[bytes]
    credential_query: frozenset[bytes]
    is_sub_protocol: bool = False


@dataclass(slots=True)
class UpwardHead:
    """A request's head for the upstream, but for what differs each time it is sent.

    A client that repeats its head gets the same one again.

    Attributes:
        start: The request line; ``Host``, which is the endpoint's, follows it.
        lines: The other fields, without request id, framing and what asks for an upgrade.
        has_length: Whether a body of no bytes is announced too.
        protocols: That the client asks to change to.
    """

    start: bytes = field(repr=False)
    lines: bytes = field(repr=False)
    has_length: bool
    protocols: Protocols = ()


def upward_head(
    head: RequestHead, path: bytes, query: bytes | None, rules: UpwardRules, sender: Sender
) -> UpwardHead:
    """What is asked of the upstream.

    Ours is added after the client's was stripped, so that a client naming our
    fields in ``Connection`` cannot remove them.

    Args:
        head: The client's.
        path: To ask for, encoded as the client sent it.
        query: Likewise; ``None`` without a ``?``.
        rules: The route's.
        sender: Who asks.
    """
    # A proxy that may tell us who the client is has not told it to the whole internet.
    keeps_claims = sender.is_trusted and rules.tells_client
    dropped = _dropped(rules.dropped, sender.credential_fields, keeps_claims)
    if rules.injects and (others := credential_fields(head.index) - dropped):
        dropped |= others
    offers = b""
    if SUB_PROTOCOLS in head.index and (rules.injects or sender.is_sub_protocol):
        offers = (
            b""
            if SUB_PROTOCOLS in dropped
            else sub_protocols_line(head, all_credentials=rules.injects)
        )
        dropped = dropped | {SUB_PROTOCOLS}
    parts = kept_request_lines(head, dropped, is_trusted=sender.is_trusted)
    parts.append(offers)
    parts.append(rules.added)
    if rules.defaults:
        parts += [line for name, line in rules.defaults.items() if name not in head.index]
    if rules.tells_client:
        parts.append(_forwarded(head, sender))
    if rules.identity_field and sender.name:
        # A name may hold any letter; a field may not (RFC 9110 section 5.5).
        parts.append(b"%b: %b\r\n" % (rules.identity_field, percent_encoded(sender.name)))
    protocols = () if _UPGRADE in sender.credential_fields else protocols_asked(head)
    if b"te" in head.index and not protocols and passes_trailers(head):
        parts.append(b"TE: trailers\r\nConnection: TE\r\n")  # RFC 9110 section 10.1.4 wants both
    return UpwardHead(
        b"%b %b HTTP/1.1\r\n" % (head.method, _target(path, query, rules, sender)),
        b"".join(parts),
        head.method in _BODY_METHODS or b"content-length" in head.index,
        protocols,
    )


def upward_end(up: UpwardHead, request_id: str, length: int, protocols: Protocols = ()) -> bytes:
    """The last lines of a head, with its empty line.

    Args:
        up: What goes before.
        request_id: Of this request.
        length: Of its body, or ``CHUNKED``.
        protocols: To ask for.
    """
    if length == CHUNKED:
        framing = "Transfer-Encoding: chunked\r\n"
    elif length or up.has_length:
        framing = f"Content-Length: {length}\r\n"
    else:
        framing = ""
    text = f"X-Request-Id: {request_id}\r\n{framing}\r\n".encode("ascii")
    return upgrade_lines(protocols) + text if protocols else text


@lru_cache(maxsize=256)
def _dropped(
    always: frozenset[bytes], credential: frozenset[bytes], keeps_claims: bool
) -> frozenset[bytes]:
    """What of a client's fields does not travel on; there are a few such sets a route."""
    return always | credential | (_REWRITTEN if keeps_claims else CLAIMS)


def _forwarded(head: RequestHead, sender: Sender) -> bytes:
    """``X-Forwarded-*`` and ``X-Real-IP``, continued from a trusted peer or begun anew."""
    # RFC 7239 section 6.2: a peer on a unix socket has no address to tell.
    chain = sender.peer.encode() or b"unknown"
    host, scheme = sender.host, sender.scheme.encode()
    if sender.is_trusted:
        before = [
            hops
            for name, line in head.lines
            # RFC 9110 section 5.6.1.1: no empty elements in a list that is sent.
            if name == b"x-forwarded-for" and (hops := line.partition(b":")[2].strip(b" \t\r\n,"))
        ]
        chain = b", ".join([*before, chain])
        host = head.index.get(b"x-forwarded-host", host)
        scheme = head.index.get(b"x-forwarded-proto", scheme)
    return _FORWARDED % (chain, scheme, host, sender.address.encode() or b"unknown")


def _target(path: bytes, query: bytes | None, rules: UpwardRules, sender: Sender) -> bytes:
    """The target for the upstream, byte for byte but for credentials."""
    if path != b"*":  # the server itself has no path (RFC 9112 section 3.2.4)
        path = rules.base + path
    if query is None and not rules.added_query:
        return path
    if query and sender.credential_query:
        ours = sender.credential_query
        kept = [part for part in query.split(b"&") if _query_name(part) not in ours]
        query = b"&".join(kept) or None
    if query and rules.dropped_query:
        query = without_credentials(query, rules.dropped_query)
    if rules.added_query:
        query = b"%b&%b" % (query, rules.added_query) if query else rules.added_query
    return path if query is None else b"%b?%b" % (path, query)


def _query_name(part: bytes) -> bytes:
    """A query parameter's name as every decoder reads it."""
    return percent_decoded(part.partition(b"=")[0]).lower()
