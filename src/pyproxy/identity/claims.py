"""What a token says, once its signature is known to be good (RFC 7519 §4)."""

import hashlib
from dataclasses import dataclass
from typing import Final

from pyproxy.config.quantities import Rate
from pyproxy.errors.refusal import ExpiredToken, InvalidToken
from pyproxy.identity.names import is_name
from pyproxy.identity.strict_json import BadJson, parse_object

_TOKEN_ID_HEX: Final = 32


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say to be let in.

    Attributes:
        issuer: ``iss`` must be this; empty: not checked.
        audience: ``aud`` must be or contain this; empty: not checked.
        leeway_s: Seconds that the issuer's clock may differ from ours.
        max_lifetime_s: The longest that a token may live, in seconds.
        algorithms: The only ones allowed, whatever a key set says.
    """

    issuer: str
    audience: str
    leeway_s: float
    max_lifetime_s: float
    algorithms: frozenset[str]


@dataclass(slots=True)
class Claims:
    """A verified token's claims.

    Attributes:
        subject: Who; 1 to 256 characters, none of them control. May be beyond ASCII.
        expires_at: Epoch seconds.
        issued_at: Epoch seconds, or ``None`` where the token does not say.
        token_id: The token's ``jti``; where it has none, ``sha256:`` and 32 hex
            digits of what was signed, so that any token can be revoked.
        key_id: Name of the key that verified it, or the key's thumbprint.
        routes: The only ones that it opens, by our own claim ``routes``; ``None``:
            every route.
        limit: A rate of its bearer's own, by our own claim ``limit``.
    """

    subject: str
    expires_at: float
    issued_at: float | None
    token_id: str
    key_id: str
    routes: frozenset[str] | None = None
    limit: Rate | None = None


def read_claims(
    payload: bytes, signing_input: bytes, key_id: str, rules: TokenRules, wall: float
) -> Claims:
    """The claims, if they let their bearer in now.

    Args:
        payload: JSON, its signature verified.
        signing_input: What was signed: the token's identity where it has no ``jti``.
        key_id: Goes into the claims.
        rules: What is asked of them.
        wall: Epoch seconds.

    Raises:
        InvalidToken: A claim is missing, malformed or not what the rules ask.
        ExpiredToken: The time is past and everything else is good.
    """
    try:
        members = parse_object(payload)
    except BadJson as exc:
        raise InvalidToken(f"token's claims: {exc}") from exc
    _check_issuer(members, rules.issuer)
    _check_audience(members, rules.audience)
    expires_at, issued_at = _check_times(members, rules, wall)
    claims = Claims(
        subject=_subject(members),
        expires_at=expires_at,
        issued_at=issued_at,
        token_id=_token_id(members, signing_input),
        key_id=key_id,
        routes=_routes(members),
        limit=_limit(members),
    )
    if wall >= expires_at + rules.leeway_s:
        raise ExpiredToken(f"token expired {wall - expires_at:.0f} s ago")
    return claims


def _check_issuer(members: dict[str, object], issuer: str) -> None:
    claim = members.get("iss")
    if "iss" in members and not isinstance(claim, str):
        raise InvalidToken("iss is not a string")
    if issuer and claim != issuer:
        raise InvalidToken("iss is not the configured issuer")


def _check_audience(members: dict[str, object], audience: str) -> None:
    if "aud" not in members:
        if audience:
            raise InvalidToken("aud is missing")
        return
    claim = members["aud"]
    audiences = claim if isinstance(claim, list) else [claim]
    if not all(isinstance(each, str) for each in audiences):
        raise InvalidToken("aud is not a string or a list of strings")
    if audience and audience not in audiences:
        raise InvalidToken("aud does not contain the configured audience")


def _check_times(
    members: dict[str, object], rules: TokenRules, wall: float
) -> tuple[float, float | None]:
    expires_at = _date(members, "exp")
    if expires_at is None:
        raise InvalidToken("exp is missing")
    not_before, issued_at = _date(members, "nbf"), _date(members, "iat")
    for name, date in (("nbf", not_before), ("iat", issued_at)):
        if date is not None and date > wall + rules.leeway_s:
            raise InvalidToken(f"{name} lies in the future")
    # A token that does not say when it was made is counted from now, so that
    # leaving iat out buys no longer life.
    if expires_at - (wall if issued_at is None else issued_at) > rules.max_lifetime_s:
        raise InvalidToken("token lives longer than auth.jwt.max_lifetime")
    return expires_at, issued_at


def _date(members: dict[str, object], name: str) -> float | None:
    """A NumericDate (RFC 7519 §2): epoch seconds, perhaps with a fraction."""
    if name not in members:
        return None
    value = members[name]
    # bool is an int to Python, and no date to anyone.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidToken(f"{name} is not a number")
    return float(value)


def _subject(members: dict[str, object]) -> str:
    subject = members.get("sub")
    if not isinstance(subject, str) or not is_name(subject):
        raise InvalidToken("sub is not a string of 1 to 256 printable characters")
    return subject


def _token_id(members: dict[str, object], signing_input: bytes) -> str:
    if "jti" not in members:
        # Not of the whole token: an ECDSA signature can be rewritten to another
        # good one (s to n - s), and a revoked token must stay revoked.
        return f"sha256:{hashlib.sha256(signing_input).hexdigest()[:_TOKEN_ID_HEX]}"
    token_id = members["jti"]
    if not isinstance(token_id, str) or not is_name(token_id):
        raise InvalidToken("jti is not a string of 1 to 256 printable characters")
    return token_id


def _routes(members: dict[str, object]) -> frozenset[str] | None:
    # Whatever else it may mean to its issuer, the claim can only take routes away.
    if "routes" not in members:
        return None
    routes = members["routes"]
    if not isinstance(routes, list):
        raise InvalidToken("routes is not a list")
    if not all(isinstance(name, str) and name for name in routes):
        raise InvalidToken("routes is not a list of names")
    return frozenset(routes)


def _limit(members: dict[str, object]) -> Rate | None:
    if "limit" not in members:
        return None
    try:
        return Rate.parse(members["limit"])
    except ValueError as exc:
        raise InvalidToken("limit is not a rate, as in 20r/s") from exc
