"""Keys and tokens of ours that came although nothing asked for them: they must not travel on."""

from collections.abc import Collection, Mapping
from typing import Final

from pyproxy.errors.refusal import (
    AmbiguousCredentials,
    BadRequest,
    ExpiredToken,
    InvalidToken,
    Unauthenticated,
)
from pyproxy.gateway.visit import Visit
from pyproxy.identity.authenticator import Authenticator, Budget
from pyproxy.identity.credential import (
    PLACES,
    QUERY_PLACE,
    Credential,
    CredentialRules,
    find_credential,
)

# The whole header is bounded already; what is longer than a route allows may still be ours.
_ANY_LENGTH: Final = 1 << 20
# Each place by itself: the caller's own provider key may stand beside a key of ours.
_FIELDS: Final = tuple(
    (place, CredentialRules(_ANY_LENGTH, _ANY_LENGTH, (place,), is_everywhere=False))
    for place in PLACES
)
_QUERY: Final = CredentialRules(_ANY_LENGTH, _ANY_LENGTH, ())
_NO_FIELDS: Final[Mapping[bytes, bytes]] = {}


class _Lenient:
    """The failure budget of somebody who need not prove anything.

    A foreign key costs nothing, for it may be meant for the upstream; only the
    first look at one where keys are hashed is paid for.
    """

    def __init__(self, budget: Budget) -> None:
        self.reserve = budget.reserve
        self.refund = budget.refund

    async def spend(self) -> None:
        """Nothing was claimed, so nothing failed."""


async def find_strays(
    authenticator: Authenticator, visit: Visit, budget: Budget, wall: float
) -> Credential | None:
    """What a request carries of ours, as one credential with all of its places.

    Expired ones count. A place that holds two counts too: which of them the
    upstream would read is not known.

    Raises:
        RateLimited: Too many unknown keys of this client would have to be hashed.
    """
    head, query = visit.exchange.head, visit.target.query
    places = [
        place.decode()
        for place, rules in _FIELDS
        if place in head.index
        and await _holds_ours(authenticator, head.index, head.repeated, b"", rules, budget, wall)
    ]
    if query and await _holds_ours(authenticator, _NO_FIELDS, (), query, _QUERY, budget, wall):
        places.append(QUERY_PLACE)
    return Credential("", frozenset(places), is_jwt=False) if places else None


async def _holds_ours(
    authenticator: Authenticator,
    index: Mapping[bytes, bytes],
    repeated: Collection[bytes],
    query: bytes,
    rules: CredentialRules,
    budget: Budget,
    wall: float,
) -> bool:
    try:
        credential = find_credential(index, repeated, query, rules)
    except AmbiguousCredentials:
        return True
    except (BadRequest, InvalidToken):
        return False
    if credential is None or authenticator.recall(credential, wall) is not None:
        return credential is not None
    try:
        await authenticator.verify(credential, wall, _Lenient(budget))
    except Unauthenticated as exc:
        return isinstance(exc, ExpiredToken)
    return True
