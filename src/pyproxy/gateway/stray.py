"""Keys and tokens of ours that came although nothing asked for them: they must not travel on."""

from pyproxy.errors.refusal import AttemptsSpent, ExpiredToken, Unauthenticated
from pyproxy.gateway.visit import Visit
from pyproxy.identity.authenticator import Authenticator, Budget
from pyproxy.identity.credential import Credential
from pyproxy.identity.echo import MisplacedCredential, echoes, secret_places
from pyproxy.identity.shared_secret import SharedSecret
from pyproxy.identity.suspects import FIXED_PLACE, Suspect, suspects


class _Lenient:
    """The failure budget of somebody who need not prove anything.

    A foreign key costs nothing, for it may be meant for the upstream; only the
    first look at one where keys are hashed is paid for.
    """

    def __init__(self, budget: Budget) -> None:
        self.reserve = budget.reserve
        self.refund = budget.refund
        self.client = budget.client

    async def spend(self) -> None:
        """Nothing was claimed, so nothing failed."""


async def find_strays(
    authenticator: Authenticator,
    visit: Visit,
    budget: Budget,
    wall: float,
    secrets: tuple[SharedSecret, ...] = (),
) -> Credential | None:
    """What a request carries of ours, as one credential with all of its places.

    Expired ones count. Keys that are kept as slow hashes are found where keys are usually
    put, or once they have been used; plain and generated ones, tokens, and the ``secrets``
    of all routes are found everywhere.

    Raises:
        MisplacedCredential: One stands where it cannot be taken off.
        RateLimited: Too many unknown keys of this client would have to be hashed.
    """
    head, target = visit.exchange.head, visit.target
    places = set(secret_places(head, target, secrets))
    for suspect in suspects(head, target):
        if suspect.place in places or not await _is_ours(authenticator, suspect, budget, wall):
            continue
        if suspect.place == FIXED_PLACE:
            raise MisplacedCredential("a credential in the path, or in a parameter's name")
        places.add(suspect.place)
        places |= echoes(suspect.token, head, target)
    return Credential("", frozenset(places), is_jwt=False) if places else None


async def _is_ours(
    authenticator: Authenticator, suspect: Suspect, budget: Budget, wall: float
) -> bool:
    credential = Credential.of(suspect.token, suspect.place)
    if not credential.is_jwt and not suspect.is_likely:
        return authenticator.is_known_key(credential.token, wall)
    if authenticator.recall(credential, wall) is not None:
        return True
    try:
        await authenticator.verify(credential, wall, _Lenient(budget))
    except Unauthenticated as exc:
        return isinstance(exc, ExpiredToken)
    except AttemptsSpent as exc:  # where nothing was claimed nothing failed either
        raise exc.uncounted() from exc
    return True
