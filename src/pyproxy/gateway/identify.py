"""Who is asking: the step of a request that may take time."""

from dataclasses import dataclass
from typing import Final

from pyproxy.errors.refusal import (
    AmbiguousCredentials,
    BadRequest,
    InvalidSharedSecret,
    InvalidToken,
    MissingToken,
    Refusal,
)
from pyproxy.gateway.gateway import Gateway
from pyproxy.gateway.plan import Plan
from pyproxy.gateway.visit import Visit
from pyproxy.identity.authenticator import Authenticator, Budget
from pyproxy.identity.credential import Credential, CredentialRules, find_credential
from pyproxy.identity.principal import ANONYMOUS, Principal
from pyproxy.limits.budget import FailureBudget

_MTLS: Final = "mtls"


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


_NOBODY: Final = Caller(ANONYMOUS, None)


def recognise(gateway: Gateway, plan: Plan, visit: Visit, wall: float) -> Caller | None:
    """Who asks, if a key or token tells that without waiting; ``None`` decides nothing."""
    if not plan.is_recognising:
        return None
    head = visit.exchange.head
    try:
        credential = find_credential(
            head.index, head.repeated, visit.target.query or b"", plan.credentials
        )
    except Refusal:
        return None
    if credential is None or ("jwt" if credential.is_jwt else "key") not in plan.proofs:
        return None
    principal = gateway.authenticator.recall(credential, wall)
    return None if principal is None else Caller(principal, credential)


async def identify(
    gateway: Gateway, plan: Plan, visit: Visit, budget: FailureBudget, wall: float
) -> Caller:
    """Who asks for a route.

    Raises:
        Refusal: Nobody that the route lets in; 400, 401, 403 or 429.
    """
    proofs = plan.proofs
    if not proofs:
        return _on_open_route(gateway.authenticator, plan.credentials, visit, wall)
    peer, head = visit.exchange.peer, visit.exchange.head
    if _MTLS in proofs and peer.certificate_name:
        return Caller(Principal(peer.certificate_name, "mtls"), None)
    if plan.secret is not None:
        try:
            return Caller(plan.secret.verify(head.index, head.repeated), None)
        except InvalidSharedSecret:
            if plan.secret.header in head.index:
                await budget.spend()
            if not proofs & {"key", "jwt"}:
                raise
    try:
        credential = find_credential(
            head.index, head.repeated, visit.target.query or b"", plan.credentials
        )
    except InvalidToken:
        await budget.spend()
        raise
    if credential is None:
        raise MissingToken
    if ("jwt" if credential.is_jwt else "key") not in proofs:
        await budget.spend()
        raise InvalidToken("this kind of credential is not accepted here")
    return await verify(gateway.authenticator, credential, budget, wall)


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


def _on_open_route(
    authenticator: Authenticator, rules: CredentialRules, visit: Visit, wall: float
) -> Caller:
    """Nobody in particular; but a key of ours that was sent anyway must not travel on."""
    head = visit.exchange.head
    try:
        credential = find_credential(head.index, head.repeated, visit.target.query or b"", rules)
    except (AmbiguousCredentials, BadRequest, InvalidToken):
        return _NOBODY
    if credential is None or authenticator.recall(credential, wall) is None:
        return _NOBODY
    return Caller(ANONYMOUS, credential)


def blames(refusal: Refusal) -> bool:
    """Whether a refusal means that somebody's proof was wrong, not just missing."""
    return (
        isinstance(refusal, InvalidToken | InvalidSharedSecret) or refusal.code == "expired_token"
    )
