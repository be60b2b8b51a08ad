"""Where a request carries its credential, and what it is."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from pyproxy.errors.refusal import AmbiguousCredentials, BadRequest, InvalidToken
from pyproxy.identity.keyring import fingerprint
from pyproxy.identity.shared_secret import SharedSecret

DEFAULT_MAX_HEADER_BYTES = 8192
DEFAULT_MAX_TOKEN_BYTES = 4096

AUTHORIZATION = b"authorization"
X_API_KEY = b"x-api-key"
API_KEY = b"api-key"
GOOGLE = b"x-goog-api-key"
SUB_PROTOCOLS = b"sec-websocket-protocol"
SUB_PROTOCOL_PREFIX = b"openai-insecure-api-key."
QUERY_PARAMETER = b"key"
QUERY_PLACE = "?key"
PLACES = (AUTHORIZATION, X_API_KEY, API_KEY, GOOGLE, SUB_PROTOCOLS)

_JWT_DOTS = 2  # header.payload.signature (RFC 7515 section 7.1)
_SCHEME_AND_TOKEN = 2  # credentials = auth-scheme 1*SP token68 (RFC 9110 section 11.4)
_AUTHORIZATION_ALONE = frozenset({"authorization"})
_VISIBLE = re.compile(rb"[!-~]*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")


@dataclass(slots=True)
class Credential:
    """What a request presented; nothing about it is verified.

    Attributes:
        token: The key or JWT, ASCII without white space, not empty.
        places: Where it was found: header names in lower case, and query parameters
            such as ``?key``.
        is_jwt: Whether it has the two dots of a JWT; else it is a key.
    """

    token: str = field(repr=False)
    places: frozenset[str]
    is_jwt: bool

    @classmethod
    def of(cls, token: bytes, place: str) -> Self:
        """What stands in one place.

        Args:
            token: Visible ASCII.
            place: As of ``places``.
        """
        text = token.decode("ascii")
        return cls(text, frozenset((place,)), _is_jwt(text))

    @property
    def fingerprint(self) -> str:
        """What a log may say of it: the first 8 hex digits of its SHA-256."""
        return fingerprint(self.token)


@dataclass(frozen=True, slots=True)
class CredentialRules:
    """Where a route looks for credentials, and how long they may be.

    Attributes:
        max_header_bytes: Of a field that holds one.
        max_token_bytes: Of the credential itself.
        places: Fields to look into, lower case.
        is_everywhere: Whether every place counts, the query too.
        secrets: Shared secrets of all routes: not looked for here, but not let past either.
    """

    max_header_bytes: int = DEFAULT_MAX_HEADER_BYTES
    max_token_bytes: int = DEFAULT_MAX_TOKEN_BYTES
    places: tuple[bytes, ...] = PLACES
    is_everywhere: bool = True
    secrets: tuple[SharedSecret, ...] = ()

    @classmethod
    def compile(
        cls,
        max_header_bytes: int,
        max_token_bytes: int,
        credential_from: Iterable[str] = (),
        secrets: tuple[SharedSecret, ...] = (),
        also: Iterable[str] = (),
    ) -> Self:
        """Rules of a route.

        Args:
            max_header_bytes: As the attribute.
            max_token_bytes: Likewise.
            credential_from: Names of fields; any given, only those count.
            secrets: As the attribute.
            also: Names of fields that count beside the usual places.
        """
        if only := _lower(credential_from):
            return cls(
                max_header_bytes, max_token_bytes, only, is_everywhere=False, secrets=secrets
            )
        more = tuple(name for name in _lower(also) if name not in PLACES)
        places = (*PLACES, *more) if more else PLACES
        return cls(max_header_bytes, max_token_bytes, places, is_everywhere=True, secrets=secrets)


def _lower(names: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(name.lower().encode("ascii") for name in names)


def find_credential(
    index: Mapping[bytes, bytes],
    repeated: Collection[bytes],
    query: bytes,
    rules: CredentialRules,
) -> Credential | None:
    """The one credential of a request, wherever it is.

    Args:
        index: Field values by lower-case name; free of control characters.
        repeated: Names that occur more than once.
        query: As received, without the question mark.
        rules: Where to look.

    Returns:
        None if there is none. An empty field is none.

    Raises:
        AmbiguousCredentials: Two different ones, or a field that may hold one
            occurs twice: the upstream might pick the other.
        BadRequest: Too long, or not to be decoded.
        InvalidToken: Something that cannot be a credential of ours, such as Basic.
    """
    # By far the most requests have a Bearer token and nothing else: 0.7 us instead of 3.
    # Whatever is not exactly that, errors above all, is left to the long way.
    value = index.get(AUTHORIZATION)
    if value is None or repeated or rules.places is not PLACES or _is_elsewhere(index, query):
        return _find_in_all(index, repeated, query, rules)
    words = value.split()
    if len(words) != _SCHEME_AND_TOKEN or words[0] != b"Bearer":
        return _find_in_all(index, repeated, query, rules)
    token = words[1]
    length = len(value)  # with the scheme: a token near its bound takes the long way too
    is_long = length > rules.max_token_bytes or length > rules.max_header_bytes
    if is_long or not token.isascii():
        return _find_in_all(index, repeated, query, rules)
    text = token.decode()
    return Credential(text, _AUTHORIZATION_ALONE, text.count(".") == _JWT_DOTS)


def _is_elsewhere(index: Mapping[bytes, bytes], query: bytes) -> bool:
    """Whether a place other than Authorization may hold a credential."""
    if X_API_KEY in index or API_KEY in index or GOOGLE in index or SUB_PROTOCOLS in index:
        return True
    # A name may be escaped, so any escape means a proper look. (`find`: `in` is slow on bytes.)
    return bool(query) and (query.find(QUERY_PARAMETER) >= 0 or query.find(b"%") >= 0)


def _find_in_all(
    index: Mapping[bytes, bytes],
    repeated: Collection[bytes],
    query: bytes,
    rules: CredentialRules,
) -> Credential | None:
    found: dict[str, str] = {}
    for name in rules.places:
        if name in repeated:
            raise AmbiguousCredentials(f"{name.decode()} occurs twice")
        if name in index:
            for presented in _in_field(name, index[name], rules):
                _add(found, _text(presented, rules), name.decode())
    if rules.is_everywhere and query:
        for presented in _in_query(query):
            _add(found, _text(presented, rules), QUERY_PLACE)
    if not found:
        return None
    token = next(iter(found.values()))
    return Credential(token, frozenset(found), _is_jwt(token))


def _add(found: dict[str, str], token: str, place: str) -> None:
    if not token:
        return
    for other, different in found.items():
        if different != token:
            raise AmbiguousCredentials(f"one in {other}, another in {place}")
    found[place] = token


def _in_field(name: bytes, value: bytes, rules: CredentialRules) -> Iterator[bytes]:
    if name.endswith(AUTHORIZATION):  # Proxy-Authorization, X-Gateway-Authorization: same syntax
        yield _authorization(value, rules)
        return
    if len(value) > rules.max_header_bytes:
        raise BadRequest(f"{name.decode()} is over {rules.max_header_bytes} bytes")
    if name != SUB_PROTOCOLS:
        yield value.strip(b" \t")
        return
    for element in value.split(b","):
        protocol = element.strip(b" \t")
        if protocol.startswith(SUB_PROTOCOL_PREFIX):
            yield protocol[len(SUB_PROTOCOL_PREFIX) :]


def _authorization(value: bytes, rules: CredentialRules) -> bytes:
    """The token after the scheme, or alone; empty if there is none."""
    if len(value) > rules.max_header_bytes:
        raise BadRequest(f"Authorization is over {rules.max_header_bytes} bytes")
    words = value.split(None, _SCHEME_AND_TOKEN)
    if not words:
        return b""
    if words[0].lower() == b"bearer":
        words[0] = b""
    elif len(words) > 1:
        raise InvalidToken("an authentication scheme other than Bearer")
    if len(words) > _SCHEME_AND_TOKEN:
        raise InvalidToken("more than one token after Bearer")
    return words[-1]


def _in_query(query: bytes) -> Iterator[bytes]:
    """Values of every parameter called ``key``, decoded once.

    A plus stays a plus: keys may hold one, and none holds a space.
    """
    for parameter in query.split(b"&"):
        name, _, value = parameter.partition(b"=")
        if name != QUERY_PARAMETER and _decoded(name) != QUERY_PARAMETER:
            continue
        decoded = _decoded(value)
        if decoded is None:
            raise BadRequest("a broken escape in ?key=")
        yield decoded


def _decoded(text: bytes) -> bytes | None:
    """Undo percent-encoding (RFC 3986 section 2.1); None if an escape is broken."""
    escapes = _ESCAPE.findall(text)
    if not all(escapes):
        return None
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), text)


def _text(token: bytes, rules: CredentialRules) -> str:
    if len(token) > rules.max_token_bytes:
        raise BadRequest(f"a credential over {rules.max_token_bytes} bytes")
    if not _VISIBLE.fullmatch(token):
        raise InvalidToken("a credential of other than visible ASCII characters")
    return token.decode()


def _is_jwt(token: str) -> bool:
    return token.count(".") == _JWT_DOTS
