"""Who is asking: the step of a request that may take time."""

from dataclasses import dataclass
from typing import Final

from pyproxy.errors.refusal import (
    InvalidSharedSecret,
    InvalidToken,
    MissingToken,
    Refusal,
)
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.stray import find_strays
from pyproxy.gateway.visit import Visit
from pyproxy.identity.authenticator import Authenticator, Budget, spend
from pyproxy.identity.credential import Credential, CredentialRules, find_credential
from pyproxy.identity.echo import everywhere
from pyproxy.identity.principal import ANONYMOUS, Principal
from pyproxy.limits.budget import FailureBudget

_MTLS: Final = "mtls"
_PRESENTED: Final = frozenset({"key", "jwt"})


@dataclass(slots=True)
class Caller:
    """Who asks, and what proved it.

    Attributes:
        principal: Verified, or ``ANONYMOUS`` on an open route.
        credential: What was presented; ``None`` where nothing of ours was.
        is_fresh: It was verified now, not remembered.
    """

    principal: Principal
    credential: Credential | None
    is_fresh: bool = False


def presented(visit: Visit, rules: CredentialRules) -> Credential | None:
    """The key or token that a request shows, with every place; see ``find_credential``."""
    head, target = visit.exchange.head, visit.target
    found = find_credential(head.index, head.repeated, target.query or b"", rules)
    return None if found is None else everywhere(found, head, target, rules.secrets)


def recognisable(plan: Plan, visit: Visit) -> Credential | None:
    """What alone decides who asks, if the route and the request are of that simple kind."""
    if not plan.is_recognising:
        return None
    try:
        credential = presented(visit, plan.credentials)
    except Refusal:
        return None
    if credential is None or ("jwt" if credential.is_jwt else "key") not in plan.proofs:
        return None
    return credential


def recognise(gateway: Gateway, credential: Credential | None, wall: float) -> Caller | None:
    """Who asks, if that is remembered; ``None`` decides nothing."""
    if credential is None:
        return None
    principal = gateway.authenticator.recall(credential, wall)
    return None if principal is None else Caller(principal, credential)


async def identify(
    gateway: Gateway, plan: Plan, visit: Visit, budget: FailureBudget, wall: float
) -> Caller:
    """Who asks for a route; whatever that takes.

    Raises:
        Refusal: Nobody that the route lets in; 400, 401, 403 or 429.
    """
    try:
        principal = _without_credential(plan, visit)
        if principal is not None:
            strays = await find_strays(
                gateway.authenticator, visit, budget, wall, plan.credentials.secrets
            )
            return Caller(principal, strays)
        credential = _credential(plan, visit)
    except (InvalidToken, InvalidSharedSecret) as refusal:
        await spend(budget, refusal)
        raise
    caller = await verify(gateway.authenticator, credential, budget, wall)
    if not plan.credentials.is_everywhere:
        strays = await find_strays(
            gateway.authenticator, visit, budget, wall, plan.credentials.secrets
        )
        if strays is not None:
            places = credential.places | strays.places
            caller.credential = Credential(credential.token, places, credential.is_jwt)
    return caller


def _without_credential(plan: Plan, visit: Visit) -> Principal | None:
    """Who is let in by something other than a key or token; ``None``: one of those must do it.

    Raises:
        InvalidSharedSecret: It is the only proof, and wrong.
    """
    peer, head = visit.exchange.peer, visit.exchange.head
    if not plan.proofs:
        return ANONYMOUS
    if _MTLS in plan.proofs and peer.certificate_name:
        return Principal(peer.certificate_name, "mtls")
    if plan.secret is None or (plan.secret.header not in head.index and plan.proofs & _PRESENTED):
        return None
    return plan.secret.verify(head.index, head.repeated)


def _credential(plan: Plan, visit: Visit) -> Credential:
    """The key or token that a route asks for.

    Raises:
        Refusal: There is none, more than one, or of a kind that is not accepted.
    """
    credential = presented(visit, plan.credentials)
    if credential is None:
        raise MissingToken
    if ("jwt" if credential.is_jwt else "key") not in plan.proofs:
        raise InvalidToken("this kind of credential is not accepted here")
    return credential


async def verify(
    authenticator: Authenticator, credential: Credential, budget: Budget, wall: float
) -> Caller:
    """Whose a credential is, remembered or verified now.

    Raises:
        Refusal: Nobody's.
    """
    principal = authenticator.recall(credential, wall)
    if principal is not None:
        return Caller(principal, credential)
    principal = await authenticator.verify(credential, wall, budget)
    return Caller(principal, credential, is_fresh=True)
